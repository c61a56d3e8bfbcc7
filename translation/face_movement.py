"""How a face moves: from the meshes of what the generator saw and of its answer to a field of places in the photo.

The generator's own pixels are few; how it moves a face is right all the same. Both meshes are read at one size, so that
the landmarker's error cancels, and their difference is carried over to the mesh of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging import mesh_warp
from imaging.face_geometry import CHIN, FOREHEAD_TOP, Mask, Points, Square
from imaging.mesh_warp import Places

FIELD_SIZE = 192  # pixels: side of the square that fields and layers are computed in, whatever the face's size
AROUND = 1.7  # side of that square, in lengths of the face: what moves ends within it
PIXEL = AROUND / FIELD_SIZE  # in lengths of the face
SMOOTH = 0.9  # pixels of FIELD_SIZE: the net's edges would show

# Limits, in lengths of the face. Of 385 answers of the shipped generator the largest movements but one, of a wrong mesh
# (0.48), were 0.06 angry, 0.09 fearful and happy, 0.11 sad, 0.20 surprised (the chin).
FARTHEST = 0.3
SAME_PLACE = 0.06  # how far the mesh of what was shown may lie from the photo's: 0.003 in the middle of 77 faces
HOLDS = 0.05  # how far the middle of what no expression moves may move
STILL = [33, 133, 362, 263, 168, 6, 197, 127, 356, 234, 454]  # corners of the eyes, bridge of the nose, temples
NARROWED, WIDENED = 0.25, 4.0  # what an area may become; negative: the face folds
SMOOTHINGS = 12  # at most, where it does


class WrongMovement(Exception):
    """A movement that no face makes; the message says why, in a few words."""


@dataclass(frozen=True)
class Meshes:
    """The 478 landmarks of what the generator was `shown` and of its `answer`, in photo pixels, read at one size."""

    shown: Points
    answer: Points


def movement(own: Points, meshes: Meshes) -> Points:
    """By how many photo pixels each landmark of a face moves, [478, 2]; `own` is the photo's mesh.

    Raises `WrongMovement` where a mesh can't be this face's.
    """
    length = face_length(own)
    moves = meshes.answer - meshes.shown
    if np.linalg.norm(meshes.shown - own, axis=1).mean() > SAME_PLACE * length:
        raise WrongMovement("the face's mesh is not sure")
    if np.linalg.norm(moves[STILL].mean(axis=0)) > HOLDS * length:
        raise WrongMovement("the whole face would move")
    if np.linalg.norm(moves, axis=1).max() > FARTHEST * length:
        raise WrongMovement("a part of the face would move too far")
    return moves.astype(np.float32)


def face_length(points: Points) -> float:
    """Pixels from the forehead's top to the chin."""
    return float(np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN]))


def field_square(points: Points, angle: float) -> Square:
    """The square around a face and its surroundings, turned as the face is, that fields are computed in."""
    middle = points[mesh_warp.oval()].mean(axis=0)
    return Square(float(middle[0]), float(middle[1]), AROUND * face_length(points), angle)


def grid(size: int = FIELD_SIZE) -> Places:
    """Each pixel's own place."""
    return np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=2).astype(np.float32)


def field(own: Points, target: Points, square: Square) -> Places:
    """For each pixel of the moved face where it comes from, both in pixels of `square` at FIELD_SIZE.

    The surroundings give way softly, and nothing moves at the square's border.
    """
    source, moved = (square.to_crop(points, FIELD_SIZE).astype(np.float32) for points in (own, target))
    ring = mesh_warp.ring(source)
    where = mesh_warp.places(np.vstack([moved, ring]), np.vstack([source, ring]), mesh_warp.whole(), FIELD_SIZE)
    return grid() + cv2.GaussianBlur(where - grid(), (0, 0), SMOOTH)


def stretching(where: Places) -> NDArray[np.float32]:
    """By how much the area around each pixel of a field differs from where it comes from."""
    down, across = np.gradient(where, axis=0), np.gradient(where, axis=1)
    return np.asarray(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0], np.float32)


def unfolded(where: Places, mouth: Mask) -> Places:
    """A field smoothed where it would fold the face or stretch it out of shape; a `mouth` may open and shut.

    Raises `WrongMovement` where smoothing does not help.
    """
    moves = where - grid()
    for _ in range(SMOOTHINGS):
        area = np.where(mouth < 0.05, stretching(grid() + moves), 1)
        folded = ((area < NARROWED) | (area > WIDENED)).astype(np.float32)
        if not folded.any():
            return grid() + moves
        share = np.minimum(1, 2 * cv2.GaussianBlur(cv2.dilate(folded, np.ones((5, 5))), (0, 0), 2.2))[..., None]
        moves += (cv2.GaussianBlur(moves, (0, 0), 3) - moves) * share
    raise WrongMovement("the face would be folded or stretched out of shape")
