"""A mask, a hand or a microphone in front of the mouth: it is told, brows and eyes move, the mouth is left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from moving import BROWS, CORNERS, grainy_face, known_movement, mesh_in

from imaging.mesh_warp import OUTER_LIPS, oval
from model import Generator
from translation.result_check import COVERED
from translation.translator import Translator

NOSE_TIP, MOUTH, CHIN = 4, 13, 152


@pytest.fixture(scope="module")
def translator():
    torch.manual_seed(0)
    with Translator(Generator(8, 2, 1), ["happy", "angry"], 128) as made_once:
        yield made_once


@pytest.fixture(scope="module")
def photo():
    return grainy_face(600)


def cut(picture, box):
    left, top, width, height = box
    return picture[top : top + height, left : left + width]


def masked(photo, points):
    """A light blue mask from the nose to below the chin."""
    lower = [place for place in oval() if points[place, 1] > points[NOSE_TIP, 1]]
    outline = cv2.convexHull(np.round(points[[*lower, NOSE_TIP]]).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(photo.copy(), outline, (170, 205, 225), cv2.LINE_AA))


def with_a_hand(photo, points):
    """Four fingers across the mouth."""
    covered, length = photo.copy(), np.linalg.norm(points[10] - points[CHIN])
    for finger in range(4):
        x, y = points[MOUTH] + length * np.array((-0.35, -0.09 + 0.08 * finger))
        ends = (int(x), int(y)), (int(x + 0.6 * length), int(y))
        cv2.line(covered, *ends, (150, 110, 95), int(0.09 * length), cv2.LINE_AA)
        cv2.line(covered, *ends, (205, 160, 140), int(0.07 * length), cv2.LINE_AA)
    return covered


def with_a_microphone(photo, points):
    """A dark ball on a handle."""
    covered, length = photo.copy(), np.linalg.norm(points[10] - points[CHIN])
    x, y = np.round(points[MOUTH]).astype(int).tolist()
    cv2.line(covered, (x, y), (x + 30, y + 300), (30, 30, 30), int(0.1 * length), cv2.LINE_AA)
    cv2.circle(covered, (x, y), int(0.15 * length), (70, 70, 70), -1, cv2.LINE_AA)
    return covered


@pytest.mark.parametrize("covering", [masked, with_a_hand, with_a_microphone])
def test_what_is_in_front_of_the_mouth_is_told_and_left_alone(translator, photo, covering):
    (free,) = translator.find_faces(photo)
    covered = covering(photo, free.points)
    face = next(face for face in translator.find_faces(covered) if face.points is not None)
    places = translator._sees(face).to_crop(free.points, 128)[[*CORNERS, *BROWS]]
    translator.G = known_movement(places, [(-4, -4), (4, -4), (0, 3), (0, 3)])
    translation = translator.translate(covered, [face], domains=["angry"])
    assert COVERED in translation.notes[0]
    mouth = cv2.boundingRect(np.round(free.points[OUTER_LIPS]).astype(np.int32))
    assert np.array_equal(*(cut(picture, mouth) for picture in (translation.results["angry"], covered)))
    brows = mesh_in(translator, translation.results["angry"], face)[BROWS] - mesh_in(translator, covered, face)[BROWS]
    assert brows[:, 1].min() > 3


def test_a_free_mouth_is_not_called_covered(translator, photo):
    (face,) = translator.find_faces(photo)
    translator.G = lambda x, c: x
    assert COVERED not in translator.translate(photo, [face], domains=["happy"]).notes.get(0, ())
