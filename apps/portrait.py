"""A head cut out of a photo, upright, as a square: how both apps show a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from face_detection import Face
    from imaging.face_geometry import Image

ROOM = 1.2  # a portrait's side over that of the square which the networks learn from
SIZE = 640  # pixels


def portrait(photo: Image, face: Face, size: int = SIZE) -> Image:
    """The head of `face` in `photo` (uint8 RGB [H, W, 3]), `size` pixels wide and high."""
    return face.square.centre(ROOM).cut(photo, size)
