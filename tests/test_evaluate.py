"""`--mode eval`: the numbers, the page, and words for folders other than the checkpoint's."""

import json
import re

import numpy as np
import pytest
from conftest import flags

from scoring.evaluate import identity

KOREAN = {"angry": "분노", "fearful": "불안", "happy": "기쁨", "sadness": "슬픔", "surprised": "당황"}


@pytest.fixture(scope="module")
def run_folder(drawn, tmp_path_factory):
    """A run with checkpoints at 5 and 10, and a judge."""
    import timm
    import torch

    import main
    from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, save_judge

    folder = tmp_path_factory.mktemp("eval")
    assert main.main(flags(folder, image_dir=drawn, model_save_step=5)) == 0
    torch.manual_seed(0)
    network = timm.create_model("test_efficientnet", num_classes=5)
    classes = ("Surprise", "Sadness", "Anger", "Happiness", "Fear")
    judge = Judge("test_efficientnet", classes, 32, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict())
    save_judge(folder / "emotion.pt", judge)
    return folder


def evaluate(main_here, run_folder, image_dir, out, *words):
    return main_here(
        *(
            "--mode",
            "eval",
            "--model_save_dir",
            run_folder / "model_save",
            "--image_dir",
            image_dir,
            "--result_dir",
            out,
        ),
        *("--fid_features", "emotion", "--emotion_model", run_folder / "emotion.pt", *words),
    )


def test_one_command_gives_the_numbers_and_a_page(main_here, run_folder, drawn, tmp_path):
    run = evaluate(main_here, run_folder, drawn, tmp_path, "--iters", "all")
    assert run.returncode == 0, run.stderr
    told = json.loads((tmp_path / "eval.json").read_text())
    assert [c["name"] for c in told["checkpoints"]] == ["5", "10"]
    assert told["faces"] == dict.fromkeys(KOREAN, 6)
    assert told["distance"] == "Fréchet distance (emotion features)"
    assert np.sum(told["real_confusion"]) == 30
    for c in told["checkpoints"]:
        # Every face is translated to the four other emotions.
        assert np.sum(c["translated_confusion"], axis=1).tolist() == [24] * 5
        parts = c["per_emotion"].values()
        assert c["score"] == pytest.approx(sum(p[told["distance"]] * (1 - p["confidence"]) for p in parts))
        assert c["translated_accuracy"] == pytest.approx(np.mean([p["accuracy"] for p in parts]))
        assert 0 < c["cycle"]["L1"] < 1
        assert -1 <= c["cycle"]["SSIM"] <= 1
        assert c["images_per_second"] > 0
    html = (tmp_path / "eval.html").read_text()
    assert html.count("data:image/png") == 2 + 2 * 2 + 1  # two curves; grid and confusion of each; the real faces'
    words = re.sub(r"data:image/png;base64,[^\"]+", "", html)
    assert "http" not in words  # nothing comes from elsewhere
    assert "FID" not in words  # these are not Inception's features


def test_folders_may_be_named_in_korean(main_here, run_folder, drawn, tmp_path):
    """Sorted otherwise, they must still mean the same."""
    for english, korean in KOREAN.items():
        (tmp_path / "faces").mkdir(exist_ok=True)
        (tmp_path / "faces" / korean).symlink_to(drawn / english)
    told = []
    for name, folder in (("a", drawn), ("b", tmp_path / "faces")):
        run = evaluate(main_here, run_folder, folder, tmp_path / name, "--test_iters", "10")
        assert run.returncode == 0, run.stderr
        told.append(json.loads((tmp_path / name / "eval.json").read_text()))
    assert told[0]["real_confusion"] == told[1]["real_confusion"]
    for emotion, parts in told[0]["checkpoints"][0]["per_emotion"].items():
        assert told[1]["checkpoints"][0]["per_emotion"][emotion] == pytest.approx(parts, rel=1e-4)


def test_other_emotions_than_the_checkpoints_are_refused(main_here, run_folder, drawn, tmp_path):
    for name in ("angry", "fearful", "happy", "sadness"):
        (tmp_path / "faces").mkdir(exist_ok=True)
        (tmp_path / "faces" / name).symlink_to(drawn / name)
    (tmp_path / "faces" / "neutral").symlink_to(drawn / "surprised")
    run = evaluate(main_here, run_folder, tmp_path / "faces", tmp_path / "out", "--test_iters", "10")
    assert run.returncode == 2
    assert "neutral" in run.stderr
    assert not (tmp_path / "out").exists()


def test_identity_tells_a_kept_person_from_a_lost_one():
    reals = np.eye(6)[:, :] + 0.01
    rows = np.arange(6)
    kept = identity(reals, [(rows, reals * 3)])
    lost = identity(reals, [(rows, np.roll(reals, 1, axis=0))])
    assert kept["own face is nearest"] == 1
    assert kept["to its translation"] == pytest.approx(0, abs=1e-9)
    assert lost["own face is nearest"] == 0
    assert lost["to its translation"] > lost["to other people"]
