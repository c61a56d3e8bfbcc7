"""The photo itself moves: by just what the generator moves, in the photo's own detail, and never out of shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from moving import BROWS, CORNERS, STEADY, grainy_face, known_movement, mesh_in

from imaging import mesh_warp
from imaging.drawing.picture import draw_face
from imaging.face_geometry import input_square
from model import Generator
from translation import face_movement
from translation.answer_mesh import AnswerMeshes
from translation.face_movement import Meshes, WrongMovement
from translation.paste_back import FacePaste
from translation.photo_motion import FaceMotion
from translation.translator import Translator


@pytest.fixture(scope="module")
def translator():
    torch.manual_seed(0)
    with Translator(Generator(8, 2, 1), ["happy", "two"], 128) as made_once:
        yield made_once


@pytest.fixture(scope="module")
def photo():
    return grainy_face()


@pytest.fixture(scope="module")
def smiling(translator, photo):
    """Corners of the mouth up and out by 5 of the network's pixels, brows down by 3."""
    (face,) = translator.find_faces(photo)
    square = translator._sees(face)
    places = square.to_crop(face.points, 128)[[*CORNERS, *BROWS]]
    translator.G = known_movement(places, [(-4, -4), (4, -4), (0, 3), (0, 3)])
    return face, square, translator.translate(photo, [face])


def test_the_photo_moves_by_just_what_the_generator_moves(translator, photo, smiling):
    face, square, translation = smiling
    check = translation.checks[0, "happy"]
    assert check.way == "photo", check.reason
    moved = (mesh_in(translator, translation.results["happy"], face) - mesh_in(translator, photo, face)) * (
        128 / square.side
    )
    crop = square.cut(photo, 128)
    picture = translator.generate(crop[None], ["happy"])[0, 0]
    view = input_square(face.square)
    meshes = AnswerMeshes(translator.finder, view.cut(photo, 512), view, face.points, square)
    shown, answer = map(meshes.mesh, (crop, picture))
    read = (answer - shown) * (128 / square.side)  # the landmarker does not read all of it
    assert moved[CORNERS] == pytest.approx(read[CORNERS], abs=1)
    assert np.abs(read[CORNERS]) == pytest.approx(4, abs=1.6)
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


def test_half_the_strength_moves_half_as_far_and_none_gives_the_photo_back(translator, photo, smiling):
    face, _, whole = smiling
    before = mesh_in(translator, photo, face)
    far = (mesh_in(translator, whole.results["happy"], face) - before)[CORNERS]
    half = translator.translate(photo, [face], strength=0.5, domains=["happy"])
    assert list(half.results) == ["happy"] and half.checks[0, "happy"].strength == 0.5
    moved = (mesh_in(translator, half.results["happy"], face) - before)[CORNERS]
    assert np.linalg.norm(moved) == pytest.approx(0.5 * np.linalg.norm(far), rel=0.25)
    none = translator.translate(photo, [face], strength=0, domains=["happy"])
    assert np.array_equal(none.results["happy"], photo)


@pytest.fixture(scope="module")
def motion(translator, photo):
    """A face ready to move, what the generator saw, and the meshes of a generator that changes nothing."""
    (face,) = translator.find_faces(photo)
    square = translator._sees(face)
    crop = square.cut(photo, 128)
    paste = FacePaste(crop, square, face.points)
    return FaceMotion(crop, square, face.points, paste), crop, face.points


def wrong_meshes(points):
    """By name: what a landmarker that errs may say of the generator's answer."""
    length = face_movement.face_length(points)
    rng = np.random.default_rng(0)
    bent = points.copy()
    bent[:234] += np.float32((0.2 * length, 0))
    return {
        "shifted": points + np.float32((0.3 * length, 0)),
        "swapped": points[::-1].copy(),
        "upside down": points.mean(axis=0) - (points - points.mean(axis=0)),
        "small": points.mean(axis=0) + 0.3 * (points - points.mean(axis=0)),
        "noisy": points + rng.normal(0, 0.2 * length, points.shape).astype(np.float32),
        "bent": bent,
    }


@pytest.mark.parametrize("name", ["shifted", "swapped", "upside down", "small", "noisy", "bent"])
def test_a_wrong_mesh_is_refused_and_nothing_is_done(motion, photo, name):
    face, crop, points = motion
    result = photo.copy()
    with pytest.raises(WrongMovement):
        face.onto(result, crop, Meshes(points, wrong_meshes(points)[name]))
    assert np.array_equal(result, photo)


@pytest.mark.parametrize("seed", range(6))
def test_no_noise_folds_a_face(translator, photo, seed):
    """Little noise is smoothed, much is refused; never does a piece of the face show twice or inside out."""
    (face,) = translator.find_faces(photo)
    length = face_movement.face_length(face.points)
    noise = np.random.default_rng(seed).normal(0, 0.004 * 2**seed * length, face.points.shape).astype(np.float32)
    square = face_movement.field_square(face.points, face.square.angle)
    where = face_movement.field(face.points, face.points + noise, square)
    try:
        smooth = face_movement.unfolded(where, np.zeros(where.shape[:2], np.float32))
    except WrongMovement:
        return
    assert face_movement.stretching(smooth).min() > 0


def test_a_generator_that_makes_no_face_is_told_of(translator, photo):
    (face,) = translator.find_faces(photo)
    translator.G = lambda x, c: torch.zeros_like(x)
    check = translator.translate(photo, [face], domains=["happy"]).checks[0, "happy"]
    assert check.way == "network" and check.state != "good"
    assert "face" in check.reason


@pytest.mark.parametrize("size, shape", [(60, (300, 400)), (2400, (3000, 4000))])
def test_small_faces_and_twelve_megapixels(translator, size, shape):
    """A face of about 30 pixels, and one of 1,200; nothing changes far from it."""
    photo = np.full((*shape, 3), 140, np.uint8)
    photo[20 : 20 + size, 30 : 30 + size] = cv2.resize(draw_face(3, "neutral", size=600), (size, size))
    faces = [face for face in translator.find_faces(photo) if face.points is not None][:1]
    if not faces:
        pytest.skip("no face is found in so few pixels")
    square = translator._sees(faces[0])
    places = square.to_crop(faces[0].points, 128)[[*CORNERS, *BROWS]]
    translator.G = known_movement(places, [(-4, -4), (4, -4), (0, 3), (0, 3)])
    result = translator.translate(photo, faces, domains=["happy"]).results["happy"]
    changed = (result != photo).any(axis=2)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    assert rows.max() < 20 + 1.2 * size and columns.max() < 30 + 1.2 * size


def test_a_photo_that_is_not_calm_is_told_of(translator):
    photo = draw_face(3, "surprised", size=600)
    (face,) = translator.find_faces(photo)
    translator.G = lambda x, c: x
    assert translator.translate(photo, [face], domains=["happy"]).notes[0]


def test_teeth_are_not_bluer_than_the_photos_light(motion, photo):
    """The generator paints them cyan; in a face in warm light they would glow."""
    moves, crop, points = motion
    answer = points.copy()
    length = face_movement.face_length(points)
    answer[mesh_warp.LOWER_LIP] += np.float32((0, 0.06 * length))
    generated = np.full_like(crop, (90, 230, 250))
    result = photo.copy()
    FaceMotion._open(moves, result, generated.astype(np.float32), answer, answer)
    changed = np.abs(result.astype(int) - photo).max(axis=2) > 40
    red, green, blue = result[changed].reshape(-1, 3).astype(int).T
    assert len(red) > 50
    assert np.median(green - red) <= 1 and np.median(blue - red) <= 1
