"""The best checkpoint in a real training run: what it is, that a resume keeps it, and what happens without weights."""

import csv

import pytest
import torch
from conftest import flags, scoring
from PIL import Image

from checkpointing import tensor_file


def scores(folder):
    with (folder / "model_save" / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def sets_of(folder):
    return {part: tensor_file.read(folder / "model_save" / f"best-{part}.ckpt") for part in ("G", "D")}


def test_the_best_set_is_that_of_the_lowest_score_and_survives_a_stop(main_here, drawn, judge, tmp_path):
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    run = main_here(*flags(straight, **scoring(drawn, judge)))
    assert run.returncode == 0, run.stderr
    rows = scores(straight)
    assert [int(row["iteration"]) for row in rows] == list(range(5, 45, 5))
    for row in rows:
        parts = [
            float(row[f"Fréchet distance (emotion features)/{e}"]) * (1 - float(row[f"confidence/{e}"]))
            for e in ("angry", "fearful", "happy", "sadness", "surprised")
        ]
        assert float(row["score"]) == pytest.approx(sum(parts), rel=1e-3)
    best = min(rows, key=lambda row: float(row["score"]))
    state = tensor_file.read(straight / "model_save" / "best-state.ckpt")
    assert state["iteration"] == int(best["iteration"])
    assert state["best_score"] == pytest.approx(float(best["score"]), rel=1e-4)
    best_grid = Image.open(straight / "sample" / "best-images.jpg")
    assert best_grid.tobytes() == Image.open(straight / "sample" / f"{best['iteration']}-images.jpg").tobytes()

    # Stopped after 20 and 25 were scored, but only 15 was saved.
    words = scoring(drawn, judge)
    assert main_here(*flags(broken, **{**words, "num_iters": 25})).returncode == 0
    for path in (broken / "model_save").glob("25-*"):
        path.unlink()
    run = main_here(*flags(broken, **words, resume_iters="latest"))
    assert run.returncode == 0, run.stderr
    assert "resuming from iteration 15" in run.stdout
    assert (broken / "model_save" / "scores.csv").read_text() == (straight / "model_save" / "scores.csv").read_text()
    for part, tensors in sets_of(straight).items():
        assert all(torch.equal(value, sets_of(broken)[part][key]) for key, value in tensors.items())


def test_best_can_be_resumed_and_tested(main_here, drawn, judge, tmp_path):
    assert main_here(*flags(tmp_path, **scoring(drawn, judge, num_iters=10))).returncode == 0
    done = tensor_file.read(tmp_path / "model_save" / "best-state.ckpt")["iteration"]
    run = main_here(*flags(tmp_path, **scoring(drawn, judge, num_iters=12, resume_iters="best")))
    assert run.returncode == 0, run.stderr
    assert f"resuming from iteration {done}" in run.stdout
    photo = next(drawn.glob("angry/*.jpg"))
    words = ("--mode", "test", "--test_iters", "best", "--model_save_dir", tmp_path / "model_save")
    assert main_here(*words, "--image_path", photo, "--result_dir", tmp_path / "out").returncode == 0


def test_missing_weights_are_found_out_before_training(main_here, drawn, tmp_path, monkeypatch):
    from common import pretrained_files
    from common.errors import UserError

    def not_to_be_had(name):
        raise UserError(f"{name} can't be had")

    monkeypatch.setattr(pretrained_files, "path", not_to_be_had)
    run = main_here(*flags(tmp_path / "run", image_dir=drawn, score="fid*emotion", sample_step=5))
    assert run.returncode == 2
    for way_out in ("by hand", "emotion_recognition.py train", "--score"):
        assert way_out in run.stderr
    assert not (tmp_path / "run").exists()
    # A run that ends before its first sample scores nothing, and needs no weights.
    run = main_here(*flags(tmp_path / "run", image_dir=drawn, score="fid*emotion", sample_step=1000))
    assert run.returncode == 0, run.stderr
    # Nor does a resumed one that reaches no further sample; the next sample step is found out about again.
    words = {"image_dir": drawn, "score": "fid*emotion", "sample_step": 8, "resume_iters": "latest"}
    assert main_here(*flags(tmp_path / "run", **words, num_iters=12)).returncode == 0
    run = main_here(*flags(tmp_path / "run", **words, num_iters=16))
    assert run.returncode == 2
    assert "--score" in run.stderr
