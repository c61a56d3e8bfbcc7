"""Whether a child's own picture shows the emotion it was made for: the mirror's rules, applied to a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from apps import expression_rules
from apps.face_reading import read_face
from common import emotions

if TYPE_CHECKING:
    from apps.learned_feedback import Blendshapes
    from face_detection import FaceFinder


def all_meters(finder: FaceFinder, picture: np.ndarray, rest: np.ndarray | None, level: str) -> dict[str, float]:
    """How near a picture is to each of the five emotions, in [0, 1]; `rest` shows the usual face, where it is known."""
    face = _blendshapes(finder, picture)
    calm = None if rest is None else _blendshapes(finder, rest)
    return {name: expression_rules.meter(name, face, calm, level) if face else 0.0 for name in emotions.FIVE}


def meters(finder: FaceFinder, original: np.ndarray, retakes: Sequence[tuple[str, np.ndarray]]) -> list[float]:
    """How near each (emotion, picture) is to its emotion, in [0, 1], the face in `original` being the resting one.

    Pictures are uint8 RGB [H, W, 3]. One without a face counts 0.
    """
    if not retakes:
        return []
    rest = _blendshapes(finder, original)
    faces = [(emotion, _blendshapes(finder, picture)) for emotion, picture in retakes]
    return [expression_rules.meter(emotion, face, rest) if face else 0.0 for emotion, face in faces]


def _blendshapes(finder: FaceFinder, picture: np.ndarray) -> Blendshapes | None:
    from imaging.face_geometry import face_square, input_square

    boxes = finder.boxes(picture, far=False)
    return read_face(input_square(face_square(boxes[0])).cut(picture, 512), finder) if boxes else None
