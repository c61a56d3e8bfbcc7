"""The two networks of StarGAN (arXiv 1711.09020, tables 4 and 5), with StarGAN-TA's LeakyReLU in the generator.

Images are [-1, 1], NCHW. InstanceNorm always uses the statistics of the image itself, in training and in use:
it does not track, so `train()` and `eval()` are the same function.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint_sequential

SEGMENTS = 6  # that gradient checkpointing cuts the generator's 23 layers into: near their square root
SLOPE = 0.01  # of every LeakyReLU


def _conv(dim_in: int, dim_out: int, kernel: int, stride: int, padding: int) -> nn.Conv2d:
    return nn.Conv2d(dim_in, dim_out, kernel, stride, padding, bias=False)


def _norm(dim: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(dim, affine=True, track_running_stats=False)


class ResidualBlock(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), keeping the number of channels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _conv(dim, dim, 3, 1, 1),
            _norm(dim),
            nn.ReLU(inplace=True),
            _conv(dim, dim, 3, 1, 1),
            _norm(dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, dim, H, W] -> [B, dim, H, W]."""
        return x + self.main(x)


class Generator(nn.Module):
    """Translates an image to the domain its one-hot label names."""

    def __init__(self, conv_dim: int = 128, c_dim: int = 5, repeat_num: int = 6) -> None:
        super().__init__()
        self.gradient_checkpointing = False  # forget activations, and compute them again where gradients need them
        d = conv_dim

        def block(conv: nn.Module, dim: int) -> list[nn.Module]:
            return [conv, _norm(dim), nn.LeakyReLU(SLOPE, inplace=True)]

        def up(dim_in: int, dim_out: int) -> nn.Module:
            return nn.ConvTranspose2d(dim_in, dim_out, 4, 2, 1, bias=False)

        self.main = nn.Sequential(
            *block(_conv(3 + c_dim, d, 7, 1, 3), d),
            *block(_conv(d, 2 * d, 4, 2, 1), 2 * d),
            *block(_conv(2 * d, 4 * d, 4, 2, 1), 4 * d),
            *(ResidualBlock(4 * d) for _ in range(repeat_num)),
            *block(up(4 * d, 2 * d), 2 * d),
            *block(up(2 * d, d), d),
            _conv(d, 3, 7, 1, 3),
            nn.Tanh(),
        )

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """Images `x` [B, 3, H, W] and one-hot labels `c` [B, c_dim] -> images [B, 3, H, W] in [-1, 1]."""
        c = c.to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        x = torch.cat([x, c], dim=1)
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint_sequential(self.main, SEGMENTS, x, use_reentrant=False)
        return self.main(x)


class Discriminator(nn.Module):
    """PatchGAN critic with a second head that names the domain."""

    def __init__(self, image_size: int = 256, conv_dim: int = 128, c_dim: int = 5, repeat_num: int = 6) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        dim_in = 3
        for i in range(repeat_num):
            dim_out = conv_dim * 2**i
            layers += [nn.Conv2d(dim_in, dim_out, 4, 2, 1), nn.LeakyReLU(SLOPE)]
            dim_in = dim_out
        self.main = nn.Sequential(*layers)
        self.conv1 = _conv(dim_in, 1, 3, 1, 1)
        self.conv2 = _conv(dim_in, c_dim, image_size // 2**repeat_num, 1, 0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, 3, S, S] -> realness of patches [B, 1, S/2^r, S/2^r], domain logits [B, c_dim]."""
        h = self.main(x)
        return self.conv1(h), self.conv2(h).flatten(1)
