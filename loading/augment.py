"""Random flips and light for a batch of faces, computed on the device that trains.

The distribution is that of torchvision's `RandomHorizontalFlip` and `ColorJitter(brightness=(0.8, 1.4), contrast=0.2)`;
without the jitter, bright photos came out dark. The numbers are drawn where an image is loaded, one set a sample, and
applied here to all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

BRIGHTNESS = (0.8, 1.4)
CONTRAST = (0.8, 1.2)


class Draws(NamedTuple):
    """What chance decided for each of B samples, all [B]."""

    flip: Tensor  # bool
    brightness: Tensor  # float32 factors
    contrast: Tensor
    brightness_first: Tensor  # bool: the two do not commute

    def to(self, device: torch.device) -> Draws:
        """The same on `device`."""
        return Draws(*(numbers.to(device, non_blocking=True) for numbers in self))


def draw(seeds: Iterable[int]) -> Draws:
    """The random numbers of the samples with these seeds."""
    flip, brightness, contrast, first = zip(*(np.random.default_rng(seed).random(4) for seed in seeds), strict=True)
    return Draws(
        torch.tensor(flip) < 0.5,
        _spread(brightness, *BRIGHTNESS),
        _spread(contrast, *CONTRAST),
        torch.tensor(first) < 0.5,
    )


def _spread(unit: tuple[float, ...], low: float, high: float) -> Tensor:
    return torch.tensor(unit, dtype=torch.float32) * (high - low) + low


def augment(pixels: Tensor, draws: Draws) -> Tensor:
    """uint8 RGB [B, H, W, 3] -> float32 [B, 3, H, W] in [-1, 1] (channels last in memory), flipped and relit."""
    pixels = torch.where(_per_image(draws.flip), pixels.flip(2), pixels)
    x = pixels.permute(0, 3, 1, 2).float()
    first = torch.where(draws.brightness_first, draws.brightness, draws.contrast)
    second = torch.where(draws.brightness_first, draws.contrast, draws.brightness)
    _scale_light(x, first, around_mean=~draws.brightness_first)
    _scale_light(x, second, around_mean=draws.brightness_first)
    return x.div_(127.5).sub_(1)


def _scale_light(x: Tensor, factor: Tensor, around_mean: Tensor) -> None:
    """Scale each image's values (0 to 255) in place: around its mean luminance, which is contrast, or 0: brightness."""
    red, green, blue = x.mean((2, 3)).unbind(1)
    luminance = 0.2989 * red + 0.587 * green + 0.114 * blue  # torchvision's weights
    centre = luminance * around_mean
    x.mul_(_per_image(factor)).add_(_per_image(centre * (1 - factor))).clamp_(0, 255)


def _per_image(numbers: Tensor) -> Tensor:
    return numbers[:, None, None, None]
