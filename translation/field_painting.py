"""A photo's own pixels, moved and shaded as the layers of a field say, in the photo's resolution."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import Image, Mask, Region, Square
from imaging.mesh_warp import Places
from translation.face_movement import FIELD_SIZE, grid

MOVES, SHADES, TINTS = 0.02, 1e-3, 0.2  # pixels of FIELD_SIZE, shares and grey levels: less is nothing
AT_ONCE = 1 << 18  # pixels of the photo: more do not fit the processor's cache


def paint(photo: Image, square: Square, where: Places, light: Mask, furrows: Mask) -> None:
    """Change a photo in place.

    By layers of `square` at FIELD_SIZE: `where` each pixel comes from, by what share it becomes brighter then, and what
    is added to it, in grey levels.
    """
    moves = where - grid()
    changes = (np.abs(moves).max(axis=2) > MOVES) | (np.abs(light) > SHADES) | (np.abs(furrows) > TINTS)
    whole = _bounds(square, changes, photo.shape)
    if whole is None:
        return
    to_photo = cv2.invertAffineTransform(square.matrix(FIELD_SIZE))[:, :2].astype(np.float32)
    layers = [*cv2.split(moves @ to_photo.T), light, furrows]
    painted = photo[whole].copy()
    for rows, columns in _strips(square, changes, whole, photo.shape):
        x, y, brighter, more = (square.put_back(layer, photo.shape, (rows, columns)) for layer in layers)
        x += np.arange(columns.start, columns.stop, dtype=np.float32)
        y += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        moved = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        here = tuple(
            slice(part.start - all_of_it.start, part.stop - all_of_it.start)
            for part, all_of_it in zip((rows, columns), whole, strict=True)
        )
        painted[here] = _shaded(np.asarray(moved, np.uint8), brighter + 1, more)
    photo[whole] = painted


def _shaded(face: Image, light: Mask, furrows: Mask) -> Image:
    shaded = (cv2.multiply(channel, light, dtype=cv2.CV_32F) for channel in cv2.split(face))
    return np.asarray(cv2.merge([cv2.add(channel, furrows, dtype=cv2.CV_8U) for channel in shaded]), np.uint8)


def _strips(square: Square, layer: NDArray, whole: Region, shape: tuple[int, ...]) -> Iterator[Region]:
    """The region `whole` of a photo from top to bottom, each strip only as wide as `layer` is true in it."""
    rows, columns = whole
    height = max(1, AT_ONCE // (columns.stop - columns.start))
    for top in range(rows.start, rows.stop, height):
        bottom = min(top + height, rows.stop)
        corners = np.array([(x, y) for x in (columns.start, columns.stop) for y in (top, bottom)])
        across = square.to_crop(corners, FIELD_SIZE)[:, 1]
        part = np.zeros_like(layer)
        within = np.s_[max(0, int(across.min()) - 1) : max(0, int(across.max()) + 3)]
        part[within] = layer[within]
        if strip := _bounds(square, part, shape):
            yield slice(top, bottom), strip[1]


def _bounds(square: Square, layer: NDArray, shape: tuple[int, ...]) -> Region | None:
    """The part of a photo of `shape` in which `layer` is true; None where there is none."""
    left, top, width, height = cv2.boundingRect(layer.astype(np.uint8))
    if not width:
        return None
    around = np.array([(x, y) for x in (left - 1, left + width) for y in (top - 1, top + height)])
    x, y = square.to_photo(around, FIELD_SIZE).T
    columns, rows = (
        slice(max(0, int(np.floor(values.min()))), min(length, int(np.ceil(values.max())) + 1))
        for values, length in ((x, shape[1]), (y, shape[0]))
    )
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None
