"""Two real processes on gloo: they learn what one of twice the batch learns, and neither outlives the other."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ROOT, flags, scoring

from common.errors import UserError
from training.distributed import _require_gpus

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")

# `main.py` in double precision: in single, Adam makes full steps of rounding errors where a gradient is truly zero
# (InstanceNorm removes what the centre taps of the label channels add): no two orders of summation stay together.
IN_DOUBLE = """
import sys, torch
torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double
import main
sys.exit(main.main())
"""


def run(*command):
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200, env=one_thread())


def one_thread(**more):
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def start_by_hand(rank, port, *words):
    """One of two processes as torchrun would start it, but without torchrun, which would end the other itself."""
    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return subprocess.Popen(
        [sys.executable, "main.py", *map(str, words)],
        cwd=ROOT,
        env=one_thread(**{name: str(value) for name, value in places.items()}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def farthest(a, b, i):
    """The largest difference between two runs' networks after iteration `i`."""
    differences = []
    for part in "GD":
        x, y = (torch.load(folder / "model_save" / f"{i}-{part}.ckpt", weights_only=True) for folder in (a, b))
        differences += [(x[name] - y[name]).abs().max().item() for name in x]
    return max(differences)


def scores(folder):
    with (folder / "model_save" / "scores.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def losses(told):
    """The lines with losses, without the speed."""
    return [line.split(" it/s")[0].rsplit("  ", 1)[0] for line in told.splitlines() if "D/loss" in line]


@pytest.mark.slow
def test_two_processes_follow_one_of_twice_the_batch(drawn, judge, tmp_path):
    """Parameters, scores and losses after 20 iterations; and a run of one goes on from what two have saved."""
    one, two, driver = tmp_path / "one", tmp_path / "two", tmp_path / "in_double.py"
    driver.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{IN_DOUBLE}")
    words = {**scoring(drawn, judge), "amp": "off", "num_iters": 20, "sample_step": 10, "model_save_step": 10}
    alone = run(sys.executable, driver, *flags(one, **words, batch_size=8))
    assert alone.returncode == 0, alone.stderr
    together = run(*TORCHRUN, driver, *flags(two, **words, batch_size=4))
    assert together.returncode == 0, together.stderr
    assert farthest(one, two, 20) < 1e-9
    for ours, theirs in zip(scores(two), scores(one), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    assert losses(together.stdout) == losses(alone.stdout)  # means over both; told by one process, not by each

    for path in (two / "model_save").glob("20-*"):
        path.unlink()
    resumed = run(sys.executable, driver, *flags(two, **words, batch_size=8, resume_iters="latest"))
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming from iteration 10" in resumed.stdout
    assert farthest(one, two, 20) < 1e-9


def two_at_work(drawn, folder):
    """Two processes that have trained for three iterations of very many."""
    words = flags(folder, image_dir=drawn, num_iters=100_000, log_step=1)
    port = free_port()
    first, second = (start_by_hand(rank, port, *words) for rank in (0, 1))
    for line in first.stdout:
        if line.startswith("[3/"):
            break
    return first, second


@pytest.mark.slow
def test_a_killed_process_ends_the_other_with_the_reason(drawn, tmp_path):
    first, second = two_at_work(drawn, tmp_path)
    second.kill()
    out, error = first.communicate(timeout=100)
    second.communicate()
    assert first.returncode == 1, out
    assert "has lost the others" in error
    assert "--resume_iters latest" in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_asked_to_stop_both_save_and_end_at_the_same_iteration(drawn, tmp_path):
    """Only one of them gets the signal, as when one machine of several is taken away."""
    first, second = two_at_work(drawn, tmp_path)
    second.send_signal(signal.SIGTERM)
    out, _ = first.communicate(timeout=100)
    second.communicate(timeout=100)
    assert (first.returncode, second.returncode) == (0, 128 + signal.SIGTERM)
    assert "--resume_iters latest" in out
    assert len(list((tmp_path / "model_save").glob("*-state.ckpt"))) == 1


@pytest.mark.slow
def test_torchrun_starts_a_broken_run_again_from_its_latest_set(drawn, tmp_path):
    words = flags(tmp_path, image_dir=drawn, num_iters=120, log_step=1, model_save_step=20)
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*TORCHRUN, "--max_restarts=1", "main.py", *words],
            cwd=ROOT,
            env=one_thread(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("[30/"):
            os.kill(second_process_of(process.pid), signal.SIGKILL)
            break
    told += process.stdout.readlines()
    assert process.wait(timeout=60) == 0, errors.read_text()
    resumed = [line for line in told if line.startswith("resuming from iteration")]
    assert len(resumed) == 1
    assert int(resumed[0].split()[-1]) >= 20
    assert (tmp_path / "model_save" / "120-state.ckpt").exists()


def test_a_restart_can_t_take_another_run_s_sets_for_its_own(main_here, drawn, tmp_path, monkeypatch):
    assert main_here(*flags(tmp_path, image_dir=drawn)).returncode == 0
    words = flags(tmp_path, image_dir=drawn, num_iters=20)
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "2")
    run = main_here(*words)
    assert run.returncode == 2
    assert "holds sets of another run up to iteration 10" in run.stderr and "move them away" in run.stderr
    assert main_here(*words, "--resume_iters", "latest").returncode == 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"image_dir": "no/such"}, "error: there is no folder no/such"),
        # Found by the first process while the second waits for it.
        pytest.param(
            {"score": "emotion", "emotion_model": "no/such.pt", "sample_step": 5}, "no/such.pt", marks=pytest.mark.slow
        ),
    ],
)
def test_a_mistake_is_told_once(drawn, tmp_path, changed, sentence):
    told = run(*TORCHRUN, "main.py", *flags(tmp_path, **{"image_dir": drawn, **changed}))
    assert told.returncode != 0
    sentences = [line for line in told.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1 and sentence in sentences[0], told.stderr
    assert "exitcode  : 2" in told.stderr and "lost the others" not in told.stderr


def test_more_processes_than_gpus_is_told_by_all():
    with pytest.raises(UserError, match="8 processes on a machine of 2 GPUs"):
        _require_gpus(8, 2)
    _require_gpus(2, 2)


def second_process_of(torchrun_pid):
    """The process id of rank 1."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        children = subprocess.run(["pgrep", "-P", str(torchrun_pid)], capture_output=True, text=True).stdout.split()
        for child in children:
            if b"\0RANK=1\0" in Path(f"/proc/{child}/environ").read_bytes():
                return int(child)
    raise AssertionError("torchrun has no second process")
