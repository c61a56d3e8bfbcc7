"""Face crops that reach beyond their photo: what is missing, mirrored and blurred. Streaks would be learned."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import FACE_SIZE, Image, Square

BLUR = 1 / 32  # in sides of the crop: standard deviation of the blur, and how far from the edge it is complete


def crop_softly(photo: Image, square: Square, size: int = FACE_SIZE) -> Image:
    """`square.cut`, but beyond the photo's edge the picture goes on as its mirror image, blurred."""
    crop = square.cut(photo, size)
    x, y = _places(square, size)
    height, width = photo.shape[:2]
    beyond = np.hypot(_beyond(x, width), _beyond(y, height)) * np.float32(size / square.side)
    if not beyond.any():
        return crop
    maps = [_mirrored(places, length).astype(np.float32) for places, length in ((x, width), (y, height))]
    rows, columns = (slice(int(m.min()), int(m.max()) + 2) for m in maps[::-1])  # OpenCV takes no side above 32767
    inside = np.ascontiguousarray(photo[rows, columns])
    there = maps[0] - columns.start, maps[1] - rows.start
    mirrored = cv2.remap(inside, *there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(mirrored, (0, 0), BLUR * size)
    share = np.clip(beyond / (BLUR * size), 0, 1)[..., None]
    return np.asarray(np.rint(crop * (1 - share) + blurred * share), np.uint8)


def _places(square: Square, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where in the photo each pixel of the crop lies: x and y, each [size, size]."""
    matrix = cv2.invertAffineTransform(square.matrix(size)).astype(np.float32)
    v, u = np.indices((size, size), np.float32)
    return (
        matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2],
        matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2],
    )


def _beyond(places: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """How far places on an axis lie beyond its ends, in pixels."""
    return np.maximum(0, np.maximum(-0.5 - places, places - (length - 0.5)))


def _mirrored(places: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Places on an axis of `length` pixels, folded back into it."""
    folded = np.mod(places + 0.5, 2 * length)
    return np.clip(np.minimum(folded, 2 * length - folded) - 0.5, 0, length - 1)
