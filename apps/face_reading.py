"""What can be read off a face, in numbers: MediaPipe's blendshapes, and what the judge of real faces thinks it sees."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from face_detection import FaceFinder
    from imaging.face_geometry import Image
    from scoring.real_face_judge import RealFaceJudge

# What the judge sees, in the order of its outputs: natural logarithms of probabilities, none below FLOOR.
LOOKS = ("looksNeutral", "looksHappy", "looksSad", "looksAngry", "looksFearful", "looksDisgusted", "looksSurprised")
FLOOR = -8.0

BROWSER_FILE = Path(__file__).resolve().parent.parent / "pretrained" / "real-face-judge.tflite"


@functools.cache
def judge() -> RealFaceJudge:
    """The judge of real faces, loaded once."""
    from scoring.real_face_judge import RealFaceJudge

    return RealFaceJudge()


def reading_of(blendshapes: Mapping[str, float], log_probabilities: Sequence[float]) -> dict[str, float]:
    """One mapping of both; log-probabilities in the judge's order."""
    looks = {name: max(float(value), FLOOR) for name, value in zip(LOOKS, log_probabilities, strict=True)}
    return {**blendshapes, **looks}


def read_face(picture: Image, finder: FaceFinder) -> dict[str, float] | None:
    """The reading of the face in `picture`, a crop of one face (1.5 to 3 times its box); None where none is found."""
    mesh = finder.mesh(picture)
    if mesh is None:
        return None
    return reading_of(mesh.blendshapes, judge().log_probabilities([picture], [mesh.points])[0].tolist())
