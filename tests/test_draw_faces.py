"""Drawn faces: the same every time, the same person in every emotion, and a face to MediaPipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from common import emotions
from face_detection import FaceFinder
from imaging import draw_faces
from imaging.drawing import canvas, expressions, head, people, picture
from imaging.face_geometry import face_square, input_square

ROOT = Path(__file__).resolve().parent.parent
Blendshapes = dict[str, float]


def through_64_pixels(crop: np.ndarray) -> np.ndarray:
    """A face crop as a 64 x 64 network would give it back, enlarged again."""
    small = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def test_every_emotion_of_the_vocabulary_can_be_drawn() -> None:
    assert set(expressions.EXPRESSIONS) == set(emotions.EMOTIONS)


def test_a_face_is_the_same_every_time() -> None:
    face = picture.draw_face(7, "happy")
    assert face.shape == (512, 512, 3) and face.dtype == np.uint8
    assert np.array_equal(face, picture.draw_face(7, "happy"))
    assert not np.array_equal(face, picture.draw_face(8, "happy"))


@pytest.mark.parametrize("identity", range(6))
@pytest.mark.parametrize("emotion", emotions.FIVE)
def test_an_emotion_changes_nothing_outside_the_face(identity: int, emotion: str) -> None:
    neutral, expressed = (picture.draw_face(identity, e) for e in ("neutral", emotion))
    person = people.pick_person(np.random.default_rng(identity))
    drawing = canvas.Canvas(np.zeros((512, 512, 3), np.uint8), person)
    drawing.fill(head.head_outline(person, jaw=0.15), np.full(3, 255))  # the chin at its lowest
    face = cv2.dilate(drawing.image, np.ones((9, 9), np.uint8)) > 0  # smooth edges reach a little further
    difference = np.abs(neutral.astype(int) - expressed)
    assert difference[~face].max() <= 1  # a smile's blush reaches the ears by one grey level of 255
    assert difference[face].max() > 100


def test_half_the_intensity_lies_between_neutral_and_the_full_emotion() -> None:
    none, half, full = (picture.draw_face(3, "surprised", intensity=i).astype(float) for i in (0, 0.5, 1))
    assert np.array_equal(none, picture.draw_face(3, "neutral"))
    assert np.abs(half - none).mean() < np.abs(full - none).mean()
    assert np.abs(half - full).mean() < np.abs(full - none).mean()


def test_other_sizes_show_the_same_face() -> None:
    large, small = picture.draw_face(4, "sadness"), picture.draw_face(4, "sadness", size=128)
    assert small.shape == (128, 128, 3)
    assert np.abs(cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA).astype(int) - small).mean() < 6


@pytest.mark.parametrize(("identity", "emotion", "size"), [(1, "bored", 512), (-1, "happy", 512), (1, "happy", 0)])
def test_what_cannot_be_drawn_is_refused(identity: int, emotion: str, size: int) -> None:
    with pytest.raises(ValueError, match=r"bored|at least"):
        picture.draw_face(identity, emotion, size=size)


def test_mediapipe_sees_every_face_and_its_emotion() -> None:
    """Also when the face has been through 64 x 64 pixels, as a small network's answers have."""
    means: dict[tuple[str, bool], Blendshapes] = {}
    with FaceFinder() as finder:
        for emotion in emotions.FIVE:
            crops = []
            for identity in (draw_faces.identity_number(3, i, emotion) for i in range(5)):
                face = picture.draw_face(identity, emotion, intensity=picture.usual_intensity(identity))
                boxes = finder.boxes(face)
                assert len(boxes) == 1, f"{len(boxes)} faces found in {emotion} {identity}"
                crops.append(input_square(face_square(boxes[0])).cut(face, 448))
            for coarse, pictures in ((False, crops), (True, [through_64_pixels(crop) for crop in crops])):
                found = [mesh.blendshapes for picture in pictures if (mesh := finder.mesh(picture))]
                assert len(found) == len(crops), f"no face mesh in some {emotion}, coarse={coarse}"
                means[emotion, coarse] = {name: float(np.mean([f[name] for f in found])) for name in found[0]}
    for coarse in (False, True):
        angry, fearful, happy, sad, surprised = (means[emotion, coarse] for emotion in emotions.FIVE)
        assert happy["mouthSmileLeft"] - sad["mouthSmileLeft"] > 0.6
        assert happy["mouthSmileRight"] - sad["mouthSmileRight"] > 0.6
        assert surprised["eyeWideLeft"] - angry["eyeWideLeft"] > 0.3
        assert surprised["eyeWideRight"] - angry["eyeWideRight"] > 0.3
        assert min(face["browInnerUp"] for face in (fearful, sad, surprised)) > angry["browInnerUp"] + 0.3
        assert angry["browDownLeft"] == max(face["browDownLeft"] for face in (angry, fearful, happy, sad, surprised))
        assert surprised["jawOpen"] == max(face["jawOpen"] for face in (angry, fearful, happy, sad, surprised))


def people_in(folder: Path) -> dict[str, set[str]]:
    return {f.name: {picture.stem for picture in f.iterdir()} for f in sorted(folder.iterdir())}


def test_command_writes_one_folder_an_emotion_and_nobody_twice(tmp_path: Path) -> None:
    assert draw_faces.main(["--output", str(tmp_path / "train"), "--per_emotion", "3", "--seed", "0"]) == 0
    assert draw_faces.main(["--output", str(tmp_path / "test"), "--per_emotion", "3", "--seed", "1"]) == 0
    train, test = people_in(tmp_path / "train"), people_in(tmp_path / "test")
    assert tuple(train) == tuple(test) == emotions.FIVE
    people = [*train.values(), *test.values()]
    assert [len(names) for names in people] == [3] * 10
    assert len(set.union(*people)) == 30
    name = min(train["happy"])
    stored = cv2.imread(str(tmp_path / "train" / "happy" / f"{name}.jpg"))
    assert stored is not None
    truth = picture.draw_face(int(name), "happy", intensity=picture.usual_intensity(int(name)))
    assert np.abs(stored[..., ::-1].astype(int) - truth).mean() < 3


def test_same_identities_gives_every_emotion_the_same_people(tmp_path: Path) -> None:
    flags = ["--per_emotion", "2", "--same_identities", "--emotions", "Joy", "neutral"]
    assert draw_faces.main(["--output", str(tmp_path), *flags]) == 0
    folders = people_in(tmp_path)
    assert list(folders) == ["happy", "neutral"]
    assert folders["happy"] == folders["neutral"] and len(folders["happy"]) == 2


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--per_emotion", "0"], "--per_emotion 0"),
        (["--per_emotion", "200000"], "--per_emotion 200000"),
        (["--seed", "-1"], "--seed -1"),
        (["--emotions", "happy", "bored"], "bored"),
    ],
)
def test_a_wrong_flag_gets_one_sentence_and_creates_nothing(
    flags: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draw_faces.main(["--output", str(tmp_path / "faces"), *flags]) == 2
    message = capsys.readouterr().err
    assert told in message and message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_output_that_cannot_be_written_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    command = [sys.executable, "-m", "imaging.draw_faces", "--output", str(tmp_path / "file" / "faces")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "--output" in done.stderr.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_progress_in_a_log_is_plain_lines(tmp_path: Path) -> None:
    """No terminal, no carriage returns: a line of its own for what is done."""
    command = [sys.executable, "-m", "imaging.draw_faces", "--output", str(tmp_path / "drawn"), "--per_emotion", "2"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert b"\r" not in answer.stderr and b"\x1b" not in answer.stderr
    assert b"drawing: 10 of 10 faces" in answer.stderr
