"""`datapreprocess.py --express`: calm faces with other people's emotions."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import datapreprocess
from common.emotions import EMOTIONS, FIVE
from face_detection import FaceFinder, Mesh
from imaging import draw_faces
from imaging.image_folder import pair_table, read_folder
from imaging.mesh_warp import LOWER_LIP, UPPER_LIP
from imaging.photo import read_photo
from preprocessing.express_faces import REACH, typical_reaches
from preprocessing.expression_transfer import (
    CHEEKS,
    LUMA,
    Change,
    Portrait,
    express,
    inside_mouth,
    tinted,
)

ROOT = Path(datapreprocess.__file__).parent


@pytest.fixture(scope="module")
def faces_and_people(tmp_path_factory) -> tuple[Path, Path]:
    """Crops of two calm faces and a smiling one, and twelve people who show everything."""
    folder = tmp_path_factory.mktemp("express")
    for emotion in ("neutral", "happy"):
        (folder / "photos" / emotion).mkdir(parents=True)
    for name in ("rendered-p0120.jpg", "rendered-p0200.jpg"):
        shutil.copy(ROOT / "data/test" / name, folder / "photos/neutral")
    draw_faces.write_jpeg(folder / "photos/happy/smiling.jpg", draw_faces.draw_face(4_711, "happy"))
    draw_faces.write_faces(folder / "drawn", [*EMOTIONS], 12, seed=3, same_identities=True)
    wanted = ["--emotions", *EMOTIONS, "--num_workers", "0"]
    for source, target, more in (("photos", "faces", []), ("drawn", "people", ["--pairs"])):
        command = ["--input", str(folder / source), "--output", str(folder / target), *wanted, *more]
        assert datapreprocess.main(command) == 0
    return folder / "faces", folder / "people"


def lips_apart(mesh: Mesh) -> float:
    """In lengths of the face."""
    points = mesh.points
    return float(np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[10] - points[152]))


def test_faces_get_the_emotions_of_others(faces_and_people, tmp_path, capsys):
    faces, people = faces_and_people
    command = ["--express", str(people), "--input", str(faces), "--output", str(tmp_path / "mix")]
    assert datapreprocess.main(command) == 0
    told = capsys.readouterr().out
    assert told.startswith("3 faces and ")
    made = sorted(
        path.name for path in (tmp_path / "mix/neutral").iterdir() if path.name.startswith(("neutral", "happy"))
    )
    assert len(made) == 5, "two of each calm face, one of the smiling one"
    with FaceFinder() as finder:
        for name in made:
            pictures = {emotion: read_photo(tmp_path / "mix" / emotion / name) for emotion in EMOTIONS}
            meshes = {emotion: finder.mesh(picture) for emotion, picture in pictures.items()}
            smiles = {emotion: mesh.blendshapes["mouthSmileLeft"] for emotion, mesh in meshes.items()}
            assert smiles["happy"] > smiles["neutral"] + 0.2
            assert lips_apart(meshes["surprised"]) > lips_apart(meshes["neutral"]) + 0.03
            corner = pictures["neutral"][:60, :60].astype(int)
            assert np.abs(pictures["surprised"][:60, :60] - corner).mean() < 2, "what is around the face stays"
    # A second run does nothing again, and the folder is what --lambda_pair trains on.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mix").rglob("*.jpg")}
    assert datapreprocess.main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mix").rglob("*.jpg")} == before
    pair_table(read_folder(tmp_path / "mix", 6))


def test_what_express_needs_is_told(faces_and_people, tmp_path, capsys):
    faces, people = faces_and_people
    (tmp_path / "few").mkdir()
    for emotion in EMOTIONS:
        (tmp_path / "few" / emotion).mkdir()
    for folder, given, sentence in (
        (people.parent / "photos/neutral", people, "has no faces in neutral/ or happy/"),
        (faces, people.parent / "drawn/happy", "has no folder neutral"),
        (faces, tmp_path / "few", "0 people whose smile and surprise are clear"),
    ):
        command = ["--express", str(given), "--input", str(folder), "--output", str(tmp_path / "out")]
        assert datapreprocess.main(command) == 2
        assert sentence in capsys.readouterr().err
    command = ["--express", str(people), "--input", str(faces), "--output", str(tmp_path / "out")]
    assert datapreprocess.main([*command, "--align"]) == 2
    assert "leave out --align" in capsys.readouterr().err
    assert datapreprocess.main([*command[:4], "--output", str(people / "mix")]) == 2
    assert "lies inside --express" in capsys.readouterr().err
    for emotion in EMOTIONS:
        (tmp_path / "few" / emotion / "torn.jpg").write_bytes(b"no picture")
    assert datapreprocess.main(["--express", str(tmp_path / "few"), *command[2:]]) == 2
    assert "torn.jpg is" in capsys.readouterr().err


def test_grey_faces_are_coloured_like_skin(faces_and_people):
    faces, _ = faces_and_people
    one, other = (read_photo(path) for path in sorted((faces / "neutral").glob("*.jpg")))
    with FaceFinder() as finder:
        meshes = finder.mesh(one), finder.mesh(other)
    assert meshes[0] and meshes[1]
    grey = Portrait(np.repeat((one @ LUMA)[..., None], 3, axis=2).astype(np.uint8), meshes[0].points)
    like = Portrait(other, meshes[1].points)
    green = np.array([0.5, 1.0, 0.5], np.float32)
    made = tinted(grey, like, green)
    assert not made.is_grey and np.abs(made.image @ LUMA - grey.image @ LUMA).mean() < 8, "as bright as before"
    wanted, skin = (portrait.skin / portrait.skin.sum() for portrait in (like, made))
    assert np.abs(skin - wanted).max() < 0.05
    for x, y in made.points[CHEEKS].round().astype(int):
        assert made.image[y, x, 0] > made.image[y, x, 2], "redder than blue"
    corner = made.image[:20, :20].reshape(-1, 3).mean(axis=0)
    assert corner[1] > corner[0] + 5, "the surroundings have their own colour"


def test_emotions_come_from_those_who_show_them_alike_and_go_equally_far():
    """30 people: 20 are angry with closed lips, 10 bare their teeth; some go twice as far as others."""
    rng = np.random.default_rng(0)
    calm = rng.normal(0, 100, (478, 2)).astype(np.float32)
    closed, bared = (rng.normal(0, 5, (478, 2)) for _ in range(2))
    strengths = rng.uniform(0.7, 1.4, 30)
    ways = [(closed if person < 20 else bared) * strength for person, strength in enumerate(strengths)]
    people = [{"neutral": calm, **{emotion: (calm + way).astype(np.float32) for emotion in FIVE}} for way in ways]
    reaches = typical_reaches(people)
    for emotion in FIVE:
        chosen = [person for person, reach in enumerate(reaches) if emotion in reach]
        assert len(chosen) == 10 and max(chosen) < 20, "those who bare their teeth are fewer"
        how_far = [reaches[person][emotion] * strengths[person] for person in chosen]
        assert np.ptp(how_far) < 1e-3 * np.mean(how_far)
    assert reaches[chosen[0]]["surprised"] / reaches[chosen[0]]["fearful"] == pytest.approx(REACH["surprised"])


def wide_mouth(inside: int) -> Portrait:
    """A grey face with an open mouth that is as bright inside as asked."""
    with FaceFinder() as finder:
        mesh = finder.mesh(draw_faces.draw_face(4_711, "surprised"))
    assert mesh
    image = np.full((512, 512, 3), 150, np.uint8)
    cv2.fillPoly(image, [mesh.points[[*UPPER_LIP, *LOWER_LIP[::-1]]].round().astype(int)], (inside,) * 3)
    return Portrait(image, mesh.points)


def test_a_mouth_that_opens_shows_the_inside_that_was_given_and_goes_the_given_way():
    """Light from one person, the inside of the mouth from another, the way from many."""
    shut = wide_mouth(150)
    points = shut.points.copy()
    points[LOWER_LIP] = points[UPPER_LIP]
    shut = Portrait(shut.image, points)
    bright, dark = (Change(shut, wide_mouth(inside)) for inside in (220, 30))
    lightest, darkest = (inside_mouth(change.shown, dark.shown.points)[12, 24] for change in (bright, dark))
    assert lightest > 1.2 and darkest < 0.4, "of the skin's brightness, so that mouths can be told apart"
    opening = dark.shown.points - shut.points
    middle = tuple(dark.shown.points[[13, 14]].mean(axis=0).round().astype(int)[::-1])
    for mouth, seen in ((bright, 220), (dark, 30)):
        made = express(shut, opening, [bright, dark], mouth)
        assert abs(int(made[middle][0]) - seen) < 12
    assert abs(int(express(shut, opening * 0, [bright], dark)[middle][0]) - 150) < 12, "a shut mouth stays shut"
