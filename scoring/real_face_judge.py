"""The judge of real faces: a small network that comes with the project and names the emotion a face shows.

`face_expression_model` of the npm package `@vladmandic/face-api` (MIT), converted by
`checkpointing.convert_real_face_judge`. How often it is right, and what is not known of it: MODEL_CARD.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from common import emotions
from common.errors import UserError
from common.pretrained_files import sha256
from imaging.face_geometry import Image, Points, Square

FILE = Path(__file__).resolve().parent.parent / "pretrained" / "real-face-judge.onnx"
NAME = "the judge of real faces"  # as reports call it

CLASSES = ("neutral", "happy", "sadness", "angry", "fearful", "disgusted", "surprised")  # in the network's order
SIDE = 112  # pixels: the network's input
SMALL = 96  # pixels: the side of `judged_square` below which the judge sees badly
MEAN = (122.782, 117.001, 104.298)  # RGB, subtracted from values in [0, 255] before they are divided by 255
CHANNELS = (3, 32, 64, 128, 256)  # of the input and the four blocks
# The corrected log-probability of fear, from those of CLASSES: a regression on rendered training people, 2026-11-28.
FEAR_WEIGHTS = (-0.01, 0.26, -0.09, 0.03, 0.88, -0.12, 0.04)
FEAR_BIAS = 3.39
FACES_AT_ONCE = 4, 128  # on a CPU, whose cache it should fit into, and on a GPU


def judged_square(points: Points) -> Square:
    """The upright square that the judge sees of a face: around all of its mesh `points` [478, 2]."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Square((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top, 1.0))


class RealFaceJudge:
    """The network on a device. Faces are uint8 RGB photos [H, W, 3] with mesh points [478, 2] in their pixels.

    Every face is judged twice, as it is and mirrored; the result is the mean of both logits.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._network = load_network().to(self.device)
        self._at_once = FACES_AT_ONCE[self.device.type != "cpu"]

    def log_probabilities(
        self, photos: Sequence[Image], points: Sequence[Points], names: Sequence[str] = CLASSES
    ) -> NDArray[np.float32]:
        """How probable each of `names` is if it is one of them, as natural logarithms: [faces, len(names)].

        Names mean what folders' names mean (`sad` is `sadness`); raises `UserError` for one the judge doesn't know.
        """
        crops = [judged_square(mesh).cut(photo, SIDE) for photo, mesh in zip(photos, points, strict=True)]
        return self.of_crops(np.stack(crops) if crops else np.empty((0, SIDE, SIDE, 3), np.uint8), names)

    def probabilities(
        self, photos: Sequence[Image], points: Sequence[Points], names: Sequence[str] = CLASSES
    ) -> NDArray[np.float32]:
        """As `log_probabilities`, but in [0, 1]; rows sum to 1."""
        return np.exp(self.log_probabilities(photos, points, names))

    def of_crops(self, crops: NDArray[np.uint8], names: Sequence[str] = CLASSES) -> NDArray[np.float32]:
        """`log_probabilities` of faces already cut to `judged_square`: uint8 RGB [faces, 112, 112, 3]."""
        return among(self.features_and_log_probabilities(crops)[1], names)

    @torch.inference_mode()
    def features_and_log_probabilities(
        self, crops: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of the same crops, from one pass: the input of the last layer [faces, 256], and `CLASSES` [faces, 7]."""
        found = []
        for batch in torch.from_numpy(crops).split(self._at_once):
            images = batch.to(self.device).movedim(-1, 1).float()
            found.append((self._network.features(images) + self._network.features(images.flip(-1))) / 2)
        features = torch.cat(found)
        return features.cpu().numpy(), self._network.head(features).log_softmax(dim=1).cpu().numpy()


def among(log_probabilities: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float32]:
    """How probable each of `names` is if it is one of them, from what is known of all `CLASSES`."""
    chosen = log_probabilities[:, outputs_of(names)]
    return chosen - np.logaddexp.reduce(chosen, axis=1, keepdims=True)


def fear_corrected(log_probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the judge says of `CLASSES` [faces, 7], but fear, which it hardly sees, estimated from all of them.

    Rows no longer sum to 1.
    """
    corrected = log_probabilities.copy()
    corrected[:, CLASSES.index("fearful")] = log_probabilities @ np.array(FEAR_WEIGHTS, np.float32) + FEAR_BIAS
    return corrected


def fingerprint() -> str:
    """Names the weights and the correction in caches."""
    return f"{sha256(FILE)} {FEAR_WEIGHTS} {FEAR_BIAS}"


def outputs_of(names: Sequence[str]) -> list[int]:
    """The network's output for each name; raises `UserError` for a name it doesn't know."""
    meanings = [emotions.canonical(name) or emotions.fold(name) for name in names]
    strangers = [name for name, meaning in zip(names, meanings, strict=True) if meaning not in CLASSES]
    if strangers:
        raise UserError(
            f"{NAME} does not know {', '.join(strangers)} (it knows {', '.join(CLASSES)}): "
            "train one on your own folders with `python emotion_recognition.py train`"
        )
    return [CLASSES.index(meaning) for meaning in meanings]


# --- The network -----------------------------------------------------------------------------------------------


def load_network(file: Path = FILE) -> ExpressionNetwork:
    """The network with its weights, in float32 and for use only."""
    import onnx
    from onnx import numpy_helper

    if not file.is_file():
        raise UserError(
            f"there is no {file}, which comes with the project: check it out again, or make it anew with "
            "`python -m checkpointing.convert_real_face_judge`"
        )
    constants = onnx.load(str(file)).graph.initializer
    weights = {c.name.replace("/", "."): torch.tensor(numpy_helper.to_array(c)).float() for c in constants}
    network = ExpressionNetwork()
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    return network.eval().requires_grad_(False)


class ExpressionNetwork(nn.Module):
    """RGB images [B, 3, 112, 112] in [0, 255] -> logits [B, 7]. Parameters have the names of the package's files."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.dense0, self.dense1, self.dense2, self.dense3 = (
            DenseBlock(before, after) for before, after in itertools.pairwise(CHANNELS)
        )
        self.fc = _parameters(weights=(CHANNELS[-1], len(CLASSES)), bias=(len(CLASSES),))

    def forward(self, images: Tensor) -> Tensor:
        """Differentiable."""
        return self.head(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """The input of the last layer, [B, 256]."""
        x = (images - self.mean) / 255
        for block in (self.dense0, self.dense1, self.dense2, self.dense3):
            x = block(x)
        return x.mean(dim=(2, 3))

    def head(self, features: Tensor) -> Tensor:
        """The last layer: features -> logits [B, 7]."""
        return features @ self.fc["weights"] + self.fc["bias"]


class DenseBlock(nn.Module):
    """Four 3×3 convolutions, the first of stride 2; each of the others sees the sum of all before it.

    They are depthwise-separable, but for the first one of an image.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv0 = (
            _parameters(filters=(after, before, 3, 3), bias=(after,)) if before == 3 else _separable(before, after)
        )
        self.conv1, self.conv2, self.conv3 = (_separable(after, after) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """[B, before, S, S] -> [B, after, S/2, S/2]."""
        total = F.relu(_convolve(F.pad(x, (0, 1, 0, 1)), self.conv0, stride=2, padding=0))  # as TensorFlow's SAME pads
        x = total
        for layer in (self.conv1, self.conv2, self.conv3):
            total = total + _convolve(x, layer, stride=1, padding=1)
            x = F.relu(total)
        return x


def _convolve(x: Tensor, layer: nn.ParameterDict, stride: int, padding: int) -> Tensor:
    if "filters" in layer:
        return F.conv2d(x, layer["filters"], layer["bias"], stride, padding)
    x = F.conv2d(x, layer["depthwise_filter"], None, stride, padding, groups=x.shape[1])
    return F.conv2d(x, layer["pointwise_filter"], layer["bias"])


def _separable(before: int, after: int) -> nn.ParameterDict:
    return _parameters(depthwise_filter=(before, 1, 3, 3), pointwise_filter=(after, before, 1, 1), bias=(after,))


def _parameters(**shapes: tuple[int, ...]) -> nn.ParameterDict:
    return nn.ParameterDict({name: nn.Parameter(torch.zeros(shape)) for name, shape in shapes.items()})
