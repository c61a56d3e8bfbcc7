"""Training as a user sees it: files, the learning rate, and runs that are stopped and continued."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT, flags, scoring
from PIL import Image

import main
from checkpointing import training_sets
from model import Generator
from training import loss_table
from training.state import TrainingState, learning_rate


def weights(folder, i, part="G"):
    return torch.load(folder / "model_save" / f"{i}-{part}.ckpt", weights_only=True)


def identical(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_learning_rate_falls_linearly_to_zero_over_the_last_iterations():
    rates = [learning_rate(0.1, i, 100, 40, 10) for i in range(101)]
    assert rates[:70] == [0.1] * 70
    assert rates[70] == rates[79] == pytest.approx(0.1 * 30 / 40)
    assert rates[80] == pytest.approx(0.05)
    assert rates[90] == pytest.approx(0.025)
    assert rates[100] == 0


def test_learning_rate_with_a_coarse_step_or_no_decay():
    assert learning_rate(0.1, 799_999, 800_000, 10_000, 10_000) == 0.1  # the seed document's own command
    assert learning_rate(0.1, 99, 100, 0, 1) == 0.1
    assert learning_rate(0.1, 50, 100, 5000, 1) == pytest.approx(0.05)  # a decay longer than the run


def test_a_step_longer_than_the_decay_does_not_keep_the_rates_up():
    """`--num_iters 300 --num_iters_decay 250` with the default step: they never fell."""
    rates = [learning_rate(0.1, i, 300, 250, 1000) for i in range(301)]
    assert rates[:50] == [0.1] * 50 and rates == sorted(rates, reverse=True)
    assert rates[175] == pytest.approx(0.05) and rates[300] == 0


def test_a_short_run_shows_its_first_batch_and_its_end(main_here, drawn, judge, tmp_path):
    changes = {"lr_update_step": 1000, "num_iters_decay": 8, "batch_size": 6}
    run = main_here(*flags(tmp_path, **scoring(drawn, judge, num_iters=10, sample_step=1000) | changes))
    assert run.returncode == 0, run.stderr
    assert "note: --lr_update_step 1000 is above the 8 iterations of --num_iters_decay" in run.stdout
    first, last = (Image.open(tmp_path / "sample" / f"{name}.jpg") for name in ("first-batch", "10-images"))
    assert first.height >= 32 and np.asarray(first)[..., 0].std() > 20 and last.width >= 6 * 32
    scores = (tmp_path / "model_save/scores.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in scores] == ["iteration", "10"]
    assert (tmp_path / "model_save/best-G.ckpt").exists() and (tmp_path / "log/curves.png").exists()


def test_a_run_leaves_what_it_promises(main_here, drawn, tmp_path):
    run = main_here(*flags(tmp_path, image_dir=drawn, sample_step=5, use_tensorboard=True))
    assert run.returncode == 0, run.stderr
    for name in ("D/loss_real", "D/loss_fake", "D/loss_cls", "D/loss_gp", "G/loss_fake", "G/loss_cls", "G/loss_rec"):
        assert run.stdout.count(name) == 2  # iterations 5 and 10
    assert sorted(p.name for p in (tmp_path / "model_save").glob("[!.]*")) == [
        "10-D.ckpt", "10-G.ckpt", "10-state.ckpt", "config.json", "losses.csv",
    ]  # fmt: skip
    config = json.loads((tmp_path / "model_save" / "config.json").read_text())
    assert config["domains"] == ["angry", "fearful", "happy", "sadness", "surprised"]
    assert config["arguments"]["image_size"] == 32
    assert f"30 in {drawn}: angry 6, fearful 6, happy 6, sadness 6, surprised 6" in run.stdout
    for told in ("(CPU)", "generator 43,512", "discriminator 13,528", tmp_path / "sample", tmp_path / "log", "saved "):
        assert str(told) in run.stdout
    assert "note:" not in run.stdout
    with Image.open(tmp_path / "log" / "curves.png") as curves:
        assert curves.width > 900
    sheet = Image.open(tmp_path / "sample" / "5-images.jpg")
    assert sheet.width >= 6 * 32 and sheet.height >= 10 * 32  # original and five targets; two faces of each emotion

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(tmp_path / "log")).Reload()
    assert {"G/loss_rec", "D/loss_gp", "G/lr", "D/lr", "iterations_per_second"} <= set(board.Tags()["scalars"])
    assert [e.step for e in board.Scalars("G/loss_rec")] == [5, 10]
    assert board.Tags()["images"] == ["samples"]
    lr = {e.step: e.value for e in board.Scalars("D/lr")}
    assert lr == {5: pytest.approx(0.0004), 10: 0}


@pytest.mark.parametrize(("ema_decay", "balance"), [(0, True), (0.9, False)])
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(main_here, drawn, tmp_path, ema_decay, balance):
    """Networks, optimisers, learning rates, data order, augmentation and the table of losses all continue."""
    changes = {"image_dir": drawn, "num_iters": 60, "num_iters_decay": 40, "ema_decay": ema_decay, "balance": balance}
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert main_here(*flags(straight, **changes, model_save_step=30, num_workers=1)).returncode == 0
    broken.mkdir()
    (straight / "model_save").rename(broken / "model_save")
    unbroken = {part: weights(broken, 60, part) for part in "GD"}
    for path in (broken / "model_save").glob("60-*"):
        path.unlink()
    table = broken / "model_save" / "losses.csv"
    whole = table.read_text()
    assert [line.split(",")[0] for line in whole.splitlines()] == ["iteration", *map(str, range(5, 65, 5))]
    table.write_text(whole + "6")  # as if the kill came in the middle of the line of iteration 65
    run = main_here(*flags(broken, **changes, resume_iters="latest"))
    assert run.returncode == 0, run.stderr
    assert "resuming from iteration 30" in run.stdout
    for part in "GD":
        assert identical(weights(broken, 60, part), unbroken[part])
    assert table.read_text() == whole


def test_the_seed_decides(main_here, drawn, tmp_path):
    runs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert main_here(*flags(tmp_path / name, image_dir=drawn, seed=seed)).returncode == 0
        runs.append(weights(tmp_path / name, 10))
    assert identical(runs[0], runs[1])
    assert not identical(runs[0], runs[2])


@pytest.mark.slow
def test_an_interrupted_run_saves_and_says_how_to_go_on(drawn, tmp_path):
    words = flags(tmp_path, image_dir=drawn, num_iters=100_000, log_step=1)
    process = subprocess.Popen(
        [sys.executable, "main.py", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("[3/"):
            break
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "--resume_iters latest" in out
    (iteration,) = training_sets.iterations(tmp_path / "model_save")
    assert iteration >= 3
    assert weights(tmp_path, iteration, "state")["iteration"] == iteration


def test_bare_networks_of_another_repo_resume_with_new_optimisers(main_here, drawn, tmp_path):
    changes = {"image_dir": drawn, "num_iters": 15, "num_iters_decay": 0}
    assert main_here(*flags(tmp_path, image_dir=drawn)).returncode == 0
    for name in ("10-state.ckpt", "config.json"):
        (tmp_path / "model_save" / name).unlink()
    run = main_here(*flags(tmp_path, **changes, resume_iters=10))
    assert run.returncode == 0, run.stderr
    assert "optimisers start anew" in run.stdout
    assert not identical(weights(tmp_path, 15), weights(tmp_path, 10))


def test_the_average_is_what_is_saved_and_it_lags_behind(main_here, drawn, tmp_path):
    run = main_here(*flags(tmp_path, image_dir=drawn, ema_decay=0.5, num_iters=15, num_iters_decay=0))
    assert run.returncode == 0, run.stderr
    average, raw = weights(tmp_path, 15), weights(tmp_path, 15, "state")["G"]
    assert average.keys() == raw.keys()
    assert not identical(average, raw)


def average_of_ones_after(updates, state):
    """The generator's average after one update with all weights 0, then so many with all 1."""
    for value, times in ((0.0, 1), (1.0, updates)):
        for weight in state.G.parameters():
            torch.nn.init.constant_(weight, value)
        for _ in range(times):
            state.average()
    return float(state.generator.main[0].weight.detach().mean())


def tiny_state(tmp_path, **changes):
    settings = main.read_flags(flags(tmp_path, **changes))
    return TrainingState(settings.networks, settings.schedule, torch.device("cpu"))


def test_the_average_soon_forgets_the_random_weights(tmp_path):
    assert average_of_ones_after(60, tiny_state(tmp_path, ema_decay=0.999)) > 0.99  # 0.06 without the ramp
    assert average_of_ones_after(1, tiny_state(tmp_path, ema_decay=0.1)) == pytest.approx(0.9), "never above the flag"


def test_a_run_from_before_the_average_ramped_goes_on_as_it_began(tmp_path):
    folder = tmp_path / "model_save"
    folder.mkdir()
    first = tiny_state(tmp_path, ema_decay=0.9)
    average_of_ones_after(3, first)
    parts = first.parts()
    training_sets.save_set(folder, 0, parts)
    assert parts["state"].pop("ema_ramps") is True
    training_sets.save_set(folder, 1, parts)
    then = float(first.generator.main[0].weight.detach().mean())
    resumed = {i: tiny_state(tmp_path, ema_decay=0.9) for i in (0, 1)}
    for i, state in resumed.items():
        state.load(folder, i)
        state.average()
    constant, ramped = (float(resumed[i].generator.main[0].weight.detach().mean()) for i in (1, 0))
    assert constant == pytest.approx(0.9 * then + 0.1)
    assert ramped == pytest.approx(5 / 14 * then + 9 / 14)
    assert resumed[1].parts()["state"]["ema_ramps"] is False


def test_latest_in_an_empty_folder_begins_and_says_so(main_here, drawn, tmp_path):
    """One command for every start of a service."""
    words = {"image_dir": drawn, "resume_iters": "latest"}
    run = main_here(*flags(tmp_path, **words, num_iters=6))
    assert run.returncode == 0, run.stderr
    assert "holds no checkpoint yet: beginning at iteration 0" in run.stdout
    run = main_here(*flags(tmp_path, **words, num_iters=8))
    assert run.returncode == 0, run.stderr
    assert "resuming from iteration 6" in run.stdout


def test_betas_of_the_command_line_count_on_a_resume(main_here, drawn, tmp_path):
    assert main_here(*flags(tmp_path, image_dir=drawn, num_iters=4)).returncode == 0
    run = main_here(*flags(tmp_path, image_dir=drawn, num_iters=6, resume_iters="latest", beta1=0.9))
    assert run.returncode == 0, run.stderr
    assert "changed: --beta1 0.9" in run.stdout
    state = torch.load(tmp_path / "model_save" / "6-state.ckpt", weights_only=True)
    assert [list(state[f"{part}_optimizer"]["param_groups"][0]["betas"]) for part in "gd"] == [[0.9, 0.999]] * 2


def test_what_can_hardly_be_meant_is_noticed(main_here, drawn, tmp_path):
    run = main_here(*flags(tmp_path, image_dir=drawn, batch_size=32, num_iters=1))
    assert run.returncode == 0, run.stderr
    assert "note: a batch of 32 is more than the 30 faces" in run.stdout
    assert "note: --num_iters_decay 4 is above --num_iters 1" in run.stdout


def test_in_the_warm_up_only_the_discriminator_learns_and_only_to_name_emotions(main_here, drawn, tmp_path):
    changes = {"image_dir": drawn, "num_iters": 40, "num_iters_decay": 0, "n_critic": 1, "d_warmup": 20, "log_step": 20}
    run = main_here(*flags(tmp_path, **changes, model_save_step=20))
    assert run.returncode == 0, run.stderr
    warm, after = (line for line in run.stdout.splitlines() if line.startswith(("[20/", "[40/")))
    assert "D/loss_cls" in warm and "D/loss_gp" not in warm and "G/loss" not in warm
    assert "D/loss_gp" in after and "G/loss_cls" in after
    torch.manual_seed(0)
    untrained = Generator(conv_dim=8, c_dim=5, repeat_num=1).state_dict()
    assert identical(weights(tmp_path, 20), untrained)
    assert not identical(weights(tmp_path, 40), untrained)
    first, last = (weights(tmp_path, i, "D") for i in (20, 40))
    assert all(first[name].isfinite().all() and not torch.equal(first[name], last[name]) for name in first)


def test_a_table_of_losses_from_before_a_loss_existed_goes_on(tmp_path):
    old = [name for name in loss_table.COLUMNS if name != "G/loss_feature"]
    numbers = [[i, *[i / 10] * (len(old) - 1)] for i in (10, 20, 30)]
    path = tmp_path / "losses.csv"
    path.write_text("\n".join(",".join(map(str, line)) for line in [old, *numbers]) + "\n40,0.1")
    table = loss_table.LossTable(path, start=20)
    table.add(30, {"G/loss_pair": 0.5, "G/loss_feature": 0.25})
    rows = loss_table.read(path)
    assert [row["iteration"] for row in rows] == ["10", "20", "30"]
    assert [row["G/loss_pair"] for row in rows] == ["1.0", "2.0", "0.5"]
    assert [row["G/loss_feature"] for row in rows] == ["", "", "0.25"]


def test_before_a_warm_up_images_reach_the_end_of_a_deep_discriminator():
    """Where they hardly do, no gradient comes back either, and D learns nothing in the warm-up."""
    spread = []
    for d_warmup in (0, 1):
        words = ["--image_size", "96", "--d_conv_dim", "16", "--d_repeat_num", "5", "--d_warmup", str(d_warmup)]
        settings = main.read_flags(words)
        D = TrainingState(settings.networks, settings.schedule, torch.device("cpu")).D
        with torch.no_grad():
            spread.append(D.main(torch.rand(8, 3, 96, 96) * 2 - 1).std())
    assert spread[0] < 0.02 and spread[1] > 0.2
