"""The generator as fast as this machine runs it, called as a `Generator` is: PyTorch tuned for use, or OpenVINO."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from checkpointing.trained_generator import TrainedGenerator
from common.device import choose_device, half_precision
from model import Generator
from translation.onnx_export import export, metadata_of

# Images [B, 3, H, W] in [-1, 1] and one-hot labels [B, c_dim] -> images.
Translate = Callable[[Tensor, Tensor], Tensor]


def fast_generator(G: Generator, amp: str = "auto", onnx: Path | None = None) -> tuple[Translate, torch.device]:
    """`G` for use, and the device its input belongs on: OpenVINO on a CPU where there is G's `onnx` file."""
    if onnx:
        from translation.openvino_generator import OpenVinoGenerator

        return OpenVinoGenerator(onnx, amp), torch.device("cpu")
    device = choose_device()
    return TorchGenerator(G, device, amp), device


def onnx_for(trained: TrainedGenerator, backend: str) -> Path | None:
    """The file that OpenVINO shall run; None: PyTorch shall run the network.

    `backend` is torch, openvino or auto: OpenVINO where there is no GPU and an export of just this checkpoint lies
    beside it. With openvino it is exported where there is none.
    """
    if backend == "torch" or (backend == "auto" and choose_device().type != "cpu"):
        return None
    onnx = trained.path.with_suffix(".onnx")
    if onnx.exists():
        from translation.openvino_generator import is_export_of

        if is_export_of(onnx, metadata_of(trained)):
            return onnx
    return export(trained) if backend == "openvino" else None


class TorchGenerator:
    """PyTorch: channels-last, in bfloat16 where `amp` and the hardware say so, weights included."""

    def __init__(self, G: Generator, device: torch.device, amp: str) -> None:
        self._dtype = torch.bfloat16 if half_precision(device, amp) else torch.float32
        self._G = copy.deepcopy(G).eval().requires_grad_(False).to(device, self._dtype)
        self._G.to(memory_format=torch.channels_last)

    def __call__(self, x: Tensor, c: Tensor) -> Tensor:
        """As `Generator.forward`; the result is float32."""
        x = x.to(self._dtype).contiguous(memory_format=torch.channels_last)
        return self._G(x, c).float()
