"""The losses of StarGAN with the WGAN-GP objective (arXiv 1711.09020, sections 3.1 and 3.3), as plain functions.

All take images in [-1, 1] [B, 3, H, W] and integer labels [B], and reduce in float32 whatever the networks compute in.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model import Discriminator

CHANGE_WEIGHT = 40.0  # pair loss: extra weight of a changed pixel, for each unit of change in [-1, 1]
EDGE_WEIGHT = 0.5

Parts = dict[str, Tensor]  # scalar tensors on the device, read only when logged


def one_hot(c: Tensor, c_dim: int) -> Tensor:
    """Labels [B] -> one-hot float32 [B, c_dim], the form the generator takes."""
    return F.one_hot(c, c_dim).float()


def gradient_penalty(D: Discriminator, x_real: Tensor, x_fake: Tensor, alpha: Tensor) -> Tensor:
    """mean((‖∇ D_src(x̂)‖₂ − 1)²) at x̂ = alpha·x_real + (1 − alpha)·x_fake, alpha [B, 1, 1, 1] in [0, 1].

    The norm is over all of a sample's pixels (WGAN-GP, arXiv 1704.00028).
    """
    gradient = D.input_gradient(torch.lerp(x_fake, x_real, alpha))
    return ((_wide(gradient).flatten(1).norm(dim=1) - 1) ** 2).mean()


def discriminator_loss(
    D: Discriminator,
    x_real: Tensor,
    c_org: Tensor,
    x_fake: Tensor,
    alpha: Tensor,
    lambda_cls: float,
    lambda_gp: float,
) -> tuple[Tensor, Parts]:
    """-mean D_src(x) + mean D_src(x_fake) + λcls·CE(D_cls(x), c_org) + λgp·penalty; `x_fake` carries no graph."""
    # One pass for both: D has no norm over the batch, so it is the same mathematics, and faster.
    (src_real, src_fake), (cls_real, _) = (_wide(out).chunk(2) for out in D(torch.cat([x_real, x_fake])))
    real = -src_real.mean()
    fake = src_fake.mean()
    cls = F.cross_entropy(cls_real, c_org)
    gp = gradient_penalty(D, x_real, x_fake, alpha)
    parts = {"D/loss_real": real, "D/loss_fake": fake, "D/loss_cls": cls, "D/loss_gp": gp}
    return real + fake + lambda_cls * cls + lambda_gp * gp, parts


def classification_loss(D: nn.Module, x: Tensor, c: Tensor) -> Tensor:
    """CE(D_cls(x), c): how badly D names the emotions `c` of real faces."""
    return F.cross_entropy(_wide(D(x)[1]), c)


def generator_loss(
    G: nn.Module,
    D: nn.Module,
    x_real: Tensor,
    c_org: Tensor,
    x_fake: Tensor,
    c_trg: Tensor,
    c_dim: int,
    lambda_cls: float,
    lambda_rec: float,
) -> tuple[Tensor, Parts]:
    """-mean D_src(x_fake) + λcls·CE(D_cls(x_fake), c') + λrec·mean|x − G(x_fake,c)|, c' = `c_trg`.

    `x_fake` is G(x_real, c') with its graph. Where λrec is 0 the way back is not computed.
    """
    src, cls_fake = D(x_fake)
    fake = -_wide(src).mean()
    cls = F.cross_entropy(_wide(cls_fake), c_trg)
    loss, parts = fake + lambda_cls * cls, {"G/loss_fake": fake, "G/loss_cls": cls}
    if lambda_rec:
        x_rec = G(x_fake, one_hot(c_org, c_dim))
        parts["G/loss_rec"] = (x_real - x_rec).abs().mean()
        loss = loss + lambda_rec * parts["G/loss_rec"]
    return loss, parts


def pair_loss(x_fake: Tensor, x_real: Tensor, x_trg: Tensor) -> Tensor:
    """How far G's picture is from the known answer `x_trg`, the same person with the target emotion.

    mean(w·|e|) of the error e = x_fake − x_trg without its mean colour, plus |mean colour|, plus half of mean(w·|∇e|),
    ∇ the differences of neighbouring pixels, which keeps edges sharp. The weights w = 1 + 40·mean|x_trg − x_real| over
    the colours are higher where the expression changes. The mean colour is apart because an L1 norm feels only the sign
    of an error: while the whole picture is too dark, it would not feel a mouth that is at the wrong place.
    """
    error = x_fake - x_trg
    tint = error.mean((2, 3), keepdim=True)
    error = error - tint
    weight = 1 + CHANGE_WEIGHT * (x_trg - x_real).abs().mean(1, keepdim=True)
    down = weight[:, :, 1:] * error.diff(dim=2).abs()
    across = weight[..., 1:] * error.diff(dim=3).abs()
    return (weight * error.abs()).mean() + tint.abs().mean() + EDGE_WEIGHT * (down.mean() + across.mean())


def feature_loss(D: Discriminator, x_fake: Tensor, x_trg: Tensor) -> Tensor:
    """How far G's picture is from the known answer `x_trg` in the features of D's layers (pix2pixHD, arXiv 1711.11585).

    The sum over the layers of |f(x_fake) − f(x_trg)| relative to the mean of |f(x_fake)| and |f(x_trg)|, so at most 2
    for each layer. `x_fake` gets the answer's mean colour first: brightness would outweigh all else.
    """
    fake, known = x_fake - (x_fake - x_trg).mean((2, 3), keepdim=True), x_trg
    total = torch.zeros((), device=x_fake.device)
    for layer in D.layers():
        fake = layer(fake)
        with torch.no_grad():
            known = layer(known)
            scale = (_wide(fake).abs().mean() + _wide(known).abs().mean()) / 2
        total = total + (_wide(fake) - _wide(known)).abs().mean() / scale
    return total


def _wide(x: Tensor) -> Tensor:
    """In float32, or in double precision where it is that already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
