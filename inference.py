"""How an evaluation network (the emotion judge, Inception) is fed: images checked, in small batches, fast layout.

Measured on 2 CPU cores: batches of 4 in channels-last beat both single images and large batches, whose activations
do not fit the cache; batch norms folded into their convolutions and bfloat16 halve the time again.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from errors import UserError

TOLERANCE = 1e-3  # how far a [0, 1] image may leave its range: rounding, no more


def check_unit_images(images: Tensor) -> None:
    """Raise `UserError` unless `images` is [B, 3, H, W] with values in [0, 1]."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise UserError(f"images must be a [B, 3, H, W] tensor, not {list(images.shape)}")
    if not images.is_floating_point():
        raise UserError(f"images must be floating point in [0, 1], not {images.dtype}: divide them by 255")
    if not images.numel():
        return
    low, high = (value.item() for value in images.aminmax())
    # Written so that NaN fails too.
    if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
        raise UserError(
            f"images must lie in [0, 1] but reach from {low:.3g} to {high:.3g}: "
            "bring StarGAN's [-1, 1] back with value_range.to_unit"
        )


def batch_size(device: torch.device) -> int:
    """Images a forward pass: what a CPU's cache holds, or what fills a GPU."""
    return 4 if device.type == "cpu" else 128


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold every batch norm that stands right after a convolution into it, in place; outputs move by rounding only.

    For networks whose modules run in the order they are listed in, as Inception's and timm's EfficientNets' do.
    """
    for module in network.eval().modules():
        before: tuple[str, nn.Module] | None = None
        for name, child in list(module.named_children()):
            if before and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
                setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
                # timm's batch norms bring the activation along.
                setattr(module, name, getattr(child, "act", nn.Identity()))
            if not isinstance(child, nn.Identity):
                before = name, child
    return network


def prepare(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """`network` for use only: eval mode, no gradients, on `device`, channels-last, weights in `dtype`."""
    network = network.eval().requires_grad_(False).to(device, dtype)
    return network.to(memory_format=torch.channels_last)
