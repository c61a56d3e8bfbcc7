"""The three ranges an image lives in: [-1, 1] inside StarGAN, [0, 1] for every other network, uint8 in files."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def to_network(image: np.ndarray) -> Tensor:
    """uint8 RGB [..., H, W, 3] -> float32 [..., 3, H, W] in [-1, 1]."""
    return torch.tensor(np.asarray(image)).movedim(-1, -3).float().div(127.5).sub(1)


def to_unit(x: Tensor) -> Tensor:
    """[-1, 1] -> [0, 1], what the judge and Inception take."""
    return x.float().add(1).div(2).clamp(0, 1)


def to_uint8(x: Tensor) -> np.ndarray:
    """[..., 3, H, W] in [-1, 1] -> uint8 RGB [..., H, W, 3]."""
    return to_unit(x).mul(255).round().byte().movedim(-3, -1).cpu().numpy()
