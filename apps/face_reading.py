"""What can be read off a face, in numbers.

MediaPipe's blendshapes, what the judge of real faces thinks it sees, and spans: distances between two landmarks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from face_detection import FaceFinder
    from imaging.face_geometry import Image
    from scoring.real_face_judge import RealFaceJudge

# What the judge sees, in the order of its outputs: natural logarithms of probabilities, none below FLOOR.
LOOKS = ("looksNeutral", "looksHappy", "looksSad", "looksAngry", "looksFearful", "looksDisgusted", "looksSurprised")
FLOOR = -8.0

# Pairs of MediaPipe's 478 landmarks. How far they lie apart tells, against the same face at rest, more of a movement
# than blendshapes do: measured in `benchmarks/results/feedback.md`.
SPANS = {
    "spanMouth": (61, 291),
    "spanLipsApart": (13, 14),
    "spanLips": (0, 17),
    "spanUpperLip": (0, 13),
    "spanLowerLip": (14, 17),
    "spanNoseLip": (2, 0),
    "spanLipChin": (17, 152),
    "spanNoseChin": (2, 152),
    "spanBrows": (55, 285),
}
_OF_EITHER_SIDE = {  # of the person's right and left
    "spanCornerEye": ((61, 33), (291, 263)),
    "spanCornerNose": ((61, 2), (291, 2)),
    "spanCornerChin": ((61, 152), (291, 152)),
    "spanUpperSide": ((39, 61), (269, 291)),
    "spanLowerSide": ((181, 61), (405, 291)),
    "spanCheek": ((50, 145), (280, 374)),
    "spanEyeOpen": ((159, 145), (386, 374)),
    "spanBrowInner": ((55, 133), (285, 362)),
    "spanBrowMiddle": ((52, 159), (282, 386)),
    "spanBrowOuter": ((46, 33), (276, 263)),
    "spanBrowBridge": ((55, 168), (285, 168)),
}
for _name, (_right, _left) in _OF_EITHER_SIDE.items():
    SPANS |= {f"{_name}Right": _right, f"{_name}Left": _left}
FACE_SPAN = (33, 263)  # the outer corners of the eyes, which no expression moves: spans are measured by it
SPAN_FLOOR = 0.1  # of it, added to each span before the logarithm is taken: closed lips tremble

BROWSER_FILE = Path(__file__).resolve().parent.parent / "pretrained" / "real-face-judge.tflite"


@functools.cache
def judge() -> RealFaceJudge:
    """The judge of real faces, loaded once."""
    from scoring.real_face_judge import RealFaceJudge

    return RealFaceJudge()


def spans(points: Sequence[Sequence[float]], depths: Sequence[float]) -> dict[str, float]:
    """The logarithms of `SPANS` of 478 landmarks, [478, 2] and [478] in the same unit, as shares of `FACE_SPAN`."""

    def between(first: int, second: int) -> float:
        return math.hypot(
            points[first][0] - points[second][0],
            points[first][1] - points[second][1],
            depths[first] - depths[second],
        )

    whole = between(*FACE_SPAN)
    return {name: math.log(between(*pair) / whole + SPAN_FLOOR) for name, pair in SPANS.items()}


def looks(log_probabilities: Sequence[float]) -> dict[str, float]:
    """The judge's log-probabilities, in its order, by `LOOKS`."""
    return {name: max(float(value), FLOOR) for name, value in zip(LOOKS, log_probabilities, strict=True)}


def read_face(picture: Image, finder: FaceFinder) -> dict[str, float] | None:
    """The reading of the face in `picture`, a crop of one face (1.5 to 3 times its box); None where none is found."""
    mesh = finder.mesh(picture)
    if mesh is None:
        return None
    seen = looks(judge().log_probabilities([picture], [mesh.points])[0].tolist())
    return {**mesh.blendshapes, **seen, **spans(mesh.points.tolist(), mesh.depths.tolist())}
