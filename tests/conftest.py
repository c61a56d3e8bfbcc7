"""Small real data for all tests: drawn faces, and the flags of a network that trains in seconds."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # the processes share the cores: threads would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
pytest_plugins = ["child_page"]


def pytest_collection_modifyitems(items):
    """What takes longest comes first, so that both processes end together: browsers and servers, then large files."""

    def quickness(item):
        return not item.path.name.startswith(("test_page_", "test_desk", "test_backend")), -item.path.stat().st_size

    items.sort(key=quickness)


@pytest.fixture(autouse=True)
def only_gpu_tests_see_a_gpu(request, monkeypatch):
    """All others test the CPU's path, on every machine alike: their processes, and this one once torch is there."""
    if "gpu" in request.node.name:
        return
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    if "torch" in sys.modules:
        monkeypatch.setattr(sys.modules["torch"].cuda, "is_available", lambda: False)
        if sys.modules["torch"].backends.mps.is_available():
            monkeypatch.setattr(sys.modules["torch"].backends.mps, "is_available", functools.lru_cache(lambda: False))


@pytest.fixture(scope="session")
def portrait():
    """A real photo of one person (Grace Hopper, public domain), shipped with matplotlib, which MediaPipe needs."""
    import matplotlib
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg").convert("RGB"))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A training folder of drawn faces: six of each of the five emotions."""
    folder = tmp_path_factory.mktemp("drawn") / "train"
    command = [sys.executable, "-m", "imaging.draw_faces", "--output", str(folder), "--per_emotion", "6", "--seed", "0"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def judge(tmp_path_factory):
    """A judge file of a small network that knows the five emotions, its classes in an order of its own."""
    import timm
    import torch

    from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, save_judge

    torch.manual_seed(0)
    classes = ("Surprise", "Sadness", "Anger", "Happiness", "Fear")
    network = timm.create_model("test_efficientnet", num_classes=len(classes))
    path = tmp_path_factory.mktemp("judge") / "emotion.pt"
    save_judge(path, Judge("test_efficientnet", classes, 32, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict()))
    return path


@pytest.fixture
def cli():
    """Run a command of the project as a user would: `cli("main.py", "--mode", ...)` -> CompletedProcess."""

    def run(*words, timeout=200, **kwargs):
        command = [sys.executable, *map(str, words)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, **kwargs)

    return run


@pytest.fixture
def main_here(capsys):
    """Run `main.py` inside the test's process, which saves importing torch again; takes its flags."""
    import main

    def run(*words):
        capsys.readouterr()
        try:
            code = main.main([str(word) for word in words])
        except SystemExit as error:  # argparse's way of refusing a flag
            code = error.code
        told = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, told.out, told.err)

    return run


def flags(folder, **changes):
    """Flags of a tiny training run whose files all lie in `folder`."""
    values = {
        "image_size": 32,
        "g_conv_dim": 8,
        "d_conv_dim": 8,
        "g_repeat_num": 1,
        "d_repeat_num": 3,
        "batch_size": 4,
        "num_iters": 10,
        "num_iters_decay": 4,
        "lr_update_step": 2,
        "num_workers": 0,
        "use_tensorboard": False,
        "score": "none",
        "log_step": 5,
        "sample_step": 1000,
        "model_save_step": 1000,
        **{f"{name}_dir": Path(folder) / name for name in ("log", "model_save", "sample", "result")},
        **changes,
    }
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def scoring(drawn, judge, **changes):
    """Changes to `flags` that score on the small judge's own features."""
    return {
        "image_dir": drawn,
        "score": "fid*emotion",
        "fid_features": "emotion",
        "emotion_model": judge,
        "fid_sample_size": 20,
        "num_iters": 40,
        "sample_step": 5,
        "model_save_step": 15,
        "num_iters_decay": 0,
        **changes,
    }
