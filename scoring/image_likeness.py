"""How alike two images are, pixel by pixel: PSNR and SSIM."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW, SIGMA = 11, 1.5  # pixels: the Gaussian window of the paper
STABLE = 0.01**2, 0.03**2  # the paper's C1 and C2, for values in [0, 1]


def peak_signal_noise_ratio(a: Tensor, b: Tensor) -> float:
    """In decibels, of images [B, 3, H, W] in [0, 1]; the mean over the images."""
    return float(-10 * (a - b).square().mean((1, 2, 3)).log10().mean())


def structural_similarity(a: Tensor, b: Tensor) -> float:
    """SSIM (Wang et al., 2004) of images [B, 3, H, W] in [0, 1], edges mirrored; the mean over all pixels."""
    places = torch.arange(WINDOW, device=a.device, dtype=a.dtype) - WINDOW // 2
    gaussian = torch.softmax(-(places**2) / (2 * SIGMA**2), 0)
    window = torch.outer(gaussian, gaussian)[None, None]

    def mean(x: Tensor) -> Tensor:
        padded = F.pad(x, [WINDOW // 2] * 4, mode="reflect")
        return F.conv2d(padded.flatten(0, 1)[:, None], window)

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = STABLE
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((likeness / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))).mean())
