"""A head cut out of a photo, upright, as a square: how both apps show a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from face_detection import Face
    from imaging.face_geometry import Image

ROOM = 1.2  # a portrait's side over that of the square which the networks learn from
LEAST_ROOM = 0.85  # the same where the photo ends close to the head: less would cut the chin off
SIZE = 640  # pixels


def portrait(photo: Image, face: Face, size: int = SIZE) -> Image:
    """The head of `face` in `photo` (uint8 RGB [H, W, 3]), `size` pixels wide and high.

    Moved or shrunk into the photo where it would leave it, and repeat the photo's border.
    """
    return face.square.centre(ROOM).within(photo.shape, LEAST_ROOM / ROOM).cut(photo, size)
