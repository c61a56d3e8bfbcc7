"""The decoded cache gives the very batches of the files, and never stands for anything but them."""

import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time

import filelock
import pytest
import torch
from conftest import ROOT
from test_data_loader import pictures_in, stream

from common.errors import UserError
from imaging.face_crop import load_crop
from imaging.image_folder import LabelledImages, read_folder
from loading import decoded_cache
from loading.decoded_cache import open_cache, prepare

SETTING = (448, 32)  # crop_size, image_size


def pixels_file(folder):
    (path,) = folder.glob("*.u8")
    return path


@pytest.fixture
def ready(tmp_path):
    """Forty pictures, one of them broken, and a folder with their cache."""
    images = pictures_in(tmp_path / "train", 40, broken=(7,))
    prepare(tmp_path / "cache", images, *SETTING, num_workers=0)
    return images, tmp_path / "cache"


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_batch_from_the_cache_is_the_batch_from_the_files(drawn, tmp_path, num_workers):
    images = read_folder(drawn, 5)
    prepare(tmp_path, images, *SETTING, num_workers)
    files, cache = stream(images), stream(images, cache=tmp_path, num_workers=num_workers)
    for _ in range(10):
        read, cached = next(files), next(cache)
        assert torch.equal(read.x_real, cached.x_real)
        assert torch.equal(read.c_org, cached.c_org)
        assert read[2:] == cached[2:] == (None, None), "no pairs were asked for"


def test_it_is_decoded_once(ready, monkeypatch):
    images, folder = ready
    before, told = pixels_file(folder).stat(), []
    monkeypatch.setattr(decoded_cache, "load_crop", None)
    prepare(folder, images, *SETTING, num_workers=0, say=told.append)
    assert told == []
    assert pixels_file(folder).stat().st_mtime_ns == before.st_mtime_ns


def test_another_setting_or_folder_gets_a_file_of_its_own(ready, tmp_path):
    images, folder = ready
    before = pixels_file(folder)
    content, told = before.read_bytes(), []
    elsewhere = pictures_in(tmp_path / "others", 40)
    for others, setting in ((images, (448, 16)), (images, (20, 32)), (elsewhere, SETTING)):
        prepare(folder, others, *setting, num_workers=0, say=told.append)
    assert len(list(folder.glob("*.u8"))) == 4
    assert before.read_bytes() == content
    assert not any("again" in line for line in told)


@pytest.mark.parametrize("change", ["content", "another", "fewer", "cut", "description"])
def test_one_that_no_longer_holds_is_made_again_with_a_sentence(ready, change):
    images, folder = ready
    if change == "content":
        size = os.path.getsize(images.paths[3])  # noqa: PTH202
        replaced = bytearray(open(images.paths[5], "rb").read())  # noqa: PTH123, SIM115
        with open(images.paths[3], "wb") as file:  # noqa: PTH123
            file.write(replaced)
        os.utime(images.paths[3], ns=(1, 1))
        assert size == len(replaced)  # only the time tells
    elif change == "another":
        images.paths[3] = str(ready[1].parent / "train" / "00031.jpg")
        os.link(images.paths[2], images.paths[3])
    elif change == "fewer":
        images = LabelledImages(images.domains, images.paths[1:], images.labels[1:])
    elif change == "cut":
        os.truncate(pixels_file(folder), 1000)
    else:
        pixels_file(folder).with_suffix(".json").write_text("[]")
    told = []
    prepare(folder, images, *SETTING, num_workers=0, say=told.append)
    assert len(told) == 2 and "again" in told[0] and str(len(images.paths) - 1) in told[1]
    files, cache = stream(images), stream(images, cache=folder)
    for _ in range(10):
        assert torch.equal(next(files)[0], next(cache)[0])


def test_what_was_not_prepared_cannot_be_opened(ready):
    images, folder = ready
    for others, setting in ((images, (448, 64)), (LabelledImages(["one"], images.paths[::-1], images.labels), SETTING)):
        with pytest.raises(UserError, match="--cache"):
            open_cache(folder, others, *setting)


def test_a_full_disk_is_told_before_anything_is_decoded(tmp_path, monkeypatch):
    images = pictures_in(tmp_path / "train", 40)
    usage = type(decoded_cache.shutil.disk_usage(tmp_path))(10**9, 10**9 - 10_000, 10_000)
    monkeypatch.setattr(decoded_cache.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(decoded_cache, "load_crop", None)
    with pytest.raises(UserError, match=r"8\.05 GB .* 0\.00 GB free"):
        prepare(tmp_path / "cache", images, 448, 8192, num_workers=0)
    assert not list((tmp_path / "cache").glob("*.u8"))


def test_a_disk_that_fills_up_meanwhile_is_one_sentence_too(tmp_path):
    """The system refuses files above a size, as it refuses what a quota does not allow."""
    images = pictures_in(tmp_path / "train", 40)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(UserError, match=r"--cache .* could not be written .* 0\.00 GB"):
            prepare(tmp_path / "cache", images, *SETTING, num_workers=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "cache").glob("*faces*.u8*"))


def test_a_build_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    images = pictures_in(tmp_path / "train", 40)

    def interrupted(path, *setting):
        if path == images.paths[20]:
            raise KeyboardInterrupt
        return load_crop(path, *setting)

    monkeypatch.setattr(decoded_cache, "load_crop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "cache", images, *SETTING, num_workers=0)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_that_counts(tmp_path):
    """Killed where it hurts most: the pixels have their name, the description is not written yet."""
    images = pictures_in(tmp_path / "train" / "one", 40)
    code = """
import os, sys
from pathlib import Path
from loading import decoded_cache
from imaging.image_folder import read_folder
if sys.argv[2] == "decoding":
    decoded_cache.load_crop = lambda *_: os.kill(os.getpid(), 9)
else:
    decoded_cache.write_text = lambda *_: os.kill(os.getpid(), 9)
folder = Path(sys.argv[1])
decoded_cache.prepare(folder / "cache", read_folder(folder / "train", 1), 448, 32, 0)
"""
    told = []
    for moment in ("decoding", "naming"):
        run = subprocess.run([sys.executable, "-c", code, tmp_path, moment], cwd=ROOT)
        assert run.returncode == -signal.SIGKILL
        with pytest.raises(UserError, match="--cache"):
            open_cache(tmp_path / "cache", images, *SETTING)
    prepare(tmp_path / "cache", images, *SETTING, num_workers=0, say=told.append)
    assert "again" in told[0]
    assert torch.equal(next(stream(images))[0], next(stream(images, cache=tmp_path / "cache"))[0])
    assert not list((tmp_path / "cache").glob(".*.u8.*"))  # what the killed runs left half written is gone


def test_runs_that_start_together_decode_once(ready, monkeypatch):
    images, folder = ready
    description, told = pixels_file(folder).with_suffix(".json"), []
    with filelock.FileLock(pixels_file(folder).with_suffix(".lock")):  # as the first run, which has yet to finish
        description.rename(folder / "unfinished")
        second = threading.Thread(target=prepare, args=(folder, images, *SETTING, 0, told.append))
        second.start()
        while not told:
            time.sleep(0.01)
        assert second.is_alive()
        monkeypatch.setattr(decoded_cache, "load_crop", None)
        (folder / "unfinished").rename(description)
    second.join()
    assert len(told) == 1 and "waiting" in told[0]


def test_a_worker_that_is_spawned_maps_the_file_again(ready):
    images, folder = ready
    cache = open_cache(folder, images, *SETTING)
    pickled = pickle.dumps(cache)
    assert len(pickled) < 2000 < pixels_file(folder).stat().st_size
    assert (pickle.loads(pickled)[3] == cache[3]).all()
    with pytest.raises(ValueError, match="read-only"):
        cache[3][0] = 0


def test_the_description_is_plain_to_read(ready):
    images, folder = ready
    told = json.loads(pixels_file(folder).with_suffix(".json").read_text())
    assert told["content"]["images"] == 40 and told["content"]["crop_size"] == 448
    assert list(told["unreadable"]) == ["7"] and images.paths[7] in told["unreadable"]["7"]
