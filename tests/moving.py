"""Generators whose movement is known, and a face for them to move."""

from __future__ import annotations

import cv2
import numpy as np

from imaging.drawing.picture import draw_face
from imaging.face_geometry import input_square
from imaging.value_range import to_network, to_uint8

BROWS = [105, 334]
CORNERS = [61, 291]
STEADY = [33, 133, 263, 362, 168]


def grainy_face(size=900):
    """A drawn face with a texture far finer than a network of 128 pixels sees."""
    face = draw_face(3, "neutral", size=size).astype(np.float32)
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 20, face.shape[:2]), (0, 0), 0.9)
    return np.clip(face + grain[..., None], 0, 255).astype(np.uint8)


def moved(picture, places, by, reach=14 / 128):
    """A square picture in which what is at `places` went `by`, and what is around softly with it; in its pixels."""
    size = picture.shape[0]
    at = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=2).astype(np.float32)
    moves = sum(
        np.exp(-((at - place) ** 2).sum(axis=2) / (reach * size) ** 2)[..., None] * np.float32(move)
        for place, move in zip(places, by, strict=True)
    )
    return cv2.remap(picture, np.float32(at - moves), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def known_movement(places, by):
    """A generator that gives every emotion this movement."""
    return lambda x, c: to_network(moved(to_uint8(x)[0], places, by)[None])


def mesh_in(translator, picture, face):
    """The mesh of a face in a picture of the photo's size, in its pixels."""
    square = input_square(face.square)
    return square.to_photo(translator.finder.mesh(square.cut(picture, 512)).points, 512)
