from __future__ import annotations

import torch
from torch import Tensor, nn

from losses import one_hot


@torch.inference_mode()
def translate_to_all(G: nn.Module, x: Tensor, c_dim: int) -> Tensor:
    """Every image with every domain, in one batch: [B, 3, H, W] -> [B, c_dim, 3, H, W], both in [-1, 1]."""
    labels = one_hot(torch.arange(c_dim, device=x.device), c_dim).repeat(len(x), 1)
    x_fake = G(x.repeat_interleave(c_dim, dim=0), labels)
    return x_fake.float().unflatten(0, (len(x), c_dim))
