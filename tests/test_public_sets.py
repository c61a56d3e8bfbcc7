"""Data sets as they lie on the web: labelled by a table, by numbers, copied into themselves, divided already."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
from PIL import Image
from test_datapreprocess import ROOT, rows, run, write_faces

import main
from common import whole_files
from imaging.drawing.picture import draw_face
from model import Generator
from preprocessing.likeness import NEAR, likeness, on_both_sides

SMALL = ("--min_face", 30)


def kept(output: Path, split: str = "train") -> dict[str, str]:
    return {s: row["emotion"] for s, row in rows(output).items() if row["kept"] == "1" and row["split"] == split}


def test_photos_labelled_by_a_table(tmp_path, capsys):
    """Words in any case and language, a number, an emotion that is not asked for, files that are only on one side."""
    write_faces(tmp_path / "set/images", [f"{n}.jpg" for n in range(8)], size=128)
    (tmp_path / "set/legend.csv").write_text(
        "user.id,image,emotion\n1,0.jpg,HAPPINESS\n1,1.jpg,joie\n2,images/2.jpg,4\n2,3.jpg,disgust\n3,4.jpg,bof\n"
        "3,5.jpg,anger\n3,5.jpg,fear\n4,nowhere.jpg,anger\n4,7.jpg,neutral\n",
        encoding="utf-8-sig",
    )
    words = ("--input", tmp_path / "set", "--labels", tmp_path / "set/legend.csv", "--map", "joie=happy", "4=sad")
    assert run(*words, *SMALL, "--output", tmp_path / "out", "--emotions", "happy", "sadness", "disgust", "angry") == 0
    assert kept(tmp_path / "out") == {
        "images/0.jpg": "happy", "images/1.jpg": "happy", "images/2.jpg": "sadness", "images/3.jpg": "disgust"
    }  # fmt: skip
    reasons = {source: row["reason"] for source, row in rows(tmp_path / "out").items() if row["kept"] == "0"}
    assert reasons == {
        "images/4.jpg": "a label that is not understood (bof)",
        "images/5.jpg": "two labels in the table",
        "images/6.jpg": "no line in the table of labels",
        "images/7.jpg": "emotion not asked for",
    }
    told = capsys.readouterr().out
    assert "1 of 8 lines" in told and "name no file" in told
    assert "a label that is not understood: bof 1 (--map bof=happy" in told


def test_a_table_tells_files_of_one_name_apart_by_their_folders_and_a_line_for_several_is_said(tmp_path, capsys):
    for n, folder in enumerate("abc"):
        write_faces(tmp_path / "set" / folder, ["1.jpg"], size=128, first=n)
    words = ("--input", tmp_path / "set", *SMALL, "--labels", tmp_path / "labels.csv")
    (tmp_path / "labels.csv").write_text("path,emotion\ndata/a/1.jpg,happy\ndata/b/1.jpg,sad\n")
    assert run(*words, "--output", tmp_path / "out") == 0
    assert kept(tmp_path / "out") == {"a/1.jpg": "happy", "b/1.jpg": "sadness"}, "c's could be either"
    assert "several files" not in capsys.readouterr().out
    (tmp_path / "labels.csv").write_text("path,emotion\na/1.jpg,happy\n")
    assert run(*words, "--output", tmp_path / "out2") == 0
    assert "1 lines of" in (told := capsys.readouterr().out) and "name several files each, as a/1.jpg" in told


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ("", "empty"),
        ("a;b;c\n1;2;3\n", "a column named file"),
        ("file,emotion\nelse.jpg,happy\n", "names none of the 1 files below --input, as happy/0.jpg"),
        (None, "can't be read"),
    ],
)
def test_a_table_that_is_none(tmp_path, capsys, table, word):
    write_faces(tmp_path / "set/happy", ["0.jpg"], size=64)
    if table is not None:
        (tmp_path / "labels.csv").write_text(table)
    assert run("--input", tmp_path / "set", "--labels", tmp_path / "labels.csv", "--output", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert word in told and told.count("\n") == 1 and not (tmp_path / "out").exists()


def test_folders_in_other_words_are_named_and_can_be_mapped(tmp_path, capsys):
    write_faces(tmp_path / "set/joie", ["0.jpg"], size=128)
    write_faces(tmp_path / "set/4", ["1.jpg"], "angry", size=128, first=1)
    arguments = ("--input", tmp_path / "set", *SMALL)
    assert run(*arguments, "--output", tmp_path / "none") == 1
    told = capsys.readouterr().out
    assert "no emotion in its path: " in told and "joie 1" in told and "4 1" in told and "--map" in told
    assert "the words that are understood" in told and "기쁨" in told
    assert (
        run(*arguments, "--output", tmp_path / "out", "--map", "joie=happy", "4=calm", "--emotions", "happy", "calm")
        == 0
    )
    assert kept(tmp_path / "out") == {"joie/0.jpg": "happy", "4/1.jpg": "calm"}


def test_a_word_mapped_to_two_emotions_is_a_mistake(tmp_path, capsys):
    write_faces(tmp_path / "set/4", ["1.jpg"], size=64)
    words = ("--input", tmp_path / "set", "--output", tmp_path / "out", "--map")
    assert run(*words, "4=happy", "4=joy", "4=sad") == 2
    assert "--map says two things of 4: happy and sadness" in capsys.readouterr().err


def test_copied_folders_are_kept_once_and_on_one_side(tmp_path, capsys):
    """Capitalised folders, a copy of all of it inside, the same pictures smaller beside them, one with two emotions."""
    folder = tmp_path / "set"
    write_faces(folder / "Happy", [f"{n}.jpg" for n in range(10)], size=160)
    write_faces(folder / "Angry", [f"{n}.jpg" for n in range(6)], "angry", size=160, first=20)
    for file in sorted(folder.glob("*/*.jpg")):
        smaller = folder / "small" / file.parent.name / f"small_{file.name}"
        smaller.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).resize((128, 128)).save(smaller, quality=70)
    shutil.copytree(folder / "Happy", folder / "archive/Happy")
    shutil.copy(folder / "Angry/5.jpg", folder / "Happy/also.jpg")
    words = ("--input", folder, *SMALL, "--val_fraction", 0.3, "--output", tmp_path / "out")
    assert run(*words) == 0
    told = capsys.readouterr().out
    assert "left out 10: a copy of another picture" in told and "left out 2: the same picture has two emotions" in told
    train, val = kept(tmp_path / "out"), kept(tmp_path / "out", "val")
    assert len(train) + len(val) == 31 and not train.keys() & val.keys()
    pictures = [
        {(name.split("/")[-2], name.split("/")[-1].removeprefix("small_")) for name in side} for side in (train, val)
    ]
    assert val and not pictures[0] & pictures[1], "a smaller copy is on the other side"
    for split, side in (("out", train), ("out_val", val)):
        assert len(list((tmp_path / split).rglob("*.jpg"))) == len(side)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.glob("out*/*/*.jpg")}
    assert run(*words) == 0
    assert {file: file.stat().st_mtime_ns for file in tmp_path.glob("out*/*/*.jpg")} == before, "nothing is done twice"


def test_a_whole_person_moves_with_a_picture_that_is_on_both_sides():
    hashes = {name: likeness(draw_face(n, "happy", size=64)) for n, name in enumerate("abcd")}
    entries = [("x", "train", hashes["a"]), ("y", "val", hashes["a"]), ("y", "val", hashes["b"]),
               ("z", "val", hashes["b"]), ("w", "val", hashes["c"]), ("v", "train", "")]  # fmt: skip
    assert on_both_sides(entries) == {"y", "z"}


def test_a_likeness_survives_another_size_and_tells_people_apart():
    def bits(a: str, b: str) -> int:
        return (int(a, 16) ^ int(b, 16)).bit_count()

    for identity in range(4):
        face = Image.fromarray(draw_face(identity, "happy", size=256))
        own = likeness(np.asarray(face))
        assert bits(own, likeness(np.asarray(face.resize((100, 100))))) <= NEAR
        assert bits(own, likeness(draw_face(identity + 10, "happy", size=256))) > 2 * NEAR


def test_a_sets_own_division_is_kept_where_asked_for_and_said_otherwise(tmp_path, capsys):
    for side, first in (("train", 0), ("validation", 10), ("Test", 20)):
        write_faces(tmp_path / "set" / side / "happy", [f"{n}.jpg" for n in range(3)], size=128, first=first)
    arguments = ("--input", tmp_path / "set", *SMALL)
    assert run(*arguments, "--output", tmp_path / "own", "--split", "folders") == 0
    assert set(kept(tmp_path / "own")) == {f"train/happy/{n}.jpg" for n in range(3)}
    assert len(kept(tmp_path / "own", "val")) == 6
    for person in ("train/happy/1", "Test/happy/2"):  # they are on both sides of the set; of one picture nobody is
        file = tmp_path / "set" / f"{person}.jpg"
        Image.open(file).resize((100, 100)).save(tmp_path / "set/validation/happy" / f"{file.stem}x.jpg", quality=80)
    by_number = ("--person_pattern", r"(\d)x?\.jpg")
    assert run(*arguments, "--output", tmp_path / "both", "--split", "folders", *by_number) == 0
    assert "persons: 3 in train, 3 held out; 3 on both sides, as the folders have them\n" in capsys.readouterr().out
    assert set(kept(tmp_path / "both")) == {f"train/happy/{n}.jpg" for n in range(3)} | {"validation/happy/1x.jpg"}
    for file in (tmp_path / "set/validation/happy").glob("*x.jpg"):
        file.unlink()
    assert run(*arguments, "--output", tmp_path / "mixed") == 0
    assert "--split folders keeps it so" in capsys.readouterr().out
    assert run("--input", tmp_path / "set/train", "--output", tmp_path / "no", "--split", "folders") == 2
    assert "needs train and val or test folders" in capsys.readouterr().err


def test_persons_are_read_off_the_path_and_a_pattern_that_names_nobody_is_a_mistake(tmp_path, capsys):
    for person in range(4):
        write_faces(tmp_path / f"set/s{person:02}/happy", ["0.jpg", "1.jpg"], size=128, first=2 * person)
    arguments = ("--input", tmp_path / "set", *SMALL, "--val_fraction", 0.3, "--person_pattern")
    assert run(*arguments, r"(kid\d+)", "--output", tmp_path / "none") == 2
    assert "matched 0 of 8 paths below --input, as s0" in capsys.readouterr().err and not (tmp_path / "none").exists()
    assert run(*arguments, r"^(s\d+)/", "--output", tmp_path / "out") == 0
    assert "persons: 3 in train, 1 held out\n" in capsys.readouterr().out
    sides = [{row["person"] for row in rows(tmp_path / "out").values() if row["split"] == s} for s in ("train", "val")]
    assert len(sides[1]) == 1 and not sides[0] & sides[1]


def test_a_path_with_two_emotions_is_said(tmp_path, capsys):
    write_faces(tmp_path / "set/angry/happy", ["x.jpg"], size=128)
    assert run("--input", tmp_path / "set", *SMALL, "--output", tmp_path / "out") == 0
    assert "1 paths name several emotions, as angry/happy/x.jpg: the outermost folder counts" in capsys.readouterr().out
    assert kept(tmp_path / "out") == {"angry/happy/x.jpg": "angry"}


def test_a_second_run_into_one_folder_is_refused(tmp_path, capsys):
    write_faces(tmp_path / "set/happy", ["0.jpg"], size=128)
    (tmp_path / "out").mkdir()
    with filelock.FileLock(tmp_path / "out/.lock"):  # as a run in another process, which has yet to finish
        assert run("--input", tmp_path / "set", *SMALL, "--output", tmp_path / "out") == 2
    assert "another preprocessing is writing to" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("settings.json", '{"inp', "settings.json is damaged"),
        ("settings.json", "[]", "settings.json is damaged"),
        (".journal.jsonl", "[1, 2]\n", "line 1 of"),
        (".journal.jsonl", "rubbish\n", "line 1 of"),
    ],
)
def test_what_a_broken_disk_made_of_the_folder_is_one_sentence(tmp_path, capsys, file, content, word):
    write_faces(tmp_path / "set/happy", ["0.jpg"], size=128)
    arguments = ("--input", tmp_path / "set", *SMALL, "--output", tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / file).write_text(content)
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert word in told and told.count("\n") == 1 and "Traceback" not in told


def test_files_that_show_a_child_are_the_owners_alone_where_the_system_says_so(tmp_path, models_folder, monkeypatch):
    """umask 077: crops, journal, settings, manifest and report; and the pictures and the page of test mode."""
    told = subprocess.run(
        [sys.executable, "-c", "from common.whole_files import UMASK; print(oct(UMASK))"],
        cwd=ROOT, umask=0o027, capture_output=True, text=True,
    )  # fmt: skip
    assert told.stdout == "0o27\n", "it is read when a program starts"
    monkeypatch.setattr(whole_files, "UMASK", 0o077)
    write_faces(tmp_path / "set/happy", ["0.jpg"], size=128)
    words = ["--mode", "test", "--test_iters", 5, "--model_save_dir", models_folder, "--image_size", 64]
    words += ["--image_path", tmp_path / "set", "--result_dir", tmp_path / "results", "--backend", "torch"]
    before = os.umask(0o077)
    try:
        assert run("--input", tmp_path / "set", *SMALL, "--output", tmp_path / "out") == 0
        assert main.main([str(word) for word in words]) == 0
    finally:
        os.umask(before)
    files = [file for folder in ("out", "results") for file in (tmp_path / folder).rglob("*") if file.is_file()]
    assert len(files) > 10
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.fixture
def models_folder(tmp_path):
    """A generator of a few filters, untrained."""
    torch.manual_seed(0)
    (tmp_path / "models").mkdir()
    torch.save(Generator(8, 5, 1).state_dict(), tmp_path / "models/5-G.ckpt")
    return tmp_path / "models"
