"""How an evaluation network (the emotion judge, Inception) is fed: images checked, in small batches, fast layout.

Measured on 2 CPU cores: batches of 4 in channels-last beat both single images and large batches, whose activations
do not fit the cache; bfloat16 and what `torch.jit.freeze` does on a CPU (batch norms folded into their
convolutions, fused with activations by oneDNN) halve the time again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from common.errors import UserError

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
            "bring StarGAN's [-1, 1] back with imaging.value_range.to_unit"
        )


class FeaturesAndLogits(nn.Module):
    """A timm classifier that also returns the input of its last layer: x -> [B, d] and [B, classes], both float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network  # with timm's methods

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """One pass for both."""
        features = self.network.forward_head(self.network.forward_features(x), pre_logits=True)
        return features.float(), self.network.get_classifier()(features).float()


class FrozenNetwork:
    """A network for use only: no gradients, channels-last, in `dtype` on `device`; its outputs are tensors.

    `images_at_once` is by default what a CPU's cache holds, or what fills a GPU. On a CPU batches are padded to this
    size, as kernels fused for other sizes round differently.
    """

    def __init__(
        self,
        network: nn.Module,
        side: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        images_at_once: int | None = None,
    ) -> None:
        on_cpu = device.type == "cpu"
        self.device, self.dtype = device, dtype
        self.images_at_once = images_at_once or (4 if on_cpu else 128)
        self._fills_up = on_cpu
        network = network.eval().requires_grad_(False).to(device, dtype).to(memory_format=torch.channels_last)
        self._network = self._fused(network, side) if on_cpu else network

    @torch.inference_mode()
    def __call__(self, images: Tensor, to_input: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """The outputs for images [B, 3, H, W], which `to_input` makes, on the device, what the network wants."""
        results = []
        for batch in images.split(self.images_at_once):
            missing = self.images_at_once - len(batch) if self._fills_up else 0
            x = to_input(batch.to(self.device, torch.float32))
            x = torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
            outputs = self._network(x.to(self.dtype, memory_format=torch.channels_last))
            results.append([output[: len(batch)] for output in outputs])
        return [torch.cat(parts) for parts in zip(*results, strict=True)]

    def _fused(self, network: nn.Module, side: int) -> nn.Module:
        """Convolution, batch norm and activation in one kernel: TorchScript needs no C++ compiler for it.

        As it was where oneDNN can't fuse it, as it can't MobileNetV3 in bfloat16.
        """
        example = torch.zeros(self.images_at_once, 3, side, side, dtype=self.dtype)
        example = example.to(memory_format=torch.channels_last)
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore", FutureWarning)  # deprecated, with no successor that does this
            torch.jit.enable_onednn_fusion(True)
            # Not strict: pytorch-fid's network returns a list.
            fused = torch.jit.freeze(torch.jit.trace(network, example, check_trace=False, strict=False))
        try:
            with torch.inference_mode():
                for _ in range(2):  # it fuses from the second run on, and rounds differently then
                    fused(example)
        except RuntimeError:
            return network
        return fused
