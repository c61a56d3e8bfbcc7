"""The judges that a score or an evaluation asks: a judge file, or the judge of real faces that comes along."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from common import pretrained_files
from imaging.face_geometry import Square
from scoring import real_face_judge
from scoring.emotion_recognizer import EmotionRecognizer
from scoring.real_face_judge import RealFaceJudge

DOUBTFUL = 1.5  # times as often right as chance is too little for a judge


class FaceJudge(Protocol):
    """Names the emotion of faces. `sees_squares`: of an image it sees only the square it is given."""

    name: str
    fingerprint: str  # of the weights
    dtype: torch.dtype  # what it computes in
    sees_squares: bool
    doubt: str  # why it is not to be believed; "" where nothing is known against it

    def require(self, names: Sequence[str]) -> None:
        """Raise `UserError` for an emotion that it doesn't know."""
        ...

    def judge(self, images: Tensor, squares: Sequence[Square], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Features [B, d], and how probable each of `names` is if it is one of them [B, len(names)].

        Images are [B, 3, S, S] RGB in [0, 1], `squares` where each one's face lies in its pixels.
        """
        ...


class JudgeFile:
    """A judge made by `emotion_recognition.py train`, or the published one: it sees whole images."""

    sees_squares = False

    def __init__(self, file: Path | None, device: torch.device | str, dtype: torch.dtype) -> None:
        self._recognizer = EmotionRecognizer.load(file, device, dtype)
        self.name = file.name if file else "enet_b2_7.pt"
        self.fingerprint = self._recognizer.fingerprint
        self.dtype = self._recognizer.dtype
        judge = self._recognizer.judge
        chance = 1 / len(judge.classes)
        self.doubt = ""
        if judge.accuracy is not None and judge.accuracy < DOUBTFUL * chance:
            self.doubt = (
                f"warning: {self.name} was right in {judge.accuracy:.0%} of its validation faces, where chance is "
                f"{chance:.0%}: scores by it mean little"
            )

    def require(self, names: Sequence[str]) -> None:
        """As `FaceJudge.require`."""
        self._recognizer.outputs_of(names)

    def judge(self, images: Tensor, squares: Sequence[Square], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `FaceJudge.judge`."""
        features, probabilities = self._recognizer.features_and_probabilities(images, names)
        return features.cpu().numpy(), probabilities.cpu().numpy()


class JudgeOfRealFaces:
    """`RealFaceJudge`, what it says of fear corrected: it sees a square around the mesh of the face."""

    sees_squares = True
    doubt = ""
    name = real_face_judge.NAME
    dtype = torch.float32

    def __init__(self, device: torch.device | str) -> None:
        self._judge = RealFaceJudge(device)
        self.fingerprint = real_face_judge.fingerprint()

    def require(self, names: Sequence[str]) -> None:
        """As `FaceJudge.require`."""
        real_face_judge.outputs_of(names)

    def judge(self, images: Tensor, squares: Sequence[Square], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `FaceJudge.judge`."""
        pixels = images.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        cuts = [square.cut(image, real_face_judge.SIDE) for square, image in zip(squares, pixels, strict=True)]
        crops = np.stack(cuts) if cuts else np.empty((0, real_face_judge.SIDE, real_face_judge.SIDE, 3), np.uint8)
        features, found = self._judge.features_and_log_probabilities(crops)
        return features, np.exp(real_face_judge.among(real_face_judge.fear_corrected(found), names))


def choose_judge(
    emotion_model: Path | None,
    device: torch.device | str,
    dtype: torch.dtype = torch.float32,
    remembered: str | None = None,
) -> FaceJudge:
    """The judge that `--emotion_model` names, else the one `remembered` by its name.

    Else the published one where it lies on this machine, and that of real faces where it doesn't.
    """
    if emotion_model:
        return JudgeFile(emotion_model, device, dtype)
    if remembered == JudgeOfRealFaces.name:
        return JudgeOfRealFaces(device)
    if remembered or pretrained_files.at_hand("enet_b2_7"):
        return JudgeFile(None, device, dtype)
    return JudgeOfRealFaces(device)
