"""A generator given to others: exported small, put in `pretrained/`, used by those who have not trained."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, flags
from PIL import Image

from checkpointing import default_generator, network_files, run_config
from checkpointing.trained_generator import load_generator
from common import emotions
from face_detection import FaceFinder
from imaging.photo import read_photo
from model import Discriminator, Generator
from tests.serving import make_checkpoint

SIX = ["angry", "fearful", "happy", "neutral", "sadness", "surprised"]


def pair_of(main_here, drawn, folder, **changes):
    """Train a small pair, export it, and put it under a name of its own, as it is shipped."""
    assert main_here(*flags(folder, image_dir=drawn, crop_size=384, **changes)).returncode == 0
    export = ("--mode", "export", "--for", "release", "--test_iters", 10, "--model_save_dir", folder / "model_save")
    assert main_here(*export, "--strength", 1.3).returncode == 0
    shipped = folder / "shipped"
    shipped.mkdir()
    for name, new in (("10-G.ckpt", "people.ckpt"), ("10-G.json", "people.json"), ("10-D.ckpt", "people-D.ckpt")):
        shutil.copy(folder / "model_save/release" / name, shipped / new)
    return shipped / "people.ckpt"


def test_a_training_goes_on_from_a_released_pair_with_its_sizes(main_here, drawn, tmp_path):
    shipped = pair_of(main_here, drawn, tmp_path / "first")
    assert default_generator.find(shipped.parent).path == shipped, "not the D, which sorts before it"
    words = {"init": shipped, "image_dir": drawn, "num_iters": 5, "num_iters_decay": 0, "d_warmup": 1000}
    given = flags(tmp_path, **words, n_critic=1)
    sizes = ("--image_size", "--g_conv_dim", "--d_conv_dim", "--g_repeat_num", "--d_repeat_num")
    given = [word for i, word in enumerate(given) if not {word, given[i - 1]} & set(sizes)]
    run = main_here(*given)
    assert run.returncode == 0, run.stderr
    assert f"init      {shipped} and people-D.ckpt" in run.stdout
    assert "note:" not in run.stdout
    first, then = (
        {part: network_files.load_network(folder / f"{i}-{part}.ckpt") for part in "GD"}
        for folder, i in ((tmp_path / "first/model_save", 10), (tmp_path / "model_save", 5))
    )
    config = json.loads((tmp_path / "model_save/config.json").read_text())
    assert [config["arguments"][flag] for flag in ("image_size", "crop_size", "d_repeat_num")] == [32, 384, 3]
    assert config["reach"] == 1.3, "its photos move as far, also once it was resumed"
    assert main_here(*flags(tmp_path, image_dir=drawn, crop_size=384, resume_iters=5, num_iters=6)).returncode == 0
    assert run_config.load_config(tmp_path / "model_save")["reach"] == 1.3
    for part in "GD":
        change = [float((then[part][name] - first[part][name]).abs().max()) for name in first[part]]
        assert 0 < max(change) < 0.02, "both go on from where they were, and without a warm-up both learn"


def test_other_sizes_than_the_released_pairs_are_named(main_here, drawn, tmp_path):
    shipped = pair_of(main_here, drawn, tmp_path / "first")
    run = main_here(*flags(tmp_path, init=shipped, image_dir=drawn, image_size=64, crop_size=448))
    assert run.returncode == 0, run.stderr
    assert "people.ckpt; D with random weights, as people-D.ckpt was trained with --image_size 32" in run.stdout
    assert f"note: --crop_size 448, and {shipped} has learned with 384" in run.stdout
    assert f"note: --image_size 64, and {shipped} has learned with 32" in run.stdout


def test_a_run_that_ends_within_the_warm_up_is_refused(main_here, drawn, tmp_path):
    """Its generator would give back its input, bit for bit."""
    run = main_here(*flags(tmp_path, image_dir=drawn, num_iters=10, d_warmup=10))
    assert run.returncode == 2 and not (tmp_path / "model_save").exists()
    assert run.stderr.strip() == (
        "error: --num_iters 10 ends within --d_warmup 10, before the generator learns: give more iterations, or a "
        "shorter warm-up"
    )


@pytest.fixture
def six(tmp_path):
    """A run on rendered people with neutral among the labels."""
    folder = tmp_path / "six"
    folder.mkdir()
    torch.manual_seed(0)
    torch.save(Generator(8, 6, 1).state_dict(), folder / "7-G.ckpt")
    torch.save(Discriminator(64, 8, 6, 3).state_dict(), folder / "7-D.ckpt")
    arguments = {"image_size": 64, "crop_size": 384, "c_dim": 6, "image_dir": "/home/somebody/children"}
    run_config.save_config(folder, {"arguments": arguments, "domains": SIX})
    return folder


def test_a_release_makes_the_same_five_faces_in_half_the_bytes(main_here, six):
    words = ("--mode", "export", "--for", "release", "--test_iters", 7, "--model_save_dir", six, "--strength", 1.2)
    run = main_here(*words, "--trained_on", "rendered")
    assert run.returncode == 0, run.stderr
    release = six / "release/7-G.ckpt"
    assert release.stat().st_size < 0.6 * (six / "7-G.ckpt").stat().st_size
    config = json.loads(release.with_suffix(".json").read_text())
    assert config["arguments"]["trained_on"] == "rendered" and config["domains"] == list(emotions.FIVE)
    assert "children" not in release.with_suffix(".json").read_text(), "folders of the machine stay out of it"
    given, trained = load_generator(release), load_generator(six / "7-G.ckpt", c_dim=6)
    assert (given.image_size, given.crop_size, given.domains) == (64, 384, list(emotions.FIVE))
    assert (given.reach, trained.reach) == (1.2, 1)
    x = torch.rand(5, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        expected = trained.network(x, torch.eye(6)[[SIX.index(name) for name in emotions.FIVE]])
        torch.testing.assert_close(given.network(x, torch.eye(5)), expected, atol=0.02, rtol=0)
    weights = [network_files.load_network(folder / "7-D.ckpt") for folder in (six, six / "release")]
    assert all(tensor.dtype == torch.float16 for tensor in weights[1].values())
    kept = [SIX.index(name) for name in emotions.FIVE]
    torch.testing.assert_close(weights[1]["conv2.weight"].float(), weights[0]["conv2.weight"][kept], atol=1e-3, rtol=0)


def test_without_a_training_the_shipped_generator_translates_and_says_so(main_here, tmp_path, monkeypatch, portrait):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Image.fromarray(portrait).save("photos/face.png")
    test = ("--mode", "test", "--image_path", "photos")
    run = main_here(*test)
    assert run.returncode == 0 and f"using {ROOT / 'pretrained'}" in run.stdout, "from any folder"
    shutil.rmtree("data/results")
    monkeypatch.setattr(default_generator, "BESIDE_THE_CODE", Path("nowhere"))
    run = main_here(*test)
    assert run.returncode == 2 and "make demo" in run.stderr, "there is none"
    Path("pretrained").mkdir()
    made = make_checkpoint(Path("pretrained"), trained_on="rendered")
    made.rename("pretrained/people.ckpt")
    Path("pretrained/config.json").rename("pretrained/people.json")
    run = main_here(*test)
    assert run.returncode == 0, run.stderr
    assert "using pretrained/people.ckpt" in run.stdout and "from people who do not exist" in run.stdout
    assert {path.stem for path in Path("data/results/face").glob("*.jpg")} >= set(emotions.FIVE)

    Path("data/models").mkdir(parents=True)
    make_checkpoint(Path("data/models"))
    run = main_here(*test, "--overwrite")
    assert "using data/models/best-G.ckpt (your own training; trained on photos)" in run.stdout
    run = main_here(*test, "--test_iters", "5")
    assert run.returncode == 2 and "there is no data/models/5-G.ckpt" in run.stderr, "asked for, it is not replaced"
    run = main_here(*test, "--model_save_dir", "elsewhere")
    assert run.returncode == 2 and "elsewhere" in run.stderr


def test_what_comes_with_the_project_makes_faces_of_people_it_never_saw(main_here, tmp_path, monkeypatch):
    """The first thing a newcomer does: `--mode test` on the six photo-like people, without any training."""
    monkeypatch.chdir(tmp_path)
    for name in ("pretrained", "data/test"):
        shutil.copytree(ROOT / name, name)
    run = main_here("--mode", "test")
    assert run.returncode == 0, run.stderr
    assert "comes with StarGAN-FE; trained on photo-like people who do not exist" in run.stdout
    people = sorted(path for path in Path("data/results").iterdir() if path.is_dir())
    assert len(people) == 6

    def mean(emotion, *shapes):
        return np.mean([meshes[person, emotion].blendshapes[shape] for person in people for shape in shapes])

    with FaceFinder() as finder:
        meshes = {
            (person, emotion): finder.mesh(read_photo(person / f"{emotion}.jpg"))
            for person in people
            for emotion in emotions.FIVE
        }
    smiles, jaws, brows = (
        {emotion: mean(emotion, *shapes) for emotion in emotions.FIVE}
        for shapes in (("mouthSmileLeft", "mouthSmileRight"), ("jawOpen",), ("browInnerUp",))
    )
    assert max(smiles, key=smiles.__getitem__) == "happy"
    assert min(jaws["fearful"], jaws["surprised"]) > max(jaws["angry"], jaws["happy"], jaws["sadness"])
    assert min(brows["fearful"], brows["sadness"], brows["surprised"]) > brows["angry"]
