"""Is the mouth to be seen, or is a mask, a hand or a microphone in front of it?

Where a landmarker sees no mouth it makes one up. Closed lips have a dark line between them, at the place where the mesh
says.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Points
from imaging.mesh_warp import LOWER_LIP, UPPER_LIP, gap

OUTER_UPPER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]  # from corner to corner, as the inner edges
OUTER_LOWER = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
MIDDLE = slice(1, -1)  # of these; the corners are dark on everything
GRAIN = 0.004  # in lengths of the face
AROUND = np.linspace(-0.014, 0.014, 9)  # where the line may lie, in lengths of the face
BLACK = 10.0  # grey levels added before a share is taken
# By what share of their brightness the line is darker than the lips. Of 160 calm photo-like training people it was
# less on one, and on all of 119 with a mask, a hand or a microphone painted over the mouth.
DARKER = 0.15
# Lips that smile and are parted, in lengths of the face, or an open jaw: teeth or a tongue are to be seen.
SMILES, PARTED, OPEN = 0.3, 0.03, 0.12


def is_covered(picture: Image, points: Points, blendshapes: Mapping[str, float]) -> bool:
    """Whether something is in front of the mouth of the face with the mesh `points` in a picture's pixels."""
    smiles = (blendshapes["mouthSmileLeft"] + blendshapes["mouthSmileRight"]) / 2
    if (smiles > SMILES and gap(points) > PARTED) or blendshapes["jawOpen"] > OPEN:
        return False
    down = points[CHIN] - points[FOREHEAD_TOP]
    length = max(float(np.linalg.norm(down)), 1.0)
    grey = cv2.GaussianBlur(
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), max(0.4, GRAIN * length)
    )
    inner, outer = (
        [np.asarray(points[line][MIDDLE], np.float32) for line in lines]
        for lines in ((UPPER_LIP, LOWER_LIP), (OUTER_UPPER, OUTER_LOWER))
    )
    middle = np.add(*inner) / 2
    lips = np.mean([_at(grey, np.add(*lip) / 2) for lip in zip(inner, outer, strict=True)], axis=0)
    line = np.min([_at(grey, middle + share * down) for share in AROUND], axis=0)
    return bool(np.median((lips - line) / (lips + BLACK)) < DARKER)


def _at(grey: NDArray, points: NDArray) -> NDArray:
    x, y = points.astype(np.float32).T
    return cv2.remap(grey, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
