"""Preprocessing as a researcher meets it: what goes in, what comes out, what is said about the rest."""

from __future__ import annotations

import csv
import json
import math
import random
import subprocess
import sys
import time
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from broken_photos import saved, write_odd_but_good, write_useless
from PIL import Image

import datapreprocess
from face_detection import FaceFinder
from imaging.close_ups import advice_for
from imaging.drawing.picture import draw_face
from imaging.face_geometry import Box, crop_face, face_square
from preprocessing.crop import choose_face
from preprocessing.split import held_out

ROOT = Path(datapreprocess.__file__).parent


def run(*arguments: object, workers: int = 0) -> int:
    """The command, in this process unless workers are asked for."""
    try:
        return datapreprocess.main([*map(str, arguments), "--num_workers", str(workers)])
    except SystemExit as stop:  # argparse's way to refuse
        return int(stop.code or 0)


def rows(output: Path) -> dict[str, dict[str, str]]:
    with (output / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return {row["source"]: row for row in csv.DictReader(file)}


def tree(*folders: Path) -> dict[str, bytes]:
    """Every file a run leaves, the journal aside: its lines lie in the order in which workers finished."""
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return {str(file): file.read_bytes() for file in files if not file.name.startswith(".journal")}


def write_faces(folder: Path, names: list[str], emotion: str = "happy", size: int = 256, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for identity, name in enumerate(names, first):
        Image.fromarray(draw_face(identity, emotion, size=size)).save(folder / name)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Eight faces of two emotions, under folder names in two languages."""
    folder = tmp_path_factory.mktemp("data") / "train"
    write_faces(folder / "Happiness", ["0.jpg", "1.jpg", "2.jpg", "3.jpg"])
    write_faces(folder / unicodedata.normalize("NFD", "분노"), ["0.jpg", "1.jpg", "2.jpg", "3.jpg"], "angry")
    return folder


@pytest.fixture(scope="module")
def unbroken(data) -> Path:
    """What one run makes of `data`."""
    output = data.parent / "unbroken"
    assert run("--input", data, "--output", output) == 0
    return output


def test_folders_of_emotions_become_folders_of_crops(unbroken):
    crops = sorted(file.relative_to(unbroken).parts for file in unbroken.rglob("*.jpg"))
    assert [folder for folder, _ in crops] == ["angry"] * 4 + ["happy"] * 4
    for parts in crops:
        with Image.open(unbroken.joinpath(*parts)) as crop:
            assert crop.size == (512, 512)
    row = rows(unbroken)["Happiness/2.jpg"]
    assert (row["kept"], row["emotion"], row["split"], row["reason"]) == ("1", "happy", "train", "")
    assert (unbroken / row["file"]).is_file()
    assert float(row["x0"]) < 128 < float(row["x1"])  # the face's box, in pixels of the photo
    assert (unbroken / "report.html").read_text(encoding="utf-8").count("<img") >= 8


def test_odd_photos_are_kept_and_useless_ones_told(tmp_path, capsys):
    good = write_odd_but_good(tmp_path / "train/happy")
    useless = write_useless(tmp_path / "train/angry")
    assert len(useless) >= 30
    write_faces(tmp_path / "train/neutral", ["unasked.jpg"])
    write_faces(tmp_path / "train/holidays", ["unknown.jpg"])
    output = tmp_path / "out"
    assert run("--input", tmp_path / "train", "--output", output) == 0
    found = rows(output)
    plain = {name.encode(errors="surrogateescape").decode(errors="backslashreplace") for name in good}
    assert {name for name, row in found.items() if row["kept"] == "1"} == {f"happy/{name}" for name in plain}
    for name, reason in useless.items():
        row = found[f"angry/{name}"]
        assert row["kept"] == "0" and row["reason"] and row["reason"].startswith(reason), row
    assert found["neutral/unasked.jpg"]["reason"] == "emotion not asked for"
    assert found["holidays/unknown.jpg"]["reason"] == "no emotion in its path"
    assert len(found) == len(good) + len(useless) + 2
    told = capsys.readouterr().out
    assert f"kept {len(good)} faces" in told
    assert "emotion not asked for" in told
    upright, turned = (found[f"happy/{name}.jpg"] for name in ("plain", "on_its_side"))
    assert float(turned["y0"]) == pytest.approx(float(upright["y0"]), abs=4)


def test_nothing_kept_is_exit_code_1(tmp_path):
    write_useless(tmp_path / "train/happy")
    assert run("--input", tmp_path / "train", "--output", tmp_path / "out") == 1
    assert len(rows(tmp_path / "out")) >= 30
    assert (tmp_path / "out/report.html").is_file()


def test_ai_hub_as_downloaded(tmp_path):
    """Zips and folders, names in either Unicode form, labels in either encoding, annotators of many minds."""
    person = {letter: letter * 64 for letter in "abcdef"}
    photos = {  # name: uploader's emotion, the three votes, what becomes of it
        f"{person['a']}_여_20_기쁨_자연_1.jpg": ("기쁨", "기쁨 기쁨 기쁨", "happy"),
        f"{person['b']}_남_30_기쁨_자연_2.jpg": ("기쁨", "기쁨 당황 당황", "surprised"),  # filed as agreed
        f"{person['c']}_여_40_기쁨_자연_3.jpg": ("기쁨", "기쁨 슬픔 중립", "annotators disagree"),
        f"{person['a']}_여_20_분노_자연_4.jpg": ("분노", "분노 분노 상처", "angry"),
        f"{person['b']}_남_30_분노_자연_5.jpg": ("분노", "상처 상처 분노", "emotion not asked for"),
        f"{person['d']}_여_10_불안_자연_6.jpg": ("불안", "불안 불안 불안", "fearful"),
        f"{person['e']}_남_50_상처_자연_7.jpg": ("상처", "상처 상처 상처", "emotion not asked for"),
        f"{person['e']}_남_50_상처_자연_8.jpg": ("상처", "슬픔 슬픔 상처", "sadness"),
        f"{person['f']}_여_60_중립_자연_9.jpg": ("중립", "중립 중립 중립", "emotion not asked for"),
        f"{person['f']}_여_60_당황_자연_10.jpg": ("당황", "", "no label record"),
    }
    root = tmp_path / "download"
    encodings = {"기쁨": "cp949", "분노": "utf-8", "불안": "utf-8-sig", "상처": "cp949"}
    for number, (name, (emotion, votes, _)) in enumerate(photos.items()):
        form = "NFC" if number % 2 else "NFD"
        face = saved(Image.fromarray(draw_face(number, "happy", size=256)), "JPEG")
        add_to_zip(root / f"Training/[원천]EMOIMG_{emotion}_TRAIN_01.zip", unicodedata.normalize(form, name), face)
        if votes:
            form = "NFC" if encodings.get(emotion) == "cp949" or number % 2 == 0 else "NFD"  # CP949 has no NFD
            add_label(tmp_path / f"{emotion}.json", unicodedata.normalize(form, name), emotion, votes.split())
    for emotion, encoding in encodings.items():
        text = (tmp_path / f"{emotion}.json").read_text(encoding="utf-8")
        add_to_zip(root / f"Training/[라벨]EMOIMG_{emotion}_TRAIN.zip", f"img_({emotion}).json", text.encode(encoding))
    (root / "Validation").mkdir()
    (tmp_path / "중립.json").rename(root / "Validation/img_(중립).json")

    output = tmp_path / "out"
    assert run("--input", root, "--output", output, "--min_agreement", 2) == 0
    found = rows(output)
    assert len(found) == len(photos)
    for name, (emotion, _, outcome) in photos.items():
        (row,) = (r for source, r in found.items() if unicodedata.normalize("NFC", source).endswith(name))
        assert outcome == (row["emotion"] if row["kept"] == "1" else row["reason"]), name
        assert f"EMOIMG_{emotion}_TRAIN_01.zip/" in row["source"]
        assert row["person"] == name[:64]
    crops = sorted(file.relative_to(output).parts[0] for file in output.rglob("*.jpg"))
    assert crops == ["angry", "fearful", "happy", "sadness", "surprised"]
    assert not list(root.rglob("*.jpg"))  # read in place

    by_uploader = tmp_path / "by_uploader"
    assert run("--input", root, "--output", by_uploader, "--min_agreement", 0) == 0
    kept = [row["emotion"] for row in rows(by_uploader).values() if row["kept"] == "1"]
    assert sorted(kept) == ["angry", "angry", "fearful", "happy", "happy", "happy", "surprised"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_face_in_the_annotators_box_is_cropped_wherever_it_is(tmp_path, orientation):
    """However the photo is stored and loosely the box is drawn, and though a larger face is there."""
    seen = np.full((1600, 1200, 3), 120, np.uint8)
    seen[60:560, 80:580] = draw_face(3, "happy", size=500)
    seen[760:1560, 380:1180] = draw_face(4, "happy", size=800)
    with FaceFinder() as finder:
        faces = finder.boxes(seen)
    stored = Image.fromarray(seen)
    if orientation > 1:
        stored = stored.transpose({3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
                                   8: Image.Transpose.ROTATE_270}[orientation])  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "photos").mkdir()
    for number, face in enumerate(faces):
        stored.save(tmp_path / f"photos/{number}.jpg", exif=exif, quality=95)
        loose = dict(zip(("minX", "minY", "maxX", "maxY"),
                         (face.x0 - 30, face.y0 - 90, face.x1 + 60, face.y1 + 20), strict=True))  # fmt: skip
        add_label(tmp_path / "photos/labels.json", f"{number}.jpg", "기쁨", ["기쁨"] * 3, loose)
    assert run("--input", tmp_path / "photos", "--output", tmp_path / "out", "--format", "png") == 0
    assert len(faces) == 2
    for number, face in enumerate(faces):
        row = rows(tmp_path / "out")[f"{number}.jpg"]
        assert (row["box_from"], row["faces"]) == ("detector", "1"), "the other was looked for"
        corners = [float(row[name]) for name in ("x0", "y0", "x1", "y1")]
        assert corners == pytest.approx([face.x0, face.y0, face.x1, face.y1], abs=0.06 * face.side)
        crop = np.asarray(Image.open(tmp_path / "out" / row["file"])).astype(int)
        expected = crop_face(seen, face_square(Box(*corners, 1.0)))
        assert np.abs(crop - expected).mean() < 3  # JPEG's noise; four pixels off make 4.5


def test_a_labelled_photo_cut_short_is_left_out_though_its_face_is_there(tmp_path):
    (tmp_path / "photos").mkdir()
    photo = np.full((1600, 800, 3), 120, np.uint8)
    photo[:600, 100:700] = draw_face(3, "happy", size=600)
    whole = saved(Image.fromarray(photo), "JPEG")
    for name, data in (("whole.jpg", whole), ("cut.jpg", whole[: len(whole) * 98 // 100])):
        (tmp_path / "photos" / name).write_bytes(data)
        add_label(tmp_path / "photos/labels.json", name, "기쁨", ["기쁨"] * 3,
                  {"minX": 250, "minY": 180, "maxX": 550, "maxY": 480})  # fmt: skip
    assert run("--input", tmp_path / "photos", "--output", tmp_path / "out") == 0
    assert {name: row["reason"] for name, row in rows(tmp_path / "out").items()} == {
        "whole.jpg": "", "cut.jpg": "truncated"
    }  # fmt: skip


def add_to_zip(path: Path, name: str, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


SMALL_FACE = {"minX": 60.5, "minY": 80.0, "maxX": 190.0, "maxY": 210.0}


def add_label(path: Path, name: str, uploader: str, votes: list[str], box: Mapping[str, float] | None = None) -> None:
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    annotations = {
        f"annot_{k}": {"boxes": dict(box or SMALL_FACE), "faceExp": vote, "bg": "자연"}
        for k, vote in zip("ABC", votes, strict=True)
    }
    records.append({"filename": name, "gender": "여", "age": 20, "isProf": "일반인", "faceExp_uploader": uploader,
                    "bg_uploader": "자연", **annotations})  # fmt: skip
    path.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")


def test_a_broken_label_file_is_one_sentence(tmp_path, capsys):
    write_faces(tmp_path / "train/happy", ["0.jpg"])
    add_label(tmp_path / "train/labels.json", "0.jpg", "기쁨", ["기쁨"] * 3)
    whole = (tmp_path / "train/labels.json").read_bytes()
    (tmp_path / "train/labels.json").write_bytes(whole[:-1])
    assert run("--input", tmp_path / "train", "--output", tmp_path / "out") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again(data, unbroken, tmp_path):
    """With other numbers of workers, too: crops, manifest and report are those of the unbroken run."""
    output = tmp_path / "unbroken"  # the same name: the report tells the folder for held-out crops
    command = [sys.executable, "datapreprocess.py", "--input", data, "--output", output, "--num_workers"]
    moments = random.Random(0)
    for workers in ("2", "1", "2"):
        process = subprocess.Popen([*command, workers], cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        crops = moments.randint(0, 3)
        while process.poll() is None and len(list(output.rglob("*.jpg"))) < crops and time.monotonic() < deadline:
            time.sleep(0.001)
        process.kill()
        process.wait()
    subprocess.run([*command, "2"], cwd=ROOT, check=True, capture_output=True)
    assert tree(output) == {name.replace(str(unbroken), str(output)): data for name, data in tree(unbroken).items()}


def test_a_second_run_does_only_what_is_missing(tmp_path, capsys):
    write_faces(tmp_path / "train/happy", ["0.jpg", "1.jpg", "2.jpg", "3.jpg"])
    arguments = ("--input", tmp_path / "train", "--output", tmp_path / "out")
    run(*arguments)
    files = {source: tmp_path / "out" / row["file"] for source, row in rows(tmp_path / "out").items()}
    before = {source: file.stat().st_mtime_ns for source, file in files.items()}
    files["happy/0.jpg"].unlink()  # a crop that somebody lost
    Image.fromarray(draw_face(9, "happy", size=300)).save(tmp_path / "train/happy/1.jpg")  # another photo by that name
    (tmp_path / "train/happy/2.jpg").unlink()  # a photo that was withdrawn
    with (tmp_path / "out/.journal.jsonl").open("a") as journal:
        journal.write('["torn li')  # where a kill cut the last line off
    assert run(*arguments) == 0
    assert list(rows(tmp_path / "out")) == ["happy/0.jpg", "happy/1.jpg", "happy/3.jpg"]
    assert files["happy/0.jpg"].is_file()
    assert files["happy/1.jpg"].stat().st_mtime_ns > before["happy/1.jpg"]
    assert not files["happy/2.jpg"].exists()
    assert files["happy/3.jpg"].stat().st_mtime_ns == before["happy/3.jpg"]
    assert "1 crops removed" in capsys.readouterr().out

    assert run(*arguments, "--quality", 80) == 2
    assert "quality" in capsys.readouterr().err


def test_shards_merge_into_what_one_run_makes(data, unbroken, tmp_path, capsys):
    output = tmp_path / "unbroken"
    run("--input", data, "--output", output, "--shard", "1/2")
    assert run("--merge", "--output", output) == 2  # the second is missing
    assert "2 are missing" in capsys.readouterr().err
    run("--input", data, "--output", output, "--shard", "2/2")
    assert run("--merge", "--output", output) == 0
    merged, whole = tree(output), tree(unbroken)
    for name, content in whole.items():
        assert merged[name.replace(str(unbroken), str(output))] == content, name


def test_no_person_is_on_both_sides_of_the_split(tmp_path):
    for person in range(12):
        names = [f"{person:064x}_여_20_기쁨_{shot}.jpg" for shot in range(2)]
        write_faces(tmp_path / "train/happy", names, first=2 * person)
    output = tmp_path / "out"
    assert run("--input", tmp_path / "train", "--output", output, "--val_fraction", 0.4) == 0
    sides = {split: {r["person"] for r in rows(output).values() if r["split"] == split} for split in ("train", "val")}
    assert sides["train"] and sides["val"]
    assert not sides["train"] & sides["val"]
    assert len(list(output.rglob("*.jpg"))) == 2 * len(sides["train"])
    assert len(list((tmp_path / "out_val").rglob("*.jpg"))) == 2 * len(sides["val"])


def test_each_emotion_gives_up_its_share_and_the_summary_says_so(tmp_path, capsys):
    """Six fearful faces against twenty happy ones: a tenth of six would be one, and --mode eval needs two."""
    write_faces(tmp_path / "train/happy", [f"{i}.jpg" for i in range(20)], size=128)
    write_faces(tmp_path / "train/fearful", [f"f{i}.jpg" for i in range(6)], "fearful", 128, first=20)
    output = tmp_path / "out"
    assert run("--input", tmp_path / "train", "--output", output, "--val_fraction", 0.1, "--min_face", 40) == 0
    told = capsys.readouterr().out
    assert f"kept 22 faces (fearful 4, happy 18) in {output}" in told
    assert f"held out 4 faces (fearful 2, happy 2) in {tmp_path / 'out_val'}" in told
    assert f"see {output / 'manifest.csv'} and {output / 'report.html'}" in told
    assert len(list((tmp_path / "out_val/fearful").iterdir())) == 2


def test_persons_with_many_emotions_are_held_out_whole_and_shares_are_kept():
    """300 persons with 1 to 5 emotions and a few or many photos of each, one emotion rare."""
    chance = random.Random(1)
    faces = []
    for _ in range(300):
        person = chance.random()
        for emotion in chance.sample(["angry", "happy", "sadness", "surprised", "fearful"], chance.randint(1, 5)):
            if emotion != "fearful" or chance.random() < 0.05:
                faces += [(person, emotion)] * chance.choice([1, 1, 2, 7])
    val = held_out(faces, 0.2)
    assert held_out(reversed(faces), 0.2) == val
    for emotion in ("angry", "happy", "sadness", "surprised", "fearful"):
        own = [person in val for person, shown in faces if shown == emotion]
        assert 0.15 <= sum(own) / len(own) <= 0.3, emotion
    few = held_out([(0.1, "fearful"), (0.2, "fearful"), (0.3, "fearful"), (0.4, "fearful"), (0.1, "happy")], 0.1)
    assert few == {0.2, 0.3}, "two of four, and nobody whose only happy face is wanted for training"


def test_close_ups_are_warned_of_with_a_crop_size_that_helps(tmp_path, capsys):
    """Faces cut so close that their hair is cut off, as in most emotion data sets on the web."""
    (tmp_path / "train/happy").mkdir(parents=True)
    for identity in range(4):
        face = draw_face(identity, "happy", size=512)
        with FaceFinder() as finder:
            square = face_square(finder.boxes(face)[0]).centre(0.78)
        Image.fromarray(square.cut(face, 400)).save(tmp_path / f"train/happy/{identity}.png")
    assert run("--input", tmp_path / "train", "--output", tmp_path / "close", "--min_face", 40) == 0
    told = capsys.readouterr().out
    assert "warning: 100% of the faces fill their photos" in told
    suggested = int(told.split("--crop_size ")[1].split()[0])
    assert 320 <= suggested < 448
    for row in rows(tmp_path / "close").values():
        assert 320 <= int(row["clear"]) < 448
        assert float(row["outside"]) > 0
    assert f"train with --crop_size {suggested}" in (tmp_path / "close/report.html").read_text(encoding="utf-8")
    assert f"--crop_size {suggested}" in advice_for(tmp_path / "close", 448), "the start of training says it, too"
    assert advice_for(tmp_path / "close", suggested) == ""

    wide = np.pad(np.asarray(draw_face(0, "happy", size=256)), ((200, 200), (200, 200), (0, 0)), mode="edge")
    (tmp_path / "wide/happy").mkdir(parents=True)
    Image.fromarray(wide).save(tmp_path / "wide/happy/0.png")
    assert run("--input", tmp_path / "wide", "--output", tmp_path / "w") == 0
    assert "warning" not in capsys.readouterr().out


def test_masked_crops_get_a_soft_border_and_no_crop_size_that_does_not_help(tmp_path, capsys):
    """Faces cut to the face itself, from the brows to the chin: no part of the crop that shows a face lies inside."""
    (tmp_path / "train/happy").mkdir(parents=True)
    for identity in range(3):
        face = draw_face(identity, "happy", size=512)
        with FaceFinder() as finder:
            square = face_square(finder.boxes(face)[0]).centre(0.56)
        Image.fromarray(square.cut(face, 224)).save(tmp_path / f"train/happy/{identity}.png")
    crops = {}
    for border in ("soft", "repeat"):
        output = tmp_path / border
        assert run("--input", tmp_path / "train", "--output", output, "--format", "png", "--border", border) == 0
        crops[border] = [np.asarray(Image.open(file)).astype(int) for file in sorted(output.rglob("*.png"))]
        told = capsys.readouterr().out
        assert "no --crop_size that shows the whole face helps" in told and "train with --crop_size" not in told
    assert len(crops["soft"]) == len(crops["repeat"]) > 0
    for soft, repeated in zip(crops["soft"], crops["repeat"], strict=True):
        middle = slice(180, 330)
        assert np.abs(soft[middle, middle] - repeated[middle, middle]).max() == 0, "inside the photo nothing changes"
        assert np.abs(np.diff(repeated[:30], axis=0)).max() == 0, "pillars"
        assert np.abs(np.diff(soft[:120], axis=0)).mean() > 0.05, "no pillars"
        assert np.abs(np.diff(soft, axis=0)).max() <= np.abs(np.diff(repeated, axis=0)).max() + 8, "no edge is made"


def test_an_output_that_is_a_file_is_said_once(tmp_path, capsys):
    write_faces(tmp_path / "train/happy", ["0.jpg"])
    (tmp_path / "out").write_text("a letter")
    assert run("--input", tmp_path / "train", "--output", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert told.count(str(tmp_path / "out")) == 1
    assert (tmp_path / "out").read_text() == "a letter"


def test_align_levels_the_eyes(tmp_path):
    (tmp_path / "train/happy").mkdir(parents=True)
    tilted = Image.fromarray(draw_face(2, "happy", size=512)).rotate(20, resample=Image.Resampling.BICUBIC)
    tilted.save(tmp_path / "train/happy/0.png")
    slopes = []
    with FaceFinder() as finder:
        for name, options in (("as_is", []), ("level", ["--align"])):
            run("--input", tmp_path / "train", "--output", tmp_path / name, *options, "--format", "png")
            (crop,) = (tmp_path / name).rglob("*.png")
            mesh = finder.mesh(np.asarray(Image.open(crop)))
            x, y = mesh.points[263] - mesh.points[33]
            slopes.append(abs(math.degrees(math.atan2(y, x))))
    assert slopes[0] > 15
    assert slopes[1] < 2


NEAR, FAR, CORNER = Box(300, 300, 500, 500, 0.9), Box(100, 100, 140, 140, 0.9), Box(0, 0, 210, 210, 0.9)


@pytest.mark.parametrize(
    ("boxes", "annotated", "expected"),
    [
        ([FAR, NEAR], None, NEAR),  # the largest
        ([CORNER, NEAR], None, NEAR),  # a little larger, but far off the centre
        ([NEAR, FAR], (90, 95, 145, 150), FAR),  # the one the annotators mean
        ([NEAR], (600, 600, 700, 700), Box(600, 600, 700, 700, 0.0)),  # they see a face where no detector does
        ([], (600, 600, 700, 700), Box(600, 600, 700, 700, 0.0)),
        ([NEAR, FAR], (5000, 5000, 5100, 5100), NEAR),  # a box beyond the photo is a slip
        ([], None, None),
    ],
)
def test_which_face_is_meant(boxes, annotated, expected):
    assert choose_face(boxes, 800, 800, annotated)[0] == expected


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--input", "nowhere"], "nowhere"),
        (["--input", "empty"], "holds no photo"),
        (["--input", "train", "--output", "train/crops"], "lies inside"),
        (["--input", "train", "--emotions", "happy", "bored"], "bored"),
        (["--input", "train", "--person_pattern", "(["], "regular expression"),
        (["--input", "train", "--person_pattern", "abc"], "no group"),
        (["--input", "train", "--val_fraction", "1.5"], "val_fraction"),
        (["--input", "train", "--shard", "9/8"], "9/8"),
        (["--merge"], "holds no shard"),
    ],
)
def test_mistakes_are_told_and_nothing_is_made(tmp_path, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write_faces(tmp_path / "train/happy", ["0.jpg"])
    before = sorted(tmp_path.rglob("*"))
    assert run(*arguments) == 2
    message = capsys.readouterr().err
    assert word in message
    assert "Traceback" not in message
    assert sorted(tmp_path.rglob("*")) == before


def test_help_is_quick_and_needs_no_network_library():
    code = "import sys, datapreprocess as d\ntry: d.main(['--help'])\nexcept SystemExit: pass\n"
    check = "print([m for m in ('cv2', 'torch', 'mediapipe', 'jinja2') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code + check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.endswith("[]\n")
