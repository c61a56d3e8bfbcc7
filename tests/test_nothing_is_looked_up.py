"""Nothing leaves the machine: what the project runs asks for no host's name, and leaves no number for its maker."""

from __future__ import annotations

import os
import sys

import pytest
from conftest import ROOT, flags, scoring
from PIL import Image

from common import pretrained_files
from tests import name_lookups
from tests.serving import make_checkpoint

pytestmark = pytest.mark.skipif(not name_lookups.possible(), reason="this system makes no network of its own")

# A library that reports to its maker may wait before it does: ONNX Runtime for ten seconds.
LINGERING = (
    "import atexit, runpy, sys, time; atexit.register(time.sleep, 16); sys.path.insert(0, '.'); del sys.argv[0];"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
# What may be found in a home that was empty.
OURS = (
    ".streamlit",
    ".config/matplotlib",
    ".cache/matplotlib",
    ".cache/fontconfig",
    ".cache/torch",
    ".local/share/mime",
)


@pytest.fixture(scope="module", autouse=True)
def pretrained():
    """They are fetched by name, rightly, where they are not there yet."""
    for name in ("face_landmarker", "face_detector_full_range", "face_detector_short_range", "face_recognition"):
        pretrained_files.path(name)


@pytest.fixture
def run(tmp_path):
    """Run Python with these words in a network of its own and an empty home: the names asked, what is in the home."""

    def words(*command):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        kept = {
            key: value for key, value in os.environ.items() if key not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
        }
        env = {**kept, "HOME": str(home), "STARGAN_FE_CACHE": str(pretrained_files.cache_folder())}
        done, asked = name_lookups.with_lookups([sys.executable, *command], ROOT, env)
        written = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
        return done, asked, [name for name in written if not name.startswith(OURS)]

    return words


def words_of(what, tmp_path, drawn, judge, portrait):
    """The command lines of one thing that people do."""
    models = tmp_path / "model_save"
    models.mkdir()
    Image.fromarray(portrait).save(tmp_path / "photo.jpg")
    checkpoint = ("--model_save_dir", models, "--test_iters", "best")
    if what == "train":
        return ["main.py", *flags(tmp_path, **scoring(drawn, judge, num_iters=5, use_tensorboard=True))]
    if what == "preprocess":
        (tmp_path / "photos/happy").mkdir(parents=True)
        (tmp_path / "photo.jpg").rename(tmp_path / "photos/happy/photo.jpg")
        return ["datapreprocess.py", "--input", tmp_path / "photos", "--output", tmp_path / "faces"]
    if what in ("page", "desk"):
        (tmp_path / "data").mkdir()
        models.rename(tmp_path / "data/models")
        make_checkpoint(tmp_path / "data/models")
        return ["-m", "tests.use_an_app", what, tmp_path]
    make_checkpoint(models)
    if what == "eval":
        judged = ("--fid_features", "emotion", "--emotion_model", judge)
        return ["main.py", "--mode", "eval", *checkpoint, "--image_dir", drawn, "--result_dir", tmp_path / "r", *judged]
    photo = ("--image_path", tmp_path / "photo.jpg", "--result_dir", tmp_path / "results")
    return ["main.py", "--mode", what, *checkpoint, *photo]


def test_the_witness_sees_a_name_that_is_looked_up(run):
    done, asked, _ = run("-c", "import socket; socket.getaddrinfo('stranger.example', 80)")
    assert done.returncode == 1 and set(asked) == {"stranger.example"}
    done, asked, _ = run("-c", "import subprocess; subprocess.run(['getent', 'hosts', 'not-python.example'])")
    assert set(asked) == {"not-python.example"}


@pytest.mark.slow
def test_an_export_is_nobody_elses_business(run, tmp_path, drawn, judge, portrait):
    done, asked, written = run(*words_of("export", tmp_path, drawn, judge, portrait))
    assert done.returncode == 0, done.stderr
    assert asked == [] and written == []


@pytest.mark.slow
@pytest.mark.parametrize("what", ["train", "test", "eval", "export", "preprocess", "page", "desk"])
def test_nothing_people_do_looks_up_a_name(run, tmp_path, drawn, judge, portrait, what):
    words = words_of(what, tmp_path, drawn, judge, portrait)
    done, asked, written = run(*(words if words[0] == "-m" else ("-c", LINGERING, *words)))
    assert done.returncode == 0, done.stderr
    assert asked == [] and written == []
