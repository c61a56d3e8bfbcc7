"""The photo itself moves: by just what the generator moves, in the photo's own detail, and never out of shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from imaging.draw_faces import draw_face
from imaging.face_geometry import input_square
from imaging.value_range import to_network, to_uint8
from model import Generator
from translation.translator import Translator

BROWS = [105, 334]
CORNERS = [61, 291]
STEADY = [33, 133, 263, 362, 168]


@pytest.fixture(scope="module")
def translator():
    torch.manual_seed(0)
    with Translator(Generator(8, 2, 1), ["happy", "two"], 128) as made_once:
        yield made_once


@pytest.fixture(scope="module")
def photo():
    """A drawn face with a texture far finer than a network of 128 pixels sees."""
    face = draw_face(3, "neutral", size=900).astype(np.float32)
    grain = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 20, face.shape[:2]), (0, 0), 0.9)
    return np.clip(face + grain[..., None], 0, 255).astype(np.uint8)


def known_movement(places, by, reach=14):
    """A generator that moves what is at `places` of its picture by `by` pixels, and what is around softly with it."""

    def G(x, c):
        size = x.shape[-1]
        picture = to_uint8(x)[0]
        at = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=2).astype(np.float32)
        moves = sum(
            np.exp(-((at - place) ** 2).sum(axis=2) / reach**2)[..., None] * np.float32(move)
            for place, move in zip(places, by, strict=True)
        )
        return to_network(
            cv2.remap(picture, np.float32(at - moves), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[None]
        )

    return G


@pytest.fixture(scope="module")
def smiling(translator, photo):
    """Corners of the mouth up and out by 5 of the network's pixels, brows down by 3."""
    (face,) = translator.find_faces(photo)
    square = translator._sees(face)
    places = square.to_crop(face.points, 128)[[*CORNERS, *BROWS]]
    translator.G = known_movement(places, [(-4, -4), (4, -4), (0, 3), (0, 3)])
    return face, square, translator.translate(photo, [face])


def mesh_in(translator, picture, face):
    square = input_square(face.square)
    return square.to_photo(translator.finder.mesh(square.cut(picture, 512)).points, 512)


def test_the_photo_moves_by_just_what_the_generator_moves(translator, photo, smiling):
    face, square, translation = smiling
    check = translation.checks[0, "happy"]
    assert check.way == "photo", check.reason
    moved = (mesh_in(translator, translation.results["happy"], face) - mesh_in(translator, photo, face)) * (
        128 / square.side
    )
    assert moved[CORNERS] == pytest.approx(np.array([(-4, -4), (4, -4)]), abs=1.6)
    assert moved[BROWS][:, 1] == pytest.approx(3, abs=1.6)
    assert np.abs(moved[STEADY]).max() < 1.2


def test_its_detail_stays(translator, photo, smiling):
    face, _, translation = smiling
    cheek = np.zeros(photo.shape[:2], np.uint8)
    for landmark in (50, 280):
        cv2.circle(cheek, face.points[landmark].astype(int).tolist(), 40, 1, -1)

    def detail(picture):
        return np.abs(cv2.Laplacian(picture.astype(np.float32).mean(axis=2), cv2.CV_32F))[cheek > 0].mean()

    assert detail(translation.results["happy"]) > 0.75 * detail(photo)  # grain at the pixel's own size
