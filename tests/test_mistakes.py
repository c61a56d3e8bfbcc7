"""Plausible mistakes: each is answered in one sentence that names file or flag; exit 2 for the user's, 1 for a run's.

A row: what goes wrong, the words after those of a tiny training run, the exit code, what the sentence says. {w} is a
folder of things to trip over, {out} where the run may write.
"""

import errno
import shutil

import numpy as np
import pytest
import torch
from conftest import flags
from PIL import Image

import main
from checkpointing import run_config, tensor_file, training_sets
from common import whole_files
from imaging import image_folder
from training.state import TrainingState

FIVE = ("angry", "fearful", "happy", "sadness", "surprised")
TEST = "--mode test --test_iters 10 --model_save_dir {w}/models --image_path {w}/photos"
EVAL = "--mode eval --iters 10 --model_save_dir {w}/models --fid_features emotion --emotion_model {w}/judge.pt"
SCORE = "--score fid*emotion --fid_features emotion --emotion_model {w}/judge.pt --sample_step 5"
RELEASE = "--mode export --for release --test_iters 10 --model_save_dir "
RESUME = "--num_iters 20 --resume_iters 10 --model_save_dir "

COMMAND_LINE = [
    ("a flag misspelt", "--g_lrr 3", 2, "no flag --g_lrr: did you mean --g_lr?"),
    ("a word too many", "data/train", 2, "no flag data/train"),
    ("a flag without its value", "--num_iters", 2, "--num_iters: expected one argument"),
    ("an unknown mode", "--mode tst", 2, "--mode: invalid choice: 'tst'"),
    ("a negative rate", "--g_lr -1", 2, "--g_lr: '-1' is not a number above 0"),
    ("no rate", "--d_lr 0", 2, "--d_lr: '0' is not a number above 0"),
    ("a weight that is no number", "--lambda_gp nan", 2, "--lambda_gp: 'nan' must be at least 0"),
    ("a negative weight", "--lambda_rec -3", 2, "--lambda_rec: '-3' must be at least 0"),
    ("an empty batch", "--batch_size 0", 2, "--batch_size: '0' is not a whole number above 0"),
    ("one emotion to choose from", "--c_dim 1", 2, "--c_dim: '1' is not a whole number of at least 2"),
    ("half an image", "--batch_size 4.5", 2, "--batch_size: '4.5' is not a whole number above 0"),
    ("a word for a number", "--num_iters many", 2, "--num_iters: 'many' is not a whole number above 0"),
    ("beta1 above 1", "--beta1 1.5", 2, "--beta1: '1.5' is not a number from 0 to below 1"),
    ("an average that never moves", "--ema_decay 1", 2, "--ema_decay: '1' is not a number from 0 to below 1"),
    ("a negative seed", "--seed -1", 2, "--seed: '-1' is not a whole number of at least 0"),
    ("neither yes nor no", "--use_tensorboard maybe", 2, "--no-use_tensorboard: 'maybe' is neither True nor False"),
    ("an unknown checkpoint", "--resume_iters newest", 2, "--resume_iters: 'newest' is neither an iteration"),
    ("no time", "--max_minutes 0", 2, "--max_minutes: '0' is not a number above 0"),
    ("an unknown answer to NaN", "--on_nan ignore", 2, "--on_nan: invalid choice: 'ignore'"),
    ("a crop larger than the faces", "--crop_size 9000", 2, "--crop_size: '9000' is not a whole number from 1 to 512"),
    ("a quality above 100", "--quality 101", 2, "--quality: '101' is not a whole number from 1 to 100"),
    ("a size that does not halve", "--image_size 36", 2, "--image_size 36 cannot be halved 3 times"),
    ("a size of 6", "--image_size 6 --d_repeat_num 1", 2, "--image_size 6 must be a multiple of 4"),
    ("a batch without equal parts", "--accumulate 3", 2, "--batch_size 4 has no --accumulate 3 equal parts"),
    ("an unknown preset", "--preset huge", 2, "--preset: invalid choice: 'huge'"),
    ("a run's name that leads away", "--run ../a", 2, "--run: '../a' is not a plain name"),
    ("no config", "--config {w}/no.json", 2, "--config {w}/no.json: it can't be read (No such file"),
    ("a config that is a letter", "--config {w}/letter.txt", 2, "--config {w}/letter.txt: it is not what a run wrote"),
    ("a config with a wrong value", "--config {w}/wrong.json", 2, "--config {w}/wrong.json: argument --g_lr: '-1'"),
    ("a config of another program", "--config {w}/other.json", 2, "other.json: it sets depth, and there is no flag"),
]

DATA = [
    ("no such folder", "--image_dir {w}/no", 2, "no folder {w}/no"),
    ("a file for a folder", "--image_dir {w}/letter.txt", 2, "no folder {w}/letter.txt"),
    ("an empty folder", "--image_dir {w}/empty", 2, "{w}/empty holds no folder"),
    ("one folder too deep", "--image_dir {w}/faces/angry", 2, "{w}/faces/angry holds no folder"),
    ("one emotion", "--image_dir {w}/single", 2, "{w}/single holds one folder, angry"),
    ("another number of emotions", "--c_dim 4", 2, "{w}/faces holds 5 emotion folders"),
    ("an emotion without images", "--image_dir {w}/hollow", 2, "{w}/hollow/happy holds no image"),
    ("two names for one emotion", "--image_dir {w}/twins", 2, "{w}/twins has two folders for sadness"),
    ("features of no answer", "--lambda_feature 1", 2, "give --lambda_pair, too"),
    ("a beginning without pairs", "--pair_from happy", 2, "give --lambda_pair, too"),
    ("pairs from nobody", "--lambda_pair 1 --pair_from calm", 2, "--pair_from calm: "),
    ("pairs that are none", "--lambda_pair 1 --image_dir {w}/one_face", 2, "--lambda_pair needs every face"),
    ("one face of an emotion", SCORE + " --image_dir {w}/one_face", 2, "sadness has 1 face, and its score needs 2"),
    ("an emotion nobody judges", SCORE + " --image_dir {w}/zebra", 2, "zebra"),
    ("no readable face of an emotion", "--image_dir {w}/broken", 2, "no image of happy can be read"),
    ("too many broken images", "--num_iters 50 --image_dir {w}/rotten", 1, "images can't be read, more than 10%"),
    ("no judge", SCORE + " --emotion_model {w}/no.pt", 2, "{w}/no.pt"),
    ("a judge that is a web page", SCORE + " --emotion_model {w}/page.html", 2, "{w}/page.html cannot be read as"),
    ("a judge that is a folder", SCORE + " --emotion_model {w}/faces", 2, "{w}/faces"),
    ("features nobody has", "--fid_features face", 2, "--fid_features: invalid choice: 'face'"),

]  # fmt: skip

PLACES = [
    ("models in a file", "--model_save_dir {w}/letter.txt", 2, "{w}/letter.txt could not be written (a file is in"),
    ("samples in a file", "--sample_dir {w}/letter.txt", 2, "error: {w}/letter.txt could not"),
    ("logs in a file", "--log_dir {w}/letter.txt", 2, "error: {w}/letter.txt could not"),
    ("models in /dev/full", "--model_save_dir /dev/full", 2, "/dev/full could not be written (a file is in"),
    ("a cache in a file", "--cache {w}/letter.txt", 2, "--cache {w}/letter.txt could not be written"),
    ("results in a file", TEST + " --result_dir {w}/letter.txt", 2, "--result_dir {w}/letter.txt could not be written"),
    ("results below a file", TEST + " --result_dir {w}/letter.txt/a", 2, "--result_dir {w}/letter.txt/a could not"),
    ("results among the photos", TEST + " --result_dir {w}/photos", 2, "--result_dir {w}/photos is the photos' own"),
    ("numbers in a file", EVAL + " --result_dir {w}/letter.txt", 2, "--result_dir {w}/letter.txt could not be written"),
    ("an export in a file", "--mode export --for stargan --test_iters 10 --model_save_dir {w}/barred", 2, "{w}/barred"),
]  # fmt: skip

CHECKPOINTS = [
    ("no generator to start from", "--init {w}/no.ckpt", 2, "{w}/no.ckpt"),
    ("a discriminator to start from", "--init {w}/models/10-D.ckpt", 2, "10-D.ckpt is not a StarGAN generator"),
    ("a generator of another size", "--init {w}/models/10-G.ckpt --g_conv_dim 16", 2, "trained with --g_conv_dim 8"),
    ("a set that is not there", RESUME + "{w}/models --resume_iters 7", 2, "no {w}/models/7-G.ckpt (it holds 10)"),
    ("no best yet", RESUME + "{w}/models --resume_iters best", 2, "no {w}/models/best-G.ckpt"),
    ("a resume of another network", RESUME + "{w}/models --g_conv_dim 16", 2, "pass --g_conv_dim 8"),
    ("a resume on other emotions", RESUME + "{w}/models --image_dir {w}/zebra", 2, "was trained on angry"),
    ("a resume of what is done", RESUME + "{w}/models --num_iters 10", 2, "give a --num_iters above it"),
    ("a resume from half a set", RESUME + "{w}/mixed", 2, "{w}/mixed/10-G.ckpt is not the one"),
    ("a resume without D", RESUME + "{w}/no_d", 2, "10-D.ckpt"),
    ("a resume with a broken config.json", RESUME + "{w}/no_config", 2, "{w}/no_config/config.json is damaged"),
    ("a resume from a cut file", RESUME + "{w}/cut", 2, "{w}/cut/10-G.ckpt cannot be read as a checkpoint (cut short"),
    ("a test of a cut file", TEST + " --model_save_dir {w}/cut", 2, "{w}/cut/10-G.ckpt"),
    ("a test of a folder", TEST + " --model_save_dir {w}/folder", 2, "{w}/folder/10-G.ckpt cannot be read"),
    ("a test of a letter", TEST + " --model_save_dir {w}/text", 2, "10-G.ckpt cannot be read as a checkpoint (not a"),
    ("a test of a discriminator", TEST + " --model_save_dir {w}/swapped", 2, "10-G.ckpt is not a StarGAN generator"),
    ("a test of no checkpoint", TEST + " --test_iters 7", 2, "no {w}/models/7-G.ckpt (it holds 10)"),
    (
        "a test without any",
        TEST + " --test_iters latest --model_save_dir {w}/empty",
        2,
        "{w}/empty holds no checkpoint",
    ),
    ("a release of a stranger", RELEASE + "{w}/bare", 2, "no config.json beside {w}/bare/10-G.ckpt"),
    ("a test with another c_dim", TEST + " --c_dim 3", 2, "10-G.ckpt was trained with --c_dim 5"),
    ("a test with other filters", TEST + " --g_conv_dim 64", 2, "10-G.ckpt was trained with --g_conv_dim 8"),
    ("a test of no photo", TEST + " --image_path {w}/no", 2, "no photo or folder {w}/no"),
    ("a test of a folder without photos", TEST + " --image_path {w}/empty", 2, "{w}/empty holds no photo"),
    ("an evaluation of none", EVAL + " --iters 7", 2, "no {w}/models/7-G.ckpt"),
    ("an evaluation of all of none", EVAL + " --iters all --model_save_dir {w}/empty", 2, "{w}/empty holds no checkp"),
    ("an evaluation on other emotions", EVAL + " --image_dir {w}/zebra", 2, "{w}/zebra holds angry"),
    ("an evaluation on one face", EVAL + " --image_dir {w}/one_face", 2, "fewer than two faces of sadness"),
    ("an export of none", "--mode export --test_iters 7 --model_save_dir {w}/models", 2, "no {w}/models/7-G.ckpt"),
]

ROWS = [*COMMAND_LINE, *DATA, *PLACES, *CHECKPOINTS]


def faces(folder, counts):
    """Small pictures of noise: counts[emotion] of each."""
    noise = np.random.default_rng(0)
    for emotion, count in counts.items():
        (folder / emotion).mkdir(parents=True)
        for i in range(count):
            pixels = noise.integers(0, 255, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(folder / emotion / f"{emotion} {i}.png")


@pytest.fixture(scope="module")
def w(tmp_path_factory, judge):
    """Things to trip over."""
    w = tmp_path_factory.mktemp("w")
    two = dict.fromkeys(FIVE, 2)
    faces(w / "faces", two)
    faces(w / "one_face", two | {"sadness": 1})
    faces(w / "hollow", two | {"happy": 0})
    faces(w / "single", {"angry": 2})
    faces(w / "twins", {"angry": 1, "fearful": 1, "happy": 1, "sad": 1, "슬픔": 1})
    faces(w / "zebra", dict.fromkeys((*FIVE[:4], "zebra"), 2))
    for name, of_each, broken in (("broken", 1, ["happy"]), ("rotten", 4, FIVE)):
        faces(w / name, dict.fromkeys(FIVE, of_each))
        for emotion in broken:
            (w / name / emotion / f"{emotion} 0.png").write_bytes(b"no picture")
    faces(w, {"photos": 1})
    (w / "photos" / "broken.jpg").write_bytes(b"no photo")
    (w / "empty").mkdir()
    (w / "letter.txt").write_text("a letter")
    (w / "page.html").write_text("<html>404</html>")
    (w / "wrong.json").write_text('{"arguments": {"g_lr": -1}}')
    (w / "other.json").write_text('{"arguments": {"depth": 3}}')
    shutil.copy(judge, w / "judge.pt")

    settings = main.read_flags(flags(w / "run", image_dir=w / "faces"))
    state = TrainingState(settings.networks, settings.schedule, torch.device("cpu"))
    state.advance(4)
    state.iteration = 10
    models = w / "models"
    models.mkdir()
    training_sets.save_set(models, 10, state.parts())
    run_config.save_config(models, {"arguments": settings.as_json(), "domains": list(FIVE)})
    for name in ("mixed", "no_d", "no_config", "cut", "folder", "text", "bare", "swapped", "barred"):
        shutil.copytree(models, w / name)
    torch.manual_seed(1)
    tensor_file.write_tensors(w / "mixed/10-G.ckpt", {k: v + 1 for k, v in state.G.state_dict().items()})
    (w / "no_d/10-D.ckpt").unlink()
    (w / "bare/config.json").unlink()
    (w / "no_config/config.json").write_text("{")
    (w / "cut/10-G.ckpt").write_bytes((models / "10-G.ckpt").read_bytes()[:2000])
    (w / "folder/10-G.ckpt").unlink()
    (w / "folder/10-G.ckpt").mkdir()
    (w / "text/10-G.ckpt").write_text("a letter")
    shutil.copy(models / "10-D.ckpt", w / "swapped/10-G.ckpt")
    (w / "barred/stargan").write_text("a file where the export's folder should be")
    return w


@pytest.fixture
def told(main_here, w, tmp_path):
    """Run the words after those of a tiny training; the one sentence that answers them, and the exit code."""

    def run(words):
        words = [word.replace("{w}", str(w)).replace("{out}", str(tmp_path)) for word in words.split()]
        ended = main_here(*flags(tmp_path / "run", image_dir=w / "faces"), *words)
        assert "Traceback" not in ended.stderr and "usage:" not in ended.stderr
        sentences = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
        assert len(sentences) == 1, (ended.stdout[-500:], ended.stderr)
        return sentences[0], ended.returncode

    return run


@pytest.mark.parametrize(("words", "code", "sentence"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_a_mistake_is_one_sentence(told, w, words, code, sentence):
    said, ended = told(words)
    assert sentence.replace("{w}", str(w)) in said
    assert ended == code
    assert len(said) < 600 and said.count(str(w / "letter.txt")) <= 1


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def forbidden(path, *_, **__):
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


EXPORT = "--mode export --for stargan --test_iters 10 --model_save_dir {w}/models"


@pytest.mark.parametrize(
    ("place", "name", "broken", "words", "code", "sentence"),
    [
        (training_sets, "write_tensors", full, "", 1, "checkpoint 10 could not be written (No space left on device)"),
        (tensor_file, "write_tensors", full, EXPORT, 1, "10-G.ckpt could not be written (No space left on device)"),
        (whole_files.Path, "mkdir", forbidden, "", 2, "run/sample could not be written (Permission denied)"),
        (whole_files.Path, "mkdir", forbidden, TEST, 2, "run/result could not be written (Permission denied)"),
        (image_folder.os, "scandir", forbidden, "", 2, "{w}/faces can't be read (Permission denied)"),
    ],
    ids=["a full disk", "a full disk at an export", "no permission", "no permission for results", "a locked folder"],
)
def test_a_disk_that_refuses_is_one_sentence(told, w, monkeypatch, place, name, broken, words, code, sentence):
    monkeypatch.setattr(whole_files, "PAUSES", ())
    monkeypatch.setattr(place, name, broken)
    said, ended = told(words)
    assert sentence.replace("{w}", str(w)) in said
    assert ended == code


def test_a_photo_that_cannot_be_read_is_named(main_here, w, tmp_path):
    words = flags(tmp_path) + [word.replace("{w}", str(w)) for word in TEST.split()]
    run = main_here(*words, "--image_path", w / "photos/broken.jpg", "--overwrite")
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert f"left out {w}/photos/broken.jpg: not a photo" in run.stdout


def test_a_run_that_never_was_is_not_answered_with_the_shipped_generator(main_here, w):
    run = main_here("--mode", "test", "--run", "never-was", "--image_path", w / "photos")
    assert run.returncode == 2
    assert "data/runs/never-was/models holds no checkpoint" in run.stderr


def test_the_list_is_long_enough():
    assert len({name for name, *_ in ROWS}) == len(ROWS) >= 43
