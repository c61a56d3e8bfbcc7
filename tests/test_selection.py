"""The best checkpoint in a real training run: what it is, that a resume keeps it, and what happens without weights."""

import csv
import json
import shutil

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


@pytest.mark.slow
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
    bests = [line for line in run.stdout.splitlines() if line.startswith("new best: ")]
    assert bests[0].endswith("at iteration 5 (the first)") and f"at iteration {best['iteration']}" in bests[-1]
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


def test_without_any_weights_from_elsewhere_the_judge_of_real_faces_chooses_the_best(
    main_here, drawn, tmp_path, monkeypatch
):
    from common import pretrained_files
    from common.errors import UserError

    path, at_hand = pretrained_files.path, pretrained_files.at_hand

    def only_for_finding_faces(name):
        if name in ("enet_b2_7", "inception"):
            raise UserError(f"{name} can't be had")
        return path(name)

    monkeypatch.setattr(pretrained_files, "path", only_for_finding_faces)
    monkeypatch.setattr(pretrained_files, "at_hand", lambda name: None if name == "enet_b2_7" else at_hand(name))
    words = {"image_dir": drawn, "score": "fid*emotion", "sample_step": 5, "fid_sample_size": 10}
    run = main_here(*flags(tmp_path, **words))
    assert run.returncode == 0, run.stderr
    assert "best checkpoint: by the judge of real faces" in run.stdout
    assert "Fréchet distance of the judge's features: inception can't be had" in run.stdout
    assert "enlarged for the judge" in run.stdout, "the faces have 22 pixels"
    models = tmp_path / "model_save"
    assert (models / "best-G.ckpt").exists()
    header = (models / "scores.csv").read_text().splitlines()[0]
    assert "Fréchet distance (emotion features)/angry" in header and "FID" not in header
    criterion = json.loads((models / "scores.json").read_text())
    assert criterion["judge"] == "the judge of real faces" and criterion["fid_features"] == "emotion"
    # Its weights turn up later: the run goes on with the judge of its scores so far.
    later = {"enet_b2_7": tmp_path / "enet_b2_7.pt"}
    monkeypatch.setattr(pretrained_files, "at_hand", lambda name: later.get(name) or at_hand(name))
    run = main_here(*flags(tmp_path, **words, num_iters=15, resume_iters="latest"))
    assert run.returncode == 0, run.stderr
    assert len((models / "scores.csv").read_text().splitlines()) == 4


def test_a_judge_that_does_not_know_a_folder_is_found_out_before_training(main_here, drawn, tmp_path):
    odd = shutil.copytree(drawn, tmp_path / "odd")
    (odd / "happy").rename(odd / "bored")
    words = {"image_dir": odd, "score": "emotion", "sample_step": 5}
    run = main_here(*flags(tmp_path / "run", **words))
    assert run.returncode == 2
    assert "does not know bored" in run.stderr and "emotion_recognition.py train" in run.stderr
    assert not (tmp_path / "run").exists()
    assert "do without a judge: --score none" in run.stderr
    run = main_here(*flags(tmp_path / "run", **{**words, "sample_step": 1000}))
    assert run.returncode == 2, "a short run is scored at its end"
    run = main_here(*flags(tmp_path / "run", **{**words, "score": "none"}))
    assert run.returncode == 0, run.stderr


def test_scoring_computes_no_more_images_at_once_than_training(main_here, drawn, judge, tmp_path, monkeypatch):
    """Five domains, batches of 20 in two parts: ten images, where all faces of a domain would be four times five."""
    import model
    from checkpointing import trained_generator

    largest, forward = [], model.Generator.forward

    def watched(network, x, c):
        if torch.is_inference_mode_enabled():
            largest.append(len(x))
        return forward(network, x, c)

    monkeypatch.setattr(model.Generator, "forward", watched)
    fixed = trained_generator.translate_to_all  # the sample grid's own batch is not meant
    monkeypatch.setattr("solver.translate_to_all", lambda *given: fixed(*given, 1))
    words = scoring(drawn, judge, num_iters=5, batch_size=20, accumulate=2)
    run = main_here(*flags(tmp_path, **words))
    assert run.returncode == 0, run.stderr
    assert max(largest) == 10


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"score": "fid"}, "--score was emotion, and is fid now"),
        ({"fid_sample_size": 10}, "--fid_sample_size was 20, and is 10 now"),
        ({"emotion_model": "other.pt"}, "--emotion_model was another file"),
    ],
)
def test_a_best_score_is_not_compared_with_scores_of_another_kind(main_here, drawn, judge, tmp_path, changed, sentence):
    first = scoring(drawn, judge, score="emotion", num_iters=5)
    assert main_here(*flags(tmp_path, **first)).returncode == 0
    if "emotion_model" in changed:
        content = torch.load(judge, weights_only=True)
        content["state_dict"]["classifier.bias"] += 1
        torch.save(content, tmp_path / "other.pt")
        changed = {"emotion_model": tmp_path / "other.pt"}
    words = {**first, **changed, "num_iters": 10, "resume_iters": "latest"}
    before = (tmp_path / "model_save/scores.csv").read_text()
    run = main_here(*flags(tmp_path, **words))
    assert run.returncode == 2
    assert sentence in run.stderr
    assert (tmp_path / "model_save/scores.csv").read_text() == before
    # As the sentence says.
    for path in (tmp_path / "model_save/scores.csv", *(tmp_path / "model_save").glob("best-*.ckpt")):
        path.rename(tmp_path / path.name)
    run = main_here(*flags(tmp_path, **words))
    assert run.returncode == 0, run.stderr
    assert [row["iteration"] for row in scores(tmp_path)] == ["10"]
    assert tensor_file.read(tmp_path / "model_save/best-state.ckpt")["iteration"] == 10


def test_the_same_judge_under_another_name_is_the_same(main_here, drawn, judge, tmp_path):
    words = scoring(drawn, judge, score="emotion", num_iters=5)
    assert main_here(*flags(tmp_path, **words)).returncode == 0
    (tmp_path / "moved.pt").write_bytes(judge.read_bytes())
    moved = {**words, "num_iters": 10, "emotion_model": tmp_path / "moved.pt", "resume_iters": "latest"}
    assert main_here(*flags(tmp_path, **moved)).returncode == 0
    assert [row["iteration"] for row in scores(tmp_path)] == ["5", "10"]


def test_a_stop_at_the_last_iteration_is_scored_all_the_same(main_here, drawn, judge, tmp_path, monkeypatch):
    """No later start would score it: the run is done."""
    import solver

    whole = solver.Solver.iteration

    def stopping(self, i, batch):
        if i == 10:
            self.stop.asked = 15
        return whole(self, i, batch)

    monkeypatch.setattr(solver.Solver, "iteration", stopping)
    main_here(*flags(tmp_path, **scoring(drawn, judge, score="emotion", num_iters=10)))
    assert [row["iteration"] for row in scores(tmp_path)] == ["5", "10"]


def test_weights_that_the_step_itself_broke_never_reach_the_scores(main_here, drawn, judge, tmp_path, monkeypatch):
    """The losses of iteration 5 are finite, its weights are not."""
    import solver

    whole, broken = solver.Solver.iteration, []

    def breaking(self, i, batch):
        parts = whole(self, i, batch)
        if i == 5 and not broken:
            broken.append(i)
            with torch.no_grad():
                next(self.state.G.parameters()).fill_(float("nan"))
        return parts

    monkeypatch.setattr(solver.Solver, "iteration", breaking)
    words = scoring(drawn, judge, score="emotion", num_iters=5, on_nan="lower_lr")
    run = main_here(*flags(tmp_path, **words))
    assert run.returncode == 0, run.stderr
    assert "became nan at iteration 5" in run.stdout and "back to the beginning" in run.stdout
    assert [row["iteration"] for row in scores(tmp_path)] == ["5"]
    assert "nan" not in (tmp_path / "model_save" / "scores.csv").read_text()
