"""The command line: every flag of the seed document, and one sentence for each mistake."""

import dataclasses
import functools
import json
from pathlib import Path

import pytest
import torch
from conftest import flags
from PIL import Image

import main
from common.settings import PRESETS
from model import Generator

SEED_DOCUMENT = {
    "c_dim": 5,
    "crop_size": 448,
    "image_size": 256,
    "g_conv_dim": 128,
    "d_conv_dim": 128,
    "g_repeat_num": 6,
    "d_repeat_num": 6,
    "lambda_cls": 1,
    "lambda_rec": 10,
    "lambda_gp": 10,
    "batch_size": 16,
    "num_iters": 200000,
    "num_iters_decay": 5000,
    "g_lr": 0.0002,
    "d_lr": 0.0004,
    "n_critic": 5,
    "beta1": 0.5,
    "beta2": 0.999,
    "resume_iters": "0",
    "test_iters": "300000",
    "mode": "train",
    "use_tensorboard": True,
    "image_dir": "data/train",
    "log_dir": "data/logs",
    "model_save_dir": "data/models",
    "sample_dir": "data/samples",
    "sample_label_dir": "data/train",
    "result_dir": "data/results",
    "image_path": ["data/test"],
    "log_step": 10,
    "sample_step": 1000,
    "model_save_step": 10000,
    "lr_update_step": 1000,
}


def test_every_flag_of_the_seed_document_has_its_default():
    parsed = main.read_flags([]).as_json()
    assert {name: parsed[name] for name in SEED_DOCUMENT} == SEED_DOCUMENT
    assert parsed["num_workers"] >= 1  # chosen from the cores: the one deviation
    assert parsed["ema_decay"] == 0


def test_the_command_line_wins_over_a_preset_a_preset_over_a_config_and_a_run_names_the_folders(tmp_path):
    """What a run wrote gives all but what belongs to one start."""
    first = main.read_flags(
        [
            *("--preset", "cpu", "--g_lr", "0.001", "--use_tensorboard", "False", "--resume_iters", "best"),
            *("--run", "a", "--pair_from", "neutral", "happy"),
        ]
    )
    assert (first.networks.image_size, first.schedule.n_critic) == (64, 2)
    assert (first.schedule.g_lr, first.schedule.d_lr) == (0.001, 0.0004)
    assert first.saving.model_save_dir == Path("data/runs/a/models")
    assert first.use.result_dir == Path("data/runs/a/results")
    (tmp_path / "config.json").write_text(json.dumps({"arguments": first.as_json(), "domains": []}))
    words = ["--config", str(tmp_path / "config.json")]
    again, written = main.read_flags(words).as_json(), first.as_json()
    assert {name for name in again if again[name] != written[name]} == {"config", "preset", "run", "resume_iters"}
    other = main.read_flags([*words, *["--preset", "small", "--g_lr", "1", "--run", "b", "--log_dir", "logs"]])
    assert (other.networks.image_size, other.schedule.g_lr, other.saving.use_tensorboard) == (128, 1, False)
    assert (other.saving.sample_dir, other.saving.log_dir) == (Path("data/runs/b/samples"), Path("logs"))


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([], False),
        (["--balance"], True),
        (["--no-balance"], False),
        (["--balance", "True"], True),
        (["--balance=False"], False),
        (["--balance", "yes", "--no-balance"], False),
        (["--balance", "--seed", "1"], True),
    ],
)
def test_a_switch_is_given_alone_or_as_published(words, value):
    assert main.read_flags(words).data.balance is value


def test_every_group_of_settings_is_frozen():
    settings = main.read_flags(["--image_path", "a", "b"])
    assert settings.use.image_path == (Path("a"), Path("b"))
    for group in (settings, settings.losses, settings.use):
        with pytest.raises(dataclasses.FrozenInstanceError):
            group.lambda_cls = 2


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_training_that_can_begin(name):
    """Sizes that halve, and a decay within the run."""
    settings = main.read_flags(["--preset", name])
    assert settings.networks.image_size % 2**settings.networks.d_repeat_num == 0
    assert settings.schedule.num_iters_decay < settings.schedule.num_iters


def test_the_seed_documents_own_commands_are_understood():
    train = (
        "--image_dir data/train512 --image_size 256 --resume_iters 660000 --g_lr 0.0001 --d_lr 0.0001"
        " --num_iters 800000 --num_iters_decay 10000 --lr_update_step 10000 --model_save_step 10000"
        " --sample_step 500 --g_conv_dim 128 --d_conv_dim 128"
    )
    assert main.read_flags(train.split()).schedule.num_iters == 800000
    test = "--mode test --image_size 256 --g_conv_dim 128 --d_conv_dim 128 --test_iters 660000"
    assert main.read_flags(test.split()).use.test_iters == "660000"


def test_help_needs_no_torch(cli):
    run = cli("-X", "importtime", "main.py", "--help")
    assert run.returncode == 0
    assert "--lambda_gp" in run.stdout
    assert not {"torch", "mediapipe", "cv2", "timm"} & {line.split("|")[-1].strip() for line in run.stderr.splitlines()}


def folder_of(path, **counts):
    for domain, count in counts.items():
        (path / domain).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (64, 64)).save(path / domain / f"{i}.png")
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image_dir": "no/such/folder"}, "no folder no/such/folder"),
        ({"image_size": 36}, "--image_size 36 cannot be halved 3 times"),
        ({"c_dim": 4}, "5 emotion folders"),
        ({"resume_iters": 7}, "7-G.ckpt"),
        ({"resume_iters": "best"}, "best-G.ckpt"),
        ({"resume_iters": "newest"}, "neither an iteration nor 'best' nor 'latest'"),
        ({"batch_size": 0}, "not a whole number above 0"),
        ({"beta1": 1.5}, "not a number from 0"),
        ({"g_lr": -1}, "--g_lr: '-1' is not a number above 0"),
        ({"d_lr": 0}, "--d_lr: '0' is not a number above 0"),
        ({"lambda_gp": "nan"}, "--lambda_gp: 'nan' must be at least 0"),
        ({"use_tensorboard": "maybe"}, "neither True nor False"),
    ],
)
def test_a_mistake_is_one_sentence_and_creates_nothing(main_here, drawn, tmp_path, changes, sentence):
    run = main_here(*flags(tmp_path / "run", **{"image_dir": drawn, **changes}))
    assert run.returncode == 2
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["model_save_dir", "sample_dir"])
def test_a_folder_that_is_a_file_is_not_the_disks_fault(main_here, drawn, tmp_path, flag):
    (tmp_path / "letter").write_text("a letter")
    run = main_here(*flags(tmp_path / "run", image_dir=drawn, **{flag: tmp_path / "letter"}))
    assert run.returncode == 2
    assert "a file is in the place of a folder" in run.stderr and "disk" not in run.stderr
    assert run.stderr.count(str(tmp_path / "letter")) == 1
    assert (tmp_path / "letter").read_text() == "a letter"


def test_a_photo_above_50_megapixels_says_how_large_its_results_are(main_here, drawn, trained, tmp_path):
    """A face in a photo of 8000 × 6400, and no warning of Pillow's."""
    face = next(drawn.glob("happy/*.jpg"))
    with Image.open(face) as small:
        small.convert("RGB").resize((8000, 6400)).save(tmp_path / "huge.jpg", quality=50)
    words = ("--mode", "test", "--test_iters", "latest", "--model_save_dir", trained, "--result_dir", tmp_path / "out")
    run = main_here(*words, "--image_path", tmp_path / "huge.jpg")
    assert run.returncode == 0, run.stderr
    assert "results are 4000x3200, not 8000x6400: above 50 megapixels a photo is reduced" in run.stdout
    assert "Warning" not in run.stderr


def test_an_empty_class_and_two_names_for_one_emotion(main_here, tmp_path):
    folder = folder_of(tmp_path / "a", angry=1, fearful=1, happy=1, sadness=0, surprised=1)
    run = main_here(*flags(tmp_path / "run", image_dir=folder))
    assert run.returncode == 2
    assert "sadness holds no image" in run.stderr
    folder = folder_of(tmp_path / "b", angry=1, fearful=1, happy=1, sad=1, 슬픔=1)
    run = main_here(*flags(tmp_path / "run", image_dir=folder))
    assert run.returncode == 2
    assert "two folders for sadness" in run.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--test_iters", "7"], "7-G.ckpt (it holds 10)"),
        (["--g_conv_dim", "64"], "--g_conv_dim 8"),
        (["--g_repeat_num", "2"], "--g_repeat_num 1"),
        (["--image_size", "64"], "--image_size 32"),
        (["--c_dim", "3"], "--c_dim 5"),
        (["--image_path", "no/such"], "no photo or folder no/such"),
    ],
)
def test_a_mistake_in_test_mode_is_one_sentence(main_here, trained, tmp_path, words, sentence):
    test = ["--mode", "test", "--model_save_dir", trained, "--image_path", trained.parent / "faces"]
    run = main_here(*test, "--test_iters", "10", "--result_dir", tmp_path / "out", *words)
    assert run.returncode == 2
    assert sentence in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="session")
def trained(drawn, tmp_path_factory):
    """The checkpoint folder of a run of ten iterations, with a folder of photos beside it."""
    folder = tmp_path_factory.mktemp("trained")
    assert main.main(flags(folder, image_dir=drawn)) == 0
    (folder / "faces").mkdir()
    for i, path in enumerate(sorted(drawn.glob("*/*.jpg"))[:3]):
        (folder / "faces" / f"face {i}.jpg").write_bytes(path.read_bytes())
    return folder / "model_save"


def test_test_mode_writes_a_strip_for_each_photo(main_here, trained, tmp_path):
    faces = trained.parent / "faces"
    (faces / "broken.jpg").write_bytes(b"no photo")
    Image.new("RGB", (300, 200), (90, 120, 90)).save(faces / "meadow.png")
    out = tmp_path / "out"
    test = ("--mode", "test", "--test_iters", "latest", "--model_save_dir", trained, "--result_dir", out)
    run = main_here(*test, "--image_path", faces)
    assert run.returncode == 0, run.stderr
    assert "3 of 5 photos translated" in run.stdout
    assert "broken.jpg: not a photo" in run.stdout
    assert "meadow.png: no face found" in run.stdout
    assert sorted(p.name for p in out.glob("*.jpg")) == ["face 0.jpg", "face 1.jpg", "face 2.jpg"]
    names = [f"{emotion}.jpg" for emotion in ("angry", "fearful", "happy", "sadness", "surprised")]
    assert sorted(p.name for p in (out / "face 0").iterdir()) == sorted([*names, "face-0.jpg"])
    with Image.open(out / "face 0.jpg") as strip:
        assert strip.width >= 6 * 512
    assert main_here(*test, "--image_path", faces / "meadow.png").returncode == 1


def test_a_bare_checkpoint_of_the_published_size_is_used_as_it_is(main_here, drawn, tmp_path):
    """The seed document's test command on a checkpoint that has no config.json beside it."""
    torch.manual_seed(0)
    (tmp_path / "models").mkdir()
    torch.save(Generator(16, 5, 2).state_dict(), tmp_path / "models" / "660000-G.ckpt")
    photo = next(drawn.glob("happy/*.jpg"))
    words = [
        "--mode",
        "test",
        "--image_size",
        "256",
        "--g_conv_dim",
        "16",
        "--d_conv_dim",
        "128",
        "--test_iters",
        "660000",
    ]
    places = ("--model_save_dir", tmp_path / "models", "--image_path", photo, "--result_dir", tmp_path / "out")
    run = main_here(*words, *places)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / f"{photo.stem}.jpg").exists()


def test_the_version_is_told(main_here):
    run = main_here("--version")
    assert run.returncode == 0 and run.stdout.startswith("StarGAN-FE ")


def test_a_mode_without_its_flag_is_understood(main_here):
    run = main_here("train", "--image_dir", "faces")
    assert run.returncode == 2
    assert run.stderr == "error: train stands alone: did you mean --mode train? (main.py --help lists every flag)\n"


def test_without_torch_one_sentence_says_how_to_get_it(cli, tmp_path):
    code = "import sys; sys.modules['torch'] = None; import main; sys.exit(main.main(['--mode', 'export']))"
    run = cli("-c", code)
    assert run.returncode == 2
    assert run.stderr == (
        "error: the Python package torch is missing: run 'make setup', or pip install -r requirements.txt with the "
        "Python you use\n"
    )


def test_a_presets_values_are_told(main_here, drawn, tmp_path):
    run = main_here(*flags(tmp_path, image_dir=drawn, num_iters=1, preset="cpu", compile="False"))
    assert run.returncode == 0, run.stderr
    assert f"preset    cpu: {PRESETS['cpu']}" in run.stdout
    cpu = main.read_flags(["--preset", "cpu"])
    assert cpu.schedule.num_iters // cpu.saving.model_save_step > 5, "an hour of work is not lost"


def test_apples_gpu_is_taken_where_there_is_one_in_float32(monkeypatch):
    from common import device

    assert device.choose_device().type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", functools.lru_cache(lambda: True))
    apple = device.choose_device()
    assert apple.type == "mps" and not device.half_precision(apple, "auto") and "Apple" in device.device_name(apple)
