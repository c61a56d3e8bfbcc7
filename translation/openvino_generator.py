"""The generator under OpenVINO: it runs the ONNX file that `--mode export` has written beside a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from common.device import half_precision

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # reports every use to its maker
import openvino  # noqa: E402


class OpenVinoGenerator:
    """Called as a `Generator` is: images [B, 3, S, S] in [-1, 1] and labels [B, c_dim] -> images. CPU only.

    `amp` as in `device.autocast`.
    """

    def __init__(self, onnx: Path, amp: str = "auto") -> None:
        bf16 = half_precision(torch.device("cpu"), amp)
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled = openvino.Core().compile_model(openvino.Core().read_model(onnx), "CPU", settings)

    def __call__(self, x: Tensor, c: Tensor) -> Tensor:
        """As `Generator.forward`, in float32 from end to end."""
        (translated,) = self._compiled([x.float().numpy(), c.float().numpy()]).values()
        return torch.from_numpy(translated)


def is_export_of(onnx: Path, metadata: dict[str, str]) -> bool:
    """Whether a file can be read, and its metadata say all of this."""
    try:
        model = openvino.Core().read_model(onnx)
    except RuntimeError:
        return False
    places = {name: ["framework", name] for name in metadata}
    return all(
        model.has_rt_info(place) and str(model.get_rt_info(place).value) == metadata[name]
        for name, place in places.items()
    )
