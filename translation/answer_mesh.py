"""The meshes of a face as a generator was shown it and as it answers, both read in the face's own surroundings.

What a generator sees often ends at the brows or the chin, and there a landmarker errs.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from face_detection import FaceFinder
from imaging.face_geometry import FACE_SIZE, Image, Points, Square

SAME_PLACE = 0.2  # in sides of the square: a mesh farther from the face's own belongs to somebody behind it


class AnswerMeshes:
    """Reads the meshes of pictures of `square` of a photo, which is what the generator sees of a face.

    `surroundings` [FACE_SIZE, FACE_SIZE, 3] is more of the photo around it: `view`. `own` is the face's mesh there.
    """

    def __init__(self, finder: FaceFinder, surroundings: Image, view: Square, own: Points, square: Square) -> None:
        self._finder = finder
        self._surroundings = surroundings
        self._view = view
        self._middle = own.mean(axis=0)
        self._square = square

    def mesh(self, picture: Image) -> Points | None:
        """The mesh of a picture [S, S, 3] in photo pixels; None where there is none, or not there."""
        mesh = self._finder.mesh(self._in_its_place(picture))
        if mesh is None:
            return None
        points = self._view.to_photo(mesh.points, FACE_SIZE).astype(np.float32)
        away = math.dist(points.mean(axis=0), self._middle)
        return points if away <= SAME_PLACE * self._square.side else None

    def _in_its_place(self, picture: Image) -> Image:
        to_view = np.vstack([self._view.matrix(FACE_SIZE), (0, 0, 1)])
        to_picture = np.vstack([self._square.matrix(picture.shape[0]), (0, 0, 1)])
        matrix = (to_view @ np.linalg.inv(to_picture))[:2]
        placed, size = self._surroundings.copy(), (FACE_SIZE, FACE_SIZE)
        cv2.warpAffine(picture, matrix, size, placed, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
        return placed
