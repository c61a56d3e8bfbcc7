"""The generator under OpenVINO. An optional extra.

The network is built from OpenVINO's own operations, layer by layer, which takes half a second; its converter would
take longer, and reports its use to its maker.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor, nn

from common.device import half_precision
from common.errors import UserError
from model import Generator, ResidualBlock
from translation.cpu_generator import for_cpu
from translation.winograd import COLUMNS, ROWS, FromPhases, ToPhases, WinogradConv, convolve


def is_installed() -> bool:
    """Whether the `openvino` package is there."""
    return importlib.util.find_spec("openvino") is not None


class OpenVinoGenerator:
    """Called as a `Generator` is: images [B, 3, S, S] in [-1, 1] and labels [B, c_dim] -> images. CPU only.

    `image_size` is S. `amp` as in `device.autocast`. Raises `UserError` where OpenVINO is not installed.
    """

    def __init__(self, G: Generator, image_size: int, amp: str = "auto") -> None:
        if not is_installed():
            raise UserError("--backend openvino needs OpenVINO: pip install -r requirements-fast.txt")
        openvino = _openvino()
        bf16 = half_precision(torch.device("cpu"), amp)
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._compiled = openvino.Core().compile_model(_graph(for_cpu(G, image_size), image_size), "CPU", settings)

    def __call__(self, x: Tensor, c: Tensor) -> Tensor:
        """As `Generator.forward`, in float32 from end to end."""
        labels = c.float()[:, :, None, None].expand(-1, -1, *x.shape[2:])
        (translated,) = self._compiled(torch.cat([x.float(), labels], dim=1).numpy()).values()
        return torch.from_numpy(translated)


def _openvino() -> ModuleType:
    """The package without the part of it that reports its use to its maker: it goes on without."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # what makes an import fail
    import openvino

    return openvino


def _graph(G: Generator, image_size: int):
    """`G` as an OpenVINO model of any batch size, on the concatenation of image and label."""
    openvino = _openvino()
    ops = openvino.opset13
    channels = G.main[0].in_channels
    x = ops.parameter([-1, channels, image_size, image_size], openvino.Type.f32)
    return openvino.Model([ops.result(_sequence(G.main, x))], [x])


def _sequence(layers: nn.Sequential, x):
    for layer in layers:
        x = _layer(layer, x)
    return x


def _layer(layer: nn.Module, x):
    """`layer` of the generator applied to the OpenVINO node `x`."""
    ops = _openvino().opset13
    if isinstance(layer, ResidualBlock):
        return ops.add(x, _sequence(layer.main, x))
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        operation = ops.convolution if isinstance(layer, nn.Conv2d) else ops.convolution_backprop_data
        return _convolution(operation, x, layer.weight, layer.stride, layer.padding)
    if isinstance(layer, (ToPhases, FromPhases, WinogradConv)):
        return _with_phases(layer, x)
    if isinstance(layer, nn.PixelShuffle):
        return ops.depth_to_space(x, "depth_first", layer.upscale_factor)
    if isinstance(layer, nn.InstanceNorm2d):
        scale, shift = (w.detach().float().reshape(1, -1, 1, 1).numpy() for w in (layer.weight, layer.bias))
        normalised = ops.mvn(x, [2, 3], normalize_variance=True, eps=layer.eps, eps_mode="inside_sqrt")
        return ops.add(ops.multiply(normalised, scale), shift)
    if isinstance(layer, nn.LeakyReLU):
        return ops.prelu(x, ops.constant([layer.negative_slope], dtype="float32"))
    if isinstance(layer, nn.ReLU):
        return ops.relu(x)
    if isinstance(layer, nn.Tanh):
        return ops.tanh(x)
    raise TypeError(f"no OpenVINO operation for {type(layer).__name__}")


def _with_phases(layer: ToPhases | FromPhases | WinogradConv, x):
    """What these layers of `translation/winograd.py` do, in OpenVINO's operations."""
    ops = _openvino().opset13
    if isinstance(layer, ToPhases):
        starts = [[i, j] for i in (0, 1) for j in (0, 1)]
        end = [2**31 - 1] * 2
        return ops.concat([ops.slice(x, start, end, [2, 2], [ROWS, COLUMNS]) for start in starts], ROWS)
    height = x.output(0).get_partial_shape()[ROWS].get_length() // 4
    phases = [ops.slice(x, [i * height], [(i + 1) * height], [1], [ROWS]) for i in range(4)]
    if isinstance(layer, FromPhases):
        return ops.depth_to_space(ops.concat(phases, 1), "blocks_first", 2)

    def product(x, kernel: Tensor):
        return _convolution(ops.convolution, x, kernel, [1, 1], [0, 0])

    return ops.concat(convolve(phases, layer.weight, product, _shift), ROWS)


def _convolution(operation, x, weight: Tensor, stride: Sequence[int], padding: Sequence[int] | str):
    kernel = _openvino().opset13.constant(weight.detach().float().contiguous().numpy())
    pads = list(padding)
    return operation(x, kernel, strides=list(stride), pads_begin=pads, pads_end=pads, dilations=[1, 1])


def _shift(x, axis: int, by: int):
    """`x` moved by one pixel, zeros moving in."""
    ops = _openvino().opset13
    before, after = [0] * 4, [0] * 4
    before[axis], after[axis] = by, -by
    return ops.pad(x, before, after, "constant", 0.0)
