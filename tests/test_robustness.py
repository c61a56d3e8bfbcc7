"""What a run of days meets: kills, full disks, numbers that are none, broken images, a second run, hostile files."""

import os
import random
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT, flags
from PIL import Image

import data_loader
import losses
import solver
from benchmarks import kill_training
from benchmarks.fuzz_checkpoints import fuzz
from checkpointing import tensor_file, training_sets
from common import whole_files
from imaging.image_folder import read_folder
from training import safeguards


def parts(value=0.0):
    """A small set: G, D and state as they lie on disk."""
    return {part: {"weight": torch.full((50,), float(value))} for part in training_sets.PARTS}


def value_of(folder, name):
    training_sets.require_whole(folder, name)
    return float(tensor_file.read(training_sets.path_of(folder, name, "G"))["weight"][0])


# --- Kills and sets ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_killed_again_and_again_equals_an_unbroken_one(drawn, tmp_path, monkeypatch):
    """SIGKILL at random moments; the fifty of the issue are `benchmarks/kill_training.py`."""
    judge = kill_training.a_judge(tmp_path / "judge.pt")
    straight, broken, told = tmp_path / "straight", tmp_path / "broken", tmp_path / "told.txt"
    told.touch()
    words = [kill_training.flags(folder, drawn, judge, 40) for folder in (straight, broken)]
    for word in words:
        word[word.index("--num_workers") + 1] = "0"
        word[word.index("--sample_step") + 1] = "20"
    assert kill_training.live(words[0], told, None) == 0, told.read_text()
    chance = random.Random(1)
    for iteration in (7, 21):
        resume = "latest" if list((broken / "model_save").glob("*-state.ckpt")) else "0"
        kill_training.live([*words[1], "--resume_iters", resume], told, (iteration, chance.uniform(0, 0.2)))
    resume = "latest" if list((broken / "model_save").glob("*-state.ckpt")) else "0"
    assert kill_training.live([*words[1], "--resume_iters", resume], told, None) == 0, told.read_text()
    assert kill_training.differences(straight, broken, 40) == []


def test_latest_passes_over_what_is_not_whole_and_names_it(tmp_path, capsys):
    for i in (10, 20, 30, 40, 50):
        training_sets.save_set(tmp_path, i, parts(i))
    training_sets.path_of(tmp_path, 50, "state").unlink()
    training_sets.path_of(tmp_path, 40, "D").unlink()
    damaged = bytearray(training_sets.path_of(tmp_path, 30, "G").read_bytes())
    damaged[damaged.index(np.full(50, 30, np.float32).tobytes())] ^= 1  # one bit of one weight: torch does not notice
    training_sets.path_of(tmp_path, 30, "G").write_bytes(damaged)
    assert torch.load(training_sets.path_of(tmp_path, 30, "G"), weights_only=True)["weight"].shape == (50,)
    assert training_sets.resolve(tmp_path, "latest", training_sets.PARTS) == 20
    warned = capsys.readouterr().err.splitlines()
    assert [line.split(" is passed over")[0] for line in warned] == [f"warning: set {i}" for i in (50, 40, 30)]
    assert "50-state.ckpt" in warned[0] and "40-D.ckpt" in warned[1] and "30-G.ckpt" in warned[2]


def test_files_of_different_moments_are_no_set(tmp_path):
    training_sets.save_set(tmp_path, "best", parts(1))
    old = training_sets.path_of(tmp_path, "best", "state").read_bytes()
    training_sets.save_set(tmp_path, "best", parts(2))
    training_sets.path_of(tmp_path, "best", "state").write_bytes(old)  # as if killed between two renames
    with pytest.raises(tensor_file.DamagedCheckpoint, match=r"best-G\.ckpt is not the one"):
        training_sets.require_whole(tmp_path, "best")


def test_the_last_sets_the_milestones_and_the_best_stay(main_here, drawn, tmp_path):
    changes = {"image_dir": drawn, "model_save_step": 2, "num_iters": 14, "keep_last": 2, "keep_every": 5}
    (tmp_path / "model_save").mkdir()
    (tmp_path / "model_save" / ".8-G.ckpt.x7h3").write_bytes(b"what a kill left")
    training_sets.save_set(tmp_path / "model_save", "best", parts())
    assert main_here(*flags(tmp_path, **changes)).returncode == 0
    left = sorted(p.name for p in (tmp_path / "model_save").glob("*-state.ckpt"))
    assert left == ["10-state.ckpt", "12-state.ckpt", "14-state.ckpt", "best-state.ckpt"]
    assert sorted(p.name for p in (tmp_path / "model_save").glob(".*")) in ([], [".lock"])
    assert not (tmp_path / "model_save" / "4-G.ckpt").exists()


@pytest.mark.parametrize(("name", "step"), [(10, 61), ("best", 997)])
def test_a_write_that_fails_at_any_byte_leaves_the_set_before_whole(tmp_path, name, step):
    training_sets.save_set(tmp_path, name, parts(1))
    before = sorted(p.name for p in tmp_path.iterdir())
    size = max(p.stat().st_size for p in tmp_path.iterdir())
    for limit in [*range(0, size, step), size - 1]:
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                training_sets.save_set(tmp_path, name, parts(2))
            except OSError:
                os._exit(7)
            os._exit(8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert value_of(tmp_path, name) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    training_sets.save_set(tmp_path, name, parts(2))
    assert value_of(tmp_path, name) == 2


@pytest.mark.filterwarnings("ignore")
def test_damaged_and_hostile_files_end_in_one_sentence():
    """Sixty of the five hundred of `benchmarks/fuzz_checkpoints.py`."""
    ended, wrong = fuzz(60, seed=3)
    assert wrong == []
    assert ended["one sentence"] > 40


# --- Resume -----------------------------------------------------------------------------------------------------


def test_a_resume_between_generator_steps_logs_the_generators_last_losses(main_here, drawn, tmp_path):
    changes = {"image_dir": drawn, "log_step": 1, "num_iters": 8, "model_save_step": 6}
    straight = main_here(*flags(tmp_path, **changes)).stdout
    for path in (tmp_path / "model_save").glob("8-*"):
        path.unlink()
    resumed = main_here(*flags(tmp_path, **changes, resume_iters="latest")).stdout

    def losses_at(text, i):
        return next(line for line in text.splitlines() if line.startswith(f"[{i}/")).split("  G/lr")[0]

    for i in (7, 8):
        assert losses_at(resumed, i) == losses_at(straight, i)
        assert "G/loss_rec" in losses_at(resumed, i)


def test_a_resume_refuses_another_network_and_tells_what_else_changed(main_here, drawn, tmp_path):
    assert main_here(*flags(tmp_path, image_dir=drawn)).returncode == 0
    run = main_here(*flags(tmp_path, image_dir=drawn, resume_iters="latest", g_conv_dim=16))
    assert run.returncode == 2
    assert "--g_conv_dim 8" in run.stderr
    run = main_here(*flags(tmp_path, image_dir=drawn, resume_iters="latest", num_iters=12, g_lr=0.01))
    assert run.returncode == 0, run.stderr
    assert "changed: --g_lr 0.01 (the run so far: 0.0002)" in run.stdout
    assert "--d_lr" not in run.stdout.replace("G/lr", "")


# --- Stops ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_harms_nothing(drawn, tmp_path):
    words = flags(tmp_path, image_dir=drawn, num_iters=100_000, log_step=1, model_save_step=1, num_workers=1)
    process = subprocess.Popen(
        [sys.executable, "main.py", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("[3/"):
            break
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the loaders get it too
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert training_sets.resolve(tmp_path / "model_save", "latest", training_sets.PARTS) >= 2


def test_max_minutes_saves_and_stops(main_here, drawn, tmp_path):
    run = main_here(*flags(tmp_path, image_dir=drawn, num_iters=100_000, max_minutes=0.02))
    assert run.returncode == 0
    assert "--resume_iters latest" in run.stdout
    assert training_sets.resolve(tmp_path / "model_save", "latest", training_sets.PARTS) < 100_000


def test_a_full_disk_is_told_waited_for_and_ends_in_one_sentence(main_here, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_files, "PAUSES", (0.01, 0.01))
    write, calls = training_sets.write_tensors, []

    def full_from_the_second_set_on(path, content):
        calls.append(path)
        if 3 < len(calls) <= fails_until:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(training_sets, "write_tensors", full_from_the_second_set_on)
    fails_until = 4  # somebody made room
    run = main_here(*flags(tmp_path / "a", image_dir=drawn, model_save_step=5))
    assert run.returncode == 0, run.stderr
    assert "No space left on device" in run.stdout and "trying again" in run.stdout
    fails_until = 10**9
    calls.clear()
    run = main_here(*flags(tmp_path / "b", image_dir=drawn, model_save_step=5))
    assert run.returncode == 1
    assert "No space left on device" in run.stderr and len(run.stderr.strip().splitlines()) == 1
    assert training_sets.resolve(tmp_path / "b" / "model_save", "latest", training_sets.PARTS) == 5


def test_a_second_run_in_the_same_folder_is_refused(main_here, drawn, tmp_path, monkeypatch):

    monkeypatch.setattr(safeguards, "LOCK_TIMEOUT", 0.1)
    (tmp_path / "model_save").mkdir()
    hold = "import pathlib; from training.safeguards import RunLock; "
    hold += f"l = RunLock(pathlib.Path({str(tmp_path / 'model_save')!r})); "
    holder = subprocess.Popen(
        [sys.executable, "-c", hold + "l.acquire(); print('held', flush=True); input()"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "held\n"
    run = main_here(*flags(tmp_path, image_dir=drawn))
    assert run.returncode == 2
    assert "another run is training into" in run.stderr
    holder.kill()  # a crash leaves no lock behind
    holder.wait()
    assert main_here(*flags(tmp_path, image_dir=drawn)).returncode == 0


# --- Crashes ----------------------------------------------------------------------------------------------------

CRASH = """
import sys, main, solver
def crash(*_):
    raise ValueError('a mistake of ours')
solver.discriminator_loss = crash
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_an_exception_while_training_ends_the_process_and_its_loaders(cli, drawn, tmp_path):
    words = flags(tmp_path, image_dir=drawn, num_workers=1)
    run = cli("-c", CRASH, *words)  # it hung for ever
    assert run.returncode == 1
    assert "ValueError: a mistake of ours" in run.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "error: the memory of the GPU is full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "error: the memory of the machine is full"),
    ],
)
def test_full_memory_is_one_sentence_with_the_ways_out(main_here, drawn, tmp_path, monkeypatch, error, told):
    def full(*_):
        raise error

    monkeypatch.setattr(solver, "discriminator_loss", full)
    run = main_here(*flags(tmp_path, image_dir=drawn, num_workers=1))
    assert run.returncode == 1
    assert told in run.stderr and len(run.stderr.strip().splitlines()) == 1
    assert "--accumulate 2" in run.stderr and "--gradient_checkpointing" in run.stderr


# --- Numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_nan", ["stop", "lower_lr"])
def test_a_loss_that_is_no_number_never_reaches_a_checkpoint(main_here, drawn, tmp_path, monkeypatch, on_nan):
    """NaN in the discriminator's penalty at iteration 13; noticed at the log step after it."""
    calls = []

    def poisoned(*args):
        calls.append(1)
        loss, parts = losses.discriminator_loss(*args)
        if len(calls) == 13:
            parts["D/loss_gp"] = parts["D/loss_gp"] * float("nan")
            loss = loss * float("nan")
        return loss, parts

    monkeypatch.setattr(solver, "discriminator_loss", poisoned)
    training_sets.save_set(tmp_path / "model_save", "best", parts(1))
    changes = {"image_dir": drawn, "num_iters": 20, "num_iters_decay": 0, "model_save_step": 5, "on_nan": on_nan}
    run = main_here(*flags(tmp_path, **changes))
    told = run.stderr if on_nan == "stop" else run.stdout
    assert "D/loss_gp became nan at iteration 13" in told and "set 10" in told
    assert run.returncode == (1 if on_nan == "stop" else 0)
    assert training_sets.resolve(tmp_path / "model_save", "latest", training_sets.PARTS) == (
        10 if on_nan == "stop" else 20
    )
    assert value_of(tmp_path / "model_save", "best") == 1
    for path in (tmp_path / "model_save").glob("*-[GD].ckpt"):
        assert all(tensor.isfinite().all() for tensor in tensor_file.read(path).values())
    if on_nan == "lower_lr":
        assert len(calls) == 13 + 2 + 10  # noticed at 15; back to 10
        assert "G/lr 0.0001" in [line for line in run.stdout.splitlines() if "G/lr" in line][-1]


def test_lower_rates_that_do_not_help_are_not_recommended_again(main_here, drawn, tmp_path, monkeypatch):
    def poisoned(*args):
        loss, parts = losses.discriminator_loss(*args)
        return loss * float("nan"), {name: value * float("nan") for name, value in parts.items()}

    monkeypatch.setattr(solver, "discriminator_loss", poisoned)
    run = main_here(*flags(tmp_path, image_dir=drawn, num_iters=5, on_nan="lower_lr"))
    assert run.returncode == 1
    assert "go on from the beginning with lower rates" in run.stderr and "--on_nan" not in run.stderr


# --- Data -------------------------------------------------------------------------------------------------------


def test_too_many_unreadable_images_stop_the_run_with_a_list(main_here, drawn, tmp_path):
    folder = tmp_path / "train"
    for i, path in enumerate(sorted(drawn.glob("*/*.jpg"))):
        target = folder / path.relative_to(drawn)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"" if i % 6 == 5 else path.read_bytes())
    assert len(read_folder(folder, 5).paths) == 30
    run = main_here(*flags(tmp_path, image_dir=folder, num_iters=100, num_workers=0))
    assert run.returncode == 1
    assert "can't be read, more than 10%" in run.stderr
    assert run.stderr.count(".jpg") == 4
    assert run.stdout.count("unreadable image") == 4


def test_a_killed_loader_is_told_in_one_sentence(main_here, drawn, tmp_path, monkeypatch):
    def killed(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    from solver import fixed_faces  # read in the main process, before

    monkeypatch.setattr(solver, "fixed_faces", lambda *a: (fixed_faces(*a), monkeypatch.setattr(data_loader, "load_crop", killed))[0])  # fmt: skip  # noqa: E501
    run = main_here(*flags(tmp_path, image_dir=drawn, num_workers=1))
    assert run.returncode == 1
    assert "memory" in run.stderr and "--num_workers" in run.stderr
    assert len([line for line in run.stderr.splitlines() if line.startswith("error:")]) == 1


def test_a_sample_grid_that_cannot_be_written_does_not_end_the_run(main_here, drawn, tmp_path):
    (tmp_path / "sample" / "5-images.jpg").mkdir(parents=True)
    (tmp_path / "sample" / "5-images.jpg" / "in the way").touch()
    (tmp_path / "log" / "curves.png").mkdir(parents=True)
    run = main_here(*flags(tmp_path, image_dir=drawn, sample_step=5))
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("curves.png could not be written") == 2
    assert "5-images.jpg could not be written" in run.stdout
    assert np.asarray(Image.open(tmp_path / "sample" / "10-images.jpg")).any()
