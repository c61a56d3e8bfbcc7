"""The judge: read without running code, asked by name, trained on one's own faces."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import types
import unicodedata
import zipfile
from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, load_judge, save_judge
from common import emotions
from common.errors import UserError
from common.settings import JudgeSettings
from emotion_recognition import EmotionRecognizer, main


def pickled_the_old_way(network: nn.Module, path, zipped: bool) -> None:
    """Save a whole network with its timm classes under module paths that exist only while it is saved."""
    with pytest.MonkeyPatch.context() as patch:
        for cls in {type(module) for module in network.modules()}:
            if cls.__module__.startswith("timm."):
                old = "timm.models.layers." + cls.__name__.lower()
                patch.setitem(sys.modules, old, types.ModuleType(old))
                setattr(sys.modules[old], cls.__name__, cls)
                patch.setattr(cls, "__module__", old)
        torch.save(network, path, _use_new_zipfile_serialization=zipped)


@pytest.fixture(scope="module")
def b2():
    """The published judge's network with random weights, its head in a Sequential as some releases have it."""
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_b2", num_classes=7)
    head = nn.Linear(1408, 7)
    network.classifier = nn.Sequential(head)
    nn.init.normal_(head.weight, std=0.5)
    return network.eval()


@pytest.mark.parametrize("zipped", [True, False])
def test_old_pickle_answers_as_the_network_it_was_made_from(b2, tmp_path, zipped):
    path = tmp_path / "enet_b2_7.pt"
    pickled_the_old_way(b2, path, zipped)
    with pytest.raises(ModuleNotFoundError):
        torch.load(path, weights_only=False)

    images = torch.rand(2, 3, 260, 260)
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    with torch.inference_mode():
        expected = b2((images - mean) / std).softmax(1)
    recognizer = EmotionRecognizer.load(path)
    torch.testing.assert_close(recognizer.probabilities(images, emotions.JUDGE_CLASSES), expected, rtol=1e-3, atol=1e-4)
    assert recognizer.features(images).shape == (2, 1408)


def test_a_judge_that_would_unpack_to_much_more_is_refused(tmp_path):
    """1.2 MB took 1.15 GB."""
    network = timm.create_model("test_efficientnet", num_classes=3)
    state = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    save_judge(tmp_path / "plain.pt", Judge("test_efficientnet", ("a", "b", "c"), 32, (0,) * 3, (1,) * 3, None, state))
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name))
    with pytest.raises(UserError, match="is compressed"):
        load_judge(tmp_path / "bomb.pt")
    view = torch.zeros(1).expand(1000, 1000, 1000)
    torch.save({"format": "stargan-fe judge 1", "state_dict": {"classifier.weight": view}}, tmp_path / "view.pt")
    with pytest.raises(UserError, match="claims to hold 4,000,000,000 bytes"):
        load_judge(tmp_path / "view.pt")


class RunsCode:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("how", ["system", "exec", "module"])
def test_code_in_a_judge_file_is_not_run(tmp_path, capsys, zipped, how):
    trace, path = tmp_path / "trace", tmp_path / "judge.pt"
    code = f"open({str(trace)!r}, 'w').close()"
    evil = {
        "system": RunsCode(os.system, f"touch {trace}"),
        "exec": {"classifier.weight": RunsCode(exec, code)},
        "module": RunsCode(torch.hub._get_torch_home),  # a name that is not refused becomes a stand-in
    }[how]
    torch.save(evil, path, _use_new_zipfile_serialization=zipped)
    assert main(["predict", "--emotion_model", str(path), "nobody.jpg"]) == 2
    with pytest.raises(UserError) as refused:
        EmotionRecognizer.load(path)
    assert not trace.exists()
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_an_archive_that_torch_would_hand_to_torchscript_is_refused(tmp_path, monkeypatch):
    """`torch.load` looks for constants.pkl alone, and gives what has one to `torch.jit.load`."""
    path = tmp_path / "judge.pt"
    torch.save({"a": torch.ones(1)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist()}
        archive.writestr(f"{folder}/constants.pkl", b"")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("TorchScript was asked"))
    with pytest.raises(UserError, match="TorchScript"):
        load_judge(path)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("arch", "hf-hub:stranger/network", "'hf-hub:stranger/network', which timm does not have"),
        ("arch", 7, "its network has no name"),
        ("classes", (1, 2, 3, 4, 5), "its classes have no names"),
        ("image_size", 10**9, "its image size"),
        ("std", (0.2, 0.0, 0.2), "a deviation is 0"),
        ("mean", (0.2, float("nan"), 0.2), "not three numbers"),
        ("state_dict", {"classifier.bias": "weights"}, "its weights are not tensors"),
    ],
)
def test_a_strangers_judge_file_is_believed_in_nothing(tmp_path, monkeypatch, field, value, sentence):
    import timm.models._hub

    def ask_the_network(*_, **__):
        pytest.fail("the network was asked")

    monkeypatch.setattr(timm.models._hub, "load_model_config_from_hf", ask_the_network)
    monkeypatch.setattr("timm.models._factory.load_model_config_from_hf", ask_the_network)
    path = tmp_path / "judge.pt"
    save_judge(path, replace(biased_judge(list(emotions.FIVE)), **{field: value}))
    with pytest.raises(UserError) as refused:
        EmotionRecognizer.load(path)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no judge at all", pickle.dumps({"a": 1}), pickle.dumps(object)])
def test_what_is_no_judge_gets_one_sentence(tmp_path, content):
    path = tmp_path / "judge.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"judge\.pt"):
        load_judge(path)
    with pytest.raises(UserError, match="no file"):
        load_judge(tmp_path / "absent.pt")


def biased_judge(classes: list[str]) -> Judge:
    """A small judge that gives class i the logit i whatever it sees."""
    network = timm.create_model("test_efficientnet", num_classes=len(classes))
    state = network.state_dict()
    state["classifier.weight"].zero_()
    state["classifier.bias"].copy_(torch.arange(len(classes)))
    return Judge("test_efficientnet", tuple(classes), 32, IMAGENET_MEAN, IMAGENET_STD, 0.9, state)


@pytest.mark.parametrize(
    ("classes", "asked", "meant"),
    [
        (list(emotions.JUDGE_CLASSES), list(emotions.FIVE), [0, 2, 3, 5, 6]),
        (list(emotions.JUDGE_CLASSES), ["surprised", "angry", "neutral", "sadness"], [6, 0, 4, 5]),
        (list(emotions.JUDGE_CLASSES), ["기쁨", "당황", "분노", "불안", "슬픔"], [3, 6, 0, 2, 5]),
        (list(emotions.JUDGE_CLASSES), [unicodedata.normalize("NFD", "슬픔"), "JOY"], [5, 3]),
        (["슬픔", "분노", "my own"], ["my own", "sad", "anger"], [2, 0, 1]),
    ],
)
def test_classes_are_matched_by_name(classes, asked, meant):
    recognizer = EmotionRecognizer(biased_judge(classes))
    found = recognizer.probabilities(torch.rand(3, 3, 40, 50), asked)
    torch.testing.assert_close(found, torch.tensor(meant).float().softmax(0).expand(3, -1))


def test_unknown_emotion_and_wrong_range_get_one_sentence():
    recognizer = EmotionRecognizer(biased_judge(["angry", "happy"]))
    with pytest.raises(UserError, match="상처"):
        recognizer.probabilities(torch.rand(1, 3, 8, 8), ["angry", "상처"])
    for wrong in (torch.rand(1, 3, 8, 8) * 2 - 1, torch.rand(1, 3, 8, 8) * 255, torch.full((1, 3, 8, 8), torch.nan)):
        with pytest.raises(UserError, match=r"\[0, 1\]"):
            recognizer.features(wrong)


def test_judge_file_is_plain_and_keeps_everything(tmp_path):
    judge = biased_judge(["angry", "happy"])
    save_judge(tmp_path / "judge.pt", judge)
    assert isinstance(torch.load(tmp_path / "judge.pt", weights_only=True), dict)
    read = load_judge(tmp_path / "judge.pt")
    assert (read.arch, read.classes, read.image_size, read.accuracy) == ("test_efficientnet", judge.classes, 32, 0.9)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(EmotionRecognizer(read).features(images), EmotionRecognizer(judge).features(images))


def test_bfloat16_and_batching_change_little():
    torch.manual_seed(0)
    judge = biased_judge(["angry", "happy", "sad"])
    images = torch.rand(19, 3, 48, 48)
    whole = EmotionRecognizer(judge).features(images)
    single = torch.cat([EmotionRecognizer(judge).features(image[None]) for image in images[::6]])
    torch.testing.assert_close(whole[::6], single, rtol=1e-3, atol=1e-4)
    rough = EmotionRecognizer(judge, dtype=torch.bfloat16).features(images)
    assert (rough - whole).norm() < 0.05 * whole.norm()


def test_a_network_that_cannot_be_fused_answers_all_the_same():
    """oneDNN takes neither its activations in bfloat16 ("could not add op to the graph"), and training ended there."""
    torch.manual_seed(0)
    arch = "mobilenetv3_small_050"
    network = timm.create_model(arch, num_classes=5).eval()
    judge = Judge(arch, emotions.FIVE, 64, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict())
    images = torch.rand(6, 3, 64, 64)
    exact = EmotionRecognizer(judge).features(images)
    rough = EmotionRecognizer(judge, dtype=torch.bfloat16).features(images)
    assert torch.nn.functional.cosine_similarity(exact, rough).min() > 0.9


def test_train_then_predict_from_the_shell(drawn, tmp_path, capsys):
    output = tmp_path / "models" / "emotion.pt"
    train = ["train", "--image_dir", drawn, "--output", output, "--arch", "test_efficientnet", "--image_size", "32"]
    assert main([str(word) for word in (*train, "--epochs", "2", "--batch_size", "8")]) == 0
    told = capsys.readouterr().out
    judge = load_judge(output)
    assert judge.classes == emotions.FIVE and f"accuracy {judge.accuracy:.2%}" in told
    assert {path.name for path in output.parent.iterdir()} == {"emotion.pt", "emotion.png"}

    photo = next((drawn / "happy").iterdir())
    assert main(["predict", "--emotion_model", str(output), str(photo)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].startswith(photo.name) and rows[1].split()[-1] in emotions.FIVE
    percents = [float(word.rstrip("%")) for word in rows[1].split() if word.endswith("%")]
    assert sum(percents) == pytest.approx(100, abs=0.5)


def test_training_learns(tmp_path):
    """Two emotions that differ most, told apart on faces it has not seen."""
    from imaging.draw_faces import write_faces
    from scoring import judge_training as judge

    write_faces(tmp_path / "faces", ["happy", "surprised"], 40, 0, same_identities=False)
    settings = JudgeSettings(
        image_dir=tmp_path / "faces",
        output=tmp_path / "judge.pt",
        arch="test_efficientnet",
        crop_size=448,
        image_size=48,
        epochs=25,
        patience=25,
        batch_size=8,
        lr=4e-3,
        pretrained=None,
        seed=0,
    )
    assert judge.train(settings).accuracy >= 0.75  # of 12 faces; 0.92 to 1.0 with four other random seeds


def test_a_stopped_training_keeps_the_best_judge_so_far(tmp_path, drawn, monkeypatch, capsys):
    from scoring import judge_training as judge

    epochs = judge._epochs

    def stopped(*arguments):
        """Ctrl-C within the second epoch."""
        yield next(epochs(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(judge, "_epochs", stopped)
    output = tmp_path / "judge.pt"
    settings = JudgeSettings(drawn, output, "test_efficientnet", 448, 32, 9, 9, 8, 1e-4, None, 0)
    found = judge.train(settings)
    assert load_judge(output).accuracy == found.accuracy
    told = capsys.readouterr().out
    assert "stopped: the judge of epoch 1 is kept" in told
    assert found.accuracy > 0.5 or "warning: this judge" in told, "ten steps teach it nothing"


def test_help_and_bad_arguments_need_no_torch():
    check = (
        "import sys, emotion_recognition\n"
        "try: emotion_recognition.main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'timm', 'mediapipe'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)
