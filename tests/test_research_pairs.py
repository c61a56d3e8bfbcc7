"""`python -m research.make_pairs`: calm faces with the five emotions, to learn from."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import datapreprocess
from common.emotions import EMOTIONS, FIVE
from face_detection import FaceFinder, Mesh
from imaging import draw_faces
from imaging.drawing.picture import draw_face
from imaging.image_folder import pair_table, read_folder
from imaging.mesh_warp import LOWER_LIP, UPPER_LIP, between_lips
from imaging.photo import read_photo
from research import make_pairs, mouths
from research.expression_transfer import Change, Portrait, transfer
from research.people import REACH, typical_reaches
from research.recipes import RECIPES, movement

ROOT = Path(datapreprocess.__file__).parent


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    """Two calm faces and one that smiles, twelve people who show everything, and mouths to borrow."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "photos/neutral").mkdir(parents=True)
    (folder / "mouths").mkdir()
    for name in ("photolike-s0109.jpg", "photolike-s1345.jpg"):
        shutil.copy(ROOT / "data/test" / name, folder / "photos/neutral")
    draw_faces.write_jpeg(folder / "photos/neutral/smiling.jpg", draw_face(4_711, "happy"))
    draw_faces.write_faces(folder / "drawn", [*EMOTIONS], 12, seed=3, same_identities=True)
    with mouths.LIST.open(newline="") as rows:
        for row in csv.DictReader(rows):
            draw_faces.write_jpeg(folder / "mouths" / row["file"], draw_face(5, row["emotion"]))
    for source, target, more in (("photos", "faces", ["neutral"]), ("drawn", "people", [*EMOTIONS, "--pairs"])):
        command = ["--input", str(folder / source), "--output", str(folder / target), "--num_workers", "0"]
        assert datapreprocess.main([*command, "--emotions", *more]) == 0
    return folder


def command(material: Path, target: Path, **other: Path) -> list[str]:
    folders = {name: material / name for name in ("people", "faces", "mouths")} | {"output": target} | other
    return [word for flag, folder in folders.items() for word in (f"--{flag}", str(folder))] + ["--people_beside", "2"]


@pytest.mark.slow
def test_calm_faces_get_the_emotions_of_others(material, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(make_pairs, "MAY_FAIL", len(FIVE))  # the judge hardly sees what drawn people lend
    assert make_pairs.main(command(material, tmp_path / "pairs")) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 faces and 2 people with six expressions each")
    assert "left out 1: smiles or opens the mouth" in said
    made = sorted(path.name for path in (tmp_path / "pairs/neutral").iterdir() if "photolike" in path.name)
    assert len(made) == 2
    with FaceFinder() as finder:
        for name in made:
            pictures = {emotion: read_photo(tmp_path / "pairs" / emotion / name) for emotion in EMOTIONS}
            meshes = {emotion: finder.mesh(picture) for emotion, picture in pictures.items()}
            smiles = {emotion: mesh.blendshapes["mouthSmileLeft"] for emotion, mesh in meshes.items()}
            assert smiles["happy"] > smiles["neutral"] + 0.2
            assert lips_apart(meshes["surprised"]) > lips_apart(meshes["neutral"]) + 0.03
            assert brows_over_eyes(meshes["angry"]) < brows_over_eyes(meshes["neutral"])
            assert brows_over_eyes(meshes["fearful"]) > brows_over_eyes(meshes["neutral"])
            corner = pictures["neutral"][:60, :60].astype(int)
            assert np.abs(pictures["surprised"][:60, :60] - corner).mean() < 2, "what is around the face stays"
    # A second run does nothing again, and the folder is what --lambda_pair trains on.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "pairs").rglob("photolike*.jpg")}
    assert make_pairs.main(command(material, tmp_path / "pairs")) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "pairs").rglob("photolike*.jpg")} == before
    pair_table(read_folder(tmp_path / "pairs", 6))


def test_what_pairs_need_is_said(material, tmp_path, capsys):
    for emotion in EMOTIONS:
        (tmp_path / "few" / emotion).mkdir(parents=True)
    for other, sentence in (
        ({"faces": material / "mouths"}, "has no faces in neutral/"),
        ({"people": material / "drawn/happy"}, "has no folder neutral"),
        ({"people": tmp_path / "few"}, "0 people whose smile and surprise are clear"),
        ({"mouths": material / "faces"}, "give the folder of photo-like people"),
        ({"output": material / "people/pairs"}, "lies inside --people"),
    ):
        given = command(material, tmp_path / "out", **other)
        assert make_pairs.main(given) == 2
        assert sentence in capsys.readouterr().err
    for emotion in EMOTIONS:
        (tmp_path / "few" / emotion / "torn.jpg").write_bytes(b"no picture")
    assert make_pairs.main(command(material, tmp_path / "out", people=tmp_path / "few")) == 2
    assert "torn.jpg is" in capsys.readouterr().err


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


def test_recipes_move_what_shows_the_emotion():
    """Without anybody's movement, what the recipes add: wide eyes of the frightened, pressed lips of the angry."""
    with FaceFinder() as finder:
        mesh = finder.mesh(draw_face(4_711, "neutral"))
    assert mesh
    face = Portrait(draw_face(4_711, "neutral"), mesh.points)
    still = {emotion: np.zeros_like(mesh.points) for emotion in FIVE}
    moved = {emotion: face.points + movement(face, still, RECIPES[emotion]) for emotion in FIVE}

    def eye(points: np.ndarray) -> float:
        return float(np.linalg.norm(points[159] - points[145]))

    assert eye(moved["fearful"]) > 1.2 * eye(face.points) > eye(moved["sadness"])
    corner, middle = 61, 0
    assert moved["angry"][corner, 1] - moved["angry"][middle, 1] > face.points[corner, 1] - face.points[middle, 1]
    assert np.linalg.norm(moved["fearful"][107] - moved["fearful"][336]) < np.linalg.norm(
        face.points[107] - face.points[336]
    ), "brows come together"


def test_a_mouth_that_opens_shows_the_inside_of_the_one_as_far_open():
    shut = face_with_mouth(150, opened=0)
    wide, narrow = face_with_mouth(220), face_with_mouth(30, opened=0.4)
    unchanged = [Change(*[shut.sized(256)] * 2)]
    for goal, seen in ((wide, 220), (narrow, 30)):
        made = transfer(shut, goal.points, unchanged, [wide, narrow])
        x, y = goal.points[[13, 14]].mean(axis=0).round().astype(int)
        assert abs(int(made.image[y, x, 0]) - seen) < 12
    x, y = shut.points[13].round().astype(int)
    assert abs(int(transfer(shut, shut.points, unchanged, [wide]).image[y, x, 0]) - 150) < 12, "a shut mouth stays shut"


def test_coloured_light_does_not_dye_the_teeth():
    face, donor = face_with_mouth(150, opened=0), face_with_mouth(200)
    blue = Portrait((donor.image * np.array([0.5, 0.7, 1.0])).astype(np.uint8), donor.points)
    made = transfer(face, donor.points, [Change(*[face.sized(256)] * 2)], [blue])
    x, y = donor.points[[13, 14]].mean(axis=0).round().astype(int)
    lent = blue.image[y, x].astype(int)
    assert np.ptp(made.image[y, x].astype(int)) < 0.6 * np.ptp(lent)


def lips_apart(mesh: Mesh) -> float:
    """In lengths of the face."""
    points = mesh.points
    return float(np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[10] - points[152]))


def brows_over_eyes(mesh: Mesh) -> float:
    """How high the inner ends of the brows are above the corners of the eyes, in lengths of the face."""
    points = mesh.points
    height = points[[133, 362], 1].mean() - points[[55, 285], 1].mean()
    return float(height / np.linalg.norm(points[10] - points[152]))


def face_with_mouth(inside: int, opened: float = 1.0) -> Portrait:
    """A grey face whose mouth is as bright inside, and as far open, as asked."""
    with FaceFinder() as finder:
        mesh = finder.mesh(draw_face(4_711, "surprised"))
    assert mesh
    points = mesh.points.copy()
    points[LOWER_LIP] = points[UPPER_LIP] + opened * (points[LOWER_LIP] - points[UPPER_LIP])
    image = np.full((512, 512, 3), 150, np.uint8)
    cv2.fillPoly(image, [between_lips(points).round().astype(int)], (inside,) * 3)
    return Portrait(image, points)
