"""`--mode eval`: the numbers, the page, and words for folders other than the checkpoint's."""

import json
import re

import numpy as np
import pytest
import torch
from conftest import flags
from PIL import Image

from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, save_judge
from model import Generator
from scoring import confusion_matrix
from scoring.same_person import SamePerson, person_of, summary

KOREAN = {"angry": "분노", "fearful": "불안", "happy": "기쁨", "sadness": "슬픔", "surprised": "당황"}


@pytest.fixture(scope="module")
def run_folder(drawn, tmp_path_factory):
    """A run with checkpoints at 5 and 10, and a judge."""
    import main

    folder = tmp_path_factory.mktemp("eval")
    assert main.main(flags(folder, image_dir=drawn, model_save_step=5)) == 0
    judge_of(folder, ("Surprise", "Sadness", "Anger", "Happiness", "Fear"))
    return folder


def judge_of(folder, classes):
    """`emotion.pt` in `folder`: an untrained judge of these classes."""
    import timm

    torch.manual_seed(0)
    network = timm.create_model("test_efficientnet", num_classes=len(classes))
    judge = Judge("test_efficientnet", classes, 32, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict())
    save_judge(folder / "emotion.pt", judge)
    return folder / "emotion.pt"


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


def test_one_command_gives_the_numbers_and_a_page(main_here, run_folder, drawn, tmp_path, monkeypatch):
    from scoring import metrics

    kinds, measure = [], metrics.Scorer.measure

    def watched(scorer, images, squares):
        kinds.append(scorer.judge.dtype)
        return measure(scorer, images, squares)

    monkeypatch.setattr(metrics.Scorer, "measure", watched)
    run = evaluate(main_here, run_folder, drawn, tmp_path, "--iters", "all", "--amp", "bf16")
    assert run.returncode == 0, run.stderr
    assert set(kinds) == {torch.float32}, "a paper's numbers, though the generator computes in bfloat16"
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
        # Both judges are named, side by side.
        assert set(c["judges"]) == {"emotion.pt", "the judge of real faces"} == set(told["real_right"])
        assert c["judges"]["emotion.pt"]["right"] == pytest.approx(c["translated_accuracy"])
        assert all(0 <= said["rises most"] <= 1 for said in c["judges"].values())
        assert set(c["identity"]) == {"own face is nearest", "distance to own face", "to nearest other person"}
        assert 0 < c["cycle"]["L1"] < 1
        assert -1 <= c["cycle"]["SSIM"] <= 1
        assert c["images_per_second"] > 0
    assert told["real_right"]["the judge of real faces"] > told["real_right"]["emotion.pt"], "that one is untrained"
    assert "own face is nearest" in run.stdout
    assert "the judge of real faces on translated faces" in run.stdout
    assert "on the real faces: what it says of translated ones means little" in run.stdout, "an untrained judge"
    html = (tmp_path / "eval.html").read_text()
    assert html.count("data:image/png") == 2 + 2 * 2 + 1  # two curves; grid and confusion of each; the real faces'
    words = re.sub(r"data:image/png;base64,[^\"]+", "", html)
    assert "http" not in words  # nothing comes from elsewhere
    assert "FID" not in words  # these are not Inception's features


def test_without_a_judge_the_generator_of_test_mode_is_measured(main_here, run_folder, drawn, tmp_path):
    """`--iters` and `--test_iters` left out, as in test mode and export; there was no 300000-G.ckpt."""
    run = evaluate(main_here, run_folder, drawn, tmp_path, "--score", "none")
    assert run.returncode == 0, run.stderr
    assert f"using {run_folder / 'model_save/10-G.ckpt'}" in run.stdout
    told = json.loads((tmp_path / "eval.json").read_text())
    (checkpoint,) = told["checkpoints"]
    assert checkpoint["name"] == "10" and checkpoint["score"] is None and checkpoint["judges"] == {}
    assert checkpoint["identity"] and 0 < checkpoint["cycle"]["L1"] < 1
    kernel = "Kernel distance (emotion features)"
    assert all(list(parts) == [kernel, told["distance"], "n"] for parts in checkpoint["per_emotion"].values())
    assert "of 6 faces an emotion is biased (it needs 2,048)" in run.stdout and "n 6" in run.stdout
    page = (tmp_path / "eval.html").read_text()
    assert "<th>n</th>" in page and "onfusion" not in page


def test_a_judge_that_knows_nothing_is_named():
    assert confusion_matrix.doubt(np.array([[0, 9], [0, 9]]), ("calm", "glad")) == "says glad of every face"
    assert "no more than by chance (50%)" in confusion_matrix.doubt(np.array([[5, 4], [4, 5]]), ("calm", "glad"))
    assert confusion_matrix.doubt(np.array([[9, 0], [1, 8]]), ("calm", "glad")) == ""


def test_folders_may_be_named_in_korean(main_here, run_folder, drawn, tmp_path):
    """Sorted otherwise, they must still mean the same."""
    english = some_faces(drawn, tmp_path / "english", 2, **{emotion: emotion for emotion in KOREAN})
    korean = some_faces(drawn, tmp_path / "korean", 2, **{word: emotion for emotion, word in KOREAN.items()})
    told = []
    for name, folder in (("a", english), ("b", korean)):
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


def bare_checkpoint(folder, domains):
    """The flags for a generator that has no config.json beside it."""
    torch.manual_seed(0)
    (folder / "models").mkdir()
    torch.save(Generator(8, domains, 1).state_dict(), folder / "models/7-G.ckpt")
    return "--model_save_dir", folder / "models", "--c_dim", domains, "--image_size", 32, "--test_iters", 7


def some_faces(drawn, folder, count, **emotions):
    """A folder of `count` faces for each name, of the emotion given."""
    for name, emotion in emotions.items():
        (folder / name).mkdir(parents=True)
        for path in sorted((drawn / emotion).iterdir())[:count]:
            (folder / name / path.name).symlink_to(path)
    return folder


def test_a_bare_checkpoint_keeps_its_six_domains(main_here, run_folder, drawn, tmp_path):
    words = bare_checkpoint(tmp_path, 6)
    some_faces(drawn, tmp_path / "faces", 2, **{emotion: emotion for emotion in KOREAN}, 중립="happy")
    judge = ("--emotion_model", judge_of(tmp_path, ("Neutral", "Surprise", "Sadness", "Anger", "Happiness", "Fear")))
    run = evaluate(main_here, run_folder, tmp_path / "faces", tmp_path / "out", *words, *judge)
    assert run.returncode == 0, run.stderr
    told = json.loads((tmp_path / "out/eval.json").read_text())
    assert list(told["checkpoints"][0]["per_emotion"])[3] == "neutral"


def test_sample_label_dir_names_a_bare_checkpoints_domains(main_here, run_folder, drawn, tmp_path):
    """Three domains, which no usual list names."""
    words = bare_checkpoint(tmp_path, 3)
    some_faces(drawn, tmp_path / "faces", 2, angry="angry", happy="happy", sadness="sadness")
    run = evaluate(main_here, run_folder, tmp_path / "faces", tmp_path / "out", *words, "--sample_label_dir", "no/such")
    assert run.returncode == 2
    assert "--sample_label_dir" in run.stderr
    named = ("--sample_label_dir", tmp_path / "faces")
    run = evaluate(main_here, run_folder, tmp_path / "faces", tmp_path / "out", *words, *named)
    assert run.returncode == 0, run.stderr


def test_a_face_counts_as_much_in_a_small_batch_as_in_a_large_one(main_here, run_folder, drawn, tmp_path, monkeypatch):
    """Three faces of each emotion: one batch, or a batch of two and one of one."""
    from scoring import evaluate as module

    faces = some_faces(drawn, tmp_path / "faces", 3, **{emotion: emotion for emotion in KOREAN})
    told = []
    for at_once in (3, 2):
        monkeypatch.setattr(module, "FACES_AT_ONCE", at_once)
        words = ("--test_iters", "10", "--amp", "off", "--score", "none")
        run = evaluate(main_here, run_folder, faces, tmp_path / str(at_once), *words)
        assert run.returncode == 0, run.stderr
        told.append(json.loads((tmp_path / str(at_once) / "eval.json").read_text())["checkpoints"][0]["cycle"])
    assert told[0] == pytest.approx(told[1], rel=1e-6)


def test_without_the_recognition_network_the_column_says_so(main_here, run_folder, drawn, tmp_path, monkeypatch):
    from common import pretrained_files
    from common.errors import UserError

    def not_to_be_had(name):
        raise UserError(f"can't get {name}")

    faces = some_faces(drawn, tmp_path / "faces", 2, **{emotion: emotion for emotion in KOREAN})
    monkeypatch.setattr(pretrained_files, "path", not_to_be_had)
    run = evaluate(main_here, run_folder, faces, tmp_path / "b", "--test_iters", "10")
    assert run.returncode == 0, run.stderr
    assert "not measured: can't get face_recognition" in run.stdout
    assert "<td>not measured</td>" in (tmp_path / "b/eval.html").read_text()


def test_a_kept_person_is_told_from_a_lost_one(drawn, tmp_path):
    """The faces themselves as perfect translations, and each other's as translations of somebody else."""
    paths = sorted(map(str, (drawn / "happy").iterdir()))
    faces = np.stack([np.asarray(Image.open(path).resize((256, 256))) for path in paths])
    same_person = SamePerson(paths, torch.device("cpu"))
    same_person.add_reals(faces)
    kept = summary(same_person.compare(0, faces))
    lost = summary(same_person.compare(0, np.roll(faces, 1, axis=0)))
    same_person.close()
    assert kept["own face is nearest"] == 1
    assert kept["distance to own face"] == pytest.approx(0, abs=1e-6)
    assert lost["own face is nearest"] <= 0.5
    assert lost["distance to own face"] > 0.1


def test_who_is_on_a_face():
    code = "0123456789abcdef" * 4
    assert person_of(f"happy/{code}_F_20-{code[:16]}.jpg") == person_of(f"sad/{code}_F_20_b-{code[16:32]}.jpg")
    assert person_of(f"happy/p0010-{code[:16]}.jpg") == person_of("angry/p0010.jpg") != person_of("angry/p0020.jpg")
