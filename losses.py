"""The losses of StarGAN with the WGAN-GP objective (arXiv 1711.09020, sections 3.1 and 3.3), as plain functions.

All take images in [-1, 1] [B, 3, H, W] and integer labels [B], and reduce in float32 whatever the networks compute in.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Parts = dict[str, Tensor]  # scalar tensors on the device, read only when logged


def one_hot(c: Tensor, c_dim: int) -> Tensor:
    """Labels [B] -> one-hot float32 [B, c_dim], the form the generator takes."""
    return F.one_hot(c, c_dim).float()


def gradient_penalty(D: nn.Module, x_real: Tensor, x_fake: Tensor, alpha: Tensor) -> Tensor:
    """mean((‖∇ D_src(x̂)‖₂ − 1)²) at x̂ = alpha·x_real + (1 − alpha)·x_fake, alpha [B, 1, 1, 1] in [0, 1].

    The norm is over all of a sample's pixels (WGAN-GP, arXiv 1704.00028).
    """
    x_hat = torch.lerp(x_fake, x_real, alpha).requires_grad_(True)
    src, _ = D(x_hat)
    (gradient,) = torch.autograd.grad(src.float().sum(), x_hat, create_graph=True)
    return ((gradient.float().flatten(1).norm(dim=1) - 1) ** 2).mean()


def discriminator_loss(
    D: nn.Module,
    x_real: Tensor,
    c_org: Tensor,
    x_fake: Tensor,
    alpha: Tensor,
    lambda_cls: float,
    lambda_gp: float,
) -> tuple[Tensor, Parts]:
    """-mean D_src(x) + mean D_src(x_fake) + λcls·CE(D_cls(x), c_org) + λgp·penalty; `x_fake` carries no graph."""
    # One pass for both: D has no norm over the batch, so it is the same mathematics, and faster.
    (src_real, src_fake), (cls_real, _) = (out.float().chunk(2) for out in D(torch.cat([x_real, x_fake])))
    real = -src_real.mean()
    fake = src_fake.mean()
    cls = F.cross_entropy(cls_real, c_org)
    gp = gradient_penalty(D, x_real, x_fake, alpha)
    parts = {"D/loss_real": real, "D/loss_fake": fake, "D/loss_cls": cls, "D/loss_gp": gp}
    return real + fake + lambda_cls * cls + lambda_gp * gp, parts


def generator_loss(
    G: nn.Module,
    D: nn.Module,
    x_real: Tensor,
    c_org: Tensor,
    c_trg: Tensor,
    c_dim: int,
    lambda_cls: float,
    lambda_rec: float,
) -> tuple[Tensor, Parts]:
    """-mean D_src(G(x,c')) + λcls·CE(D_cls(G(x,c')), c') + λrec·mean|x − G(G(x,c'),c)|, c' = `c_trg`."""
    x_fake = G(x_real, one_hot(c_trg, c_dim))
    src, cls_fake = D(x_fake)
    fake = -src.float().mean()
    cls = F.cross_entropy(cls_fake.float(), c_trg)
    x_rec = G(x_fake, one_hot(c_org, c_dim))
    rec = (x_real - x_rec.float()).abs().mean()
    parts = {"G/loss_fake": fake, "G/loss_cls": cls, "G/loss_rec": rec}
    return fake + lambda_cls * cls + lambda_rec * rec, parts
