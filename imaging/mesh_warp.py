"""MediaPipe's face mesh as a net of triangles: to warp a picture as its mesh moves, and to mark parts of a face.

Points are the 478 landmarks, in pixels of a square picture; coordinates are those of `imaging.face_geometry`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Mask, Points

# Lips and eyes are holes in MediaPipe's net. The inner edges of the lips, from corner to corner:
UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
# Each iris and the lids around it, in order.
EYES = {
    468: [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    473: [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
}

AROUND = 1.6  # how far around the face its surroundings give way, in its own radii

Triangles = NDArray[np.intp]  # [N, 3] indices of points
Places = NDArray[np.float32]  # [height, width, 2]: for each pixel where in another picture it comes from


def places(target: Points, source: Points, triangles: Triangles, size: int) -> Places:
    """For each pixel of a `size`-pixel picture of `target` its place in that of `source`; outside all, its own."""
    corners = np.concatenate([target[triangles], np.ones((len(triangles), 3, 1))], axis=2).astype(np.float64)
    triangles = triangles[flat := np.abs(np.linalg.det(corners)) > 1e-3]
    to_source = np.linalg.solve(corners[flat], source[triangles].astype(np.float64))
    owner = np.full((size, size), -1, np.int32)
    for number, triangle in enumerate(np.round(target[triangles] * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, triangle, number, shift=4)
    where = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=2).astype(np.float32)
    y, x = np.nonzero(owner >= 0)
    affine = to_source.astype(np.float32)[owner[y, x]]
    where[y, x] = x[:, None] * affine[:, 0] + y[:, None] * affine[:, 1] + affine[:, 2]
    return where.astype(np.float32)


def taken(image: Image, where: Places) -> Image:
    """The pixels of `image` at the places `where`; beyond its border the border's."""
    return np.asarray(cv2.remap(image, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def filled(outline: Points, size: int) -> Mask:
    """The inside of an outline in a `size`-pixel picture: 1 there, 0 elsewhere, between them on the line."""
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    return mask


def between_lips(points: Points) -> Points:
    """The outline of the inside of the mouth."""
    return points[[*UPPER_LIP, *LOWER_LIP[::-1]]]


def gap(points: Points) -> float:
    """How far the lips are apart, in lengths of the face."""
    return float(np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN]))


def ring(points: Points) -> Points:
    """Points around the face, one for each of its outline, that stay where they are."""
    outline = points[oval()]
    middle = outline.mean(axis=0)
    return middle + AROUND * (outline - middle)


@functools.cache
def whole() -> Triangles:
    """Face, inside of the mouth, eyes, and the surroundings up to `ring`, whose points come after the 478."""
    inner, outer = oval(), np.arange(478, 478 + len(oval()))
    return np.vstack([_strip(inner, outer), _strip([inner[-1], inner[0]], [outer[-1], outer[0]]), lips(), skin()])


@functools.cache
def skin() -> Triangles:
    """MediaPipe's net, every three landmarks that are joined with each other, and the eyes in its holes."""
    from mediapipe.tasks.python.vision import FaceLandmarksConnections

    joined: dict[int, set[int]] = {}
    for edge in FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION:
        joined.setdefault(edge.start, set()).add(edge.end)
        joined.setdefault(edge.end, set()).add(edge.start)
    net = {tuple(sorted((a, b, c))) for a, near in joined.items() for b in near for c in near & joined[b]}
    eyes = [(a, b, iris) for iris, lids in EYES.items() for a, b in zip(lids, [*lids[1:], lids[0]], strict=True)]
    return np.array([*sorted(net), *eyes])


@functools.cache
def lips() -> Triangles:
    """The inside of the mouth, between the lips' inner edges."""
    return _strip(UPPER_LIP, LOWER_LIP)


@functools.cache
def oval() -> list[int]:
    """The landmarks of the face's outline in their order."""
    from mediapipe.tasks.python.vision import FaceLandmarksConnections

    following = {edge.start: edge.end for edge in FaceLandmarksConnections.FACE_LANDMARKS_FACE_OVAL}
    outline = [FOREHEAD_TOP]
    while (point := following[outline[-1]]) != FOREHEAD_TOP:
        outline.append(point)
    return outline


def _strip(one: Sequence[int] | NDArray[np.intp], other: Sequence[int] | NDArray[np.intp]) -> Triangles:
    """The triangles between two lines of as many points."""
    pairs = list(zip(one, other, strict=True))
    return np.array([t for (a, b), (c, d) in itertools.pairwise(pairs) for t in ((a, b, c), (b, c, d))])
