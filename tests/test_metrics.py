"""Distances agree with pytorch-fid, features with its network, and the score prefers what it should."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from pytorch_fid import inception
from pytorch_fid.fid_score import calculate_frechet_distance

from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD, Judge, save_judge
from common import pretrained_files
from common.errors import UserError
from emotion_recognition import EmotionRecognizer
from imaging.image_folder import read_folder
from scoring import features, image_likeness, metrics

RNG = np.random.default_rng(0)


def correlated(n: int, d: int, scale: float = 1.0) -> np.ndarray:
    """Features that look like a ReLU network's: correlated, never negative."""
    return np.maximum(RNG.normal(size=(n, d // 2)) @ RNG.normal(size=(d // 2, d)) * scale + 1, 0)


def by_pytorch_fid(a: np.ndarray, b: np.ndarray) -> float:
    return calculate_frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))


@pytest.mark.parametrize(("n", "m"), [(40, 30), (400, 300), (400, 30), (30, 400)])
def test_frechet_equals_pytorch_fid(n, m):
    a, b = correlated(n, 96), correlated(m, 96, 1.3)
    assert metrics.frechet_distance(a, b) == pytest.approx(by_pytorch_fid(a, b), rel=1e-4)


@pytest.mark.parametrize("n", [20, 500])
def test_frechet_of_identical_sets_is_zero(n):
    a = correlated(n, 64).astype(np.float32)
    assert 0 <= metrics.frechet_distance(a, a) < 1e-8 * np.var(a, axis=0).sum()


def test_frechet_of_singular_sets_is_exact():
    """All variance along one axis: the distance of two normal distributions on a line, (μ−μ')² + (σ−σ')²."""
    line = np.zeros((50, 10))
    line[:, 3] = RNG.normal(size=50)
    other = np.zeros((30, 10))
    other[:, 3] = 4 + 2 * RNG.normal(size=30)
    expected = (line[:, 3].mean() - other[:, 3].mean()) ** 2 + (line[:, 3].std(ddof=1) - other[:, 3].std(ddof=1)) ** 2
    assert metrics.frechet_distance(line, other) == pytest.approx(expected)
    assert metrics.frechet_distance(np.ones((5, 10)), np.zeros((4, 10))) == pytest.approx(10)


def test_diverged_features_are_told():
    with pytest.raises(ValueError, match="diverged"):
        metrics.frechet_distance(np.full((4, 3), np.nan), np.ones((4, 3)))


def test_kernel_distance_is_its_definition():
    a, b = RNG.normal(size=(7, 5)), RNG.normal(size=(9, 5)) + 0.5

    def k(x, y):
        return (x @ y / 5 + 1) ** 3

    among_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    among_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    between = np.mean([k(x, y) for x in a for y in b])
    assert metrics.kernel_inception_distance(a, b) == pytest.approx(among_a + among_b - 2 * between)


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory):
    """Random weights in the format of the true file."""
    torch.manual_seed(0)
    with (
        mock.patch.object(inception, "load_state_dict_from_url"),
        mock.patch.object(torchvision.models.Inception3, "load_state_dict"),
    ):
        network = inception.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var = torch.empty(module.num_features).uniform_(0.02, 0.05)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.slow
def test_inception_features_are_pytorch_fids(inception_file):
    extractor = features.InceptionFeatures(inception_file)
    images = torch.rand(3, 3, 64, 64)
    state = torch.load(inception_file, weights_only=True)
    with mock.patch.object(inception, "load_state_dict_from_url", lambda *_, **__: state), torch.inference_mode():
        theirs = inception.InceptionV3().eval()(images)[0].flatten(1).numpy()
    ours = extractor(images)
    assert ours.shape == (3, 2048) and theirs.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    assert extractor.distance_name == "FID"
    with pytest.raises(UserError, match=r"\[0, 1\]"):
        extractor(images * 2 - 1)


def test_missing_weights_name_the_ways_out(monkeypatch):
    def not_to_be_had(name):
        raise UserError(f"can't get {name}")

    monkeypatch.setattr(pretrained_files, "path", not_to_be_had)
    with pytest.raises(UserError, match=r"--fid_features emotion.*--score"):
        metrics.Scorer("fid", "inception", ["angry", "happy"])
    with pytest.raises(UserError, match=r"emotion_recognition.py train"):
        metrics.Scorer("emotion", "inception", ["angry", "bored"])


@pytest.fixture
def faces(tmp_path):
    """Six noisy pictures for each of two emotions, of different colours."""
    for label, domain in enumerate(("angry", "happy")):
        (tmp_path / "faces" / domain).mkdir(parents=True)
        for i in range(6):
            pixels = RNG.integers(0, 100, (64, 64, 3), dtype=np.uint8)
            pixels[..., label] += 100
            Image.fromarray(pixels).save(tmp_path / "faces" / domain / f"{i}.png")
    return read_folder(tmp_path / "faces", 2)


class MeanColour:
    """The simplest features, and how often they were asked for."""

    distance_name = "Fréchet distance (colour)"
    kernel_name = "Kernel distance (colour)"
    fingerprint = "colour"
    asked = 0

    def __call__(self, images, squares=()):
        self.asked += len(images)
        return images.mean((2, 3)).numpy()


def test_real_features_are_measured_once(faces, tmp_path):
    extractor = MeanColour()
    files = features.stratified(faces, 8)
    assert {domain: len(paths) for domain, paths in files.items()} == {"angry": 4, "happy": 4}
    first = features.real_features(files, extractor, 64, 32, tmp_path / "cache")
    assert extractor.asked == 8 and first["angry"][:, 0].min() > first["happy"][:, 0].max()
    again = features.real_features(files, extractor, 64, 32, tmp_path / "cache")
    assert extractor.asked == 8
    np.testing.assert_array_equal(again["happy"], first["happy"])

    Image.new("RGB", (64, 64)).save(files["happy"][0])
    changed = features.real_features(files, extractor, 64, 32, tmp_path / "cache")
    assert extractor.asked == 16 and changed["happy"].min() == 0
    features.real_features(files, extractor, 64, 16, tmp_path / "cache")
    assert extractor.asked == 24
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".npz"}


def test_score_is_the_sum_of_distance_times_doubt():
    distances, confidences = {"angry": 10.0, "happy": 4.0}, {"angry": 0.5, "happy": 0.75}
    assert metrics.score(distances, confidences).value == pytest.approx(10 * 0.5 + 4 * 0.25)
    assert metrics.score(distances, None).value == pytest.approx(14)
    assert metrics.score(None, confidences).value == pytest.approx(0.5 + 0.25)
    told = metrics.score(distances, confidences, "FID").scalars()
    assert told["FID/angry"] == 10 and told["confidence/happy"] == 0.75


def test_scorer_measures_each_domain_against_its_own_reals(faces, tmp_path):
    judge_path = tmp_path / "judge.pt"
    torch.manual_seed(1)
    import timm

    network = timm.create_model("test_efficientnet", num_classes=3)
    classes = ("Happiness", "Neutral", "Anger")
    save_judge(
        judge_path,
        Judge("test_efficientnet", classes, 32, IMAGENET_MEAN, IMAGENET_STD, None, network.state_dict()),
    )
    scorer = metrics.Scorer("fid*emotion", "emotion", faces.domains, judge_path)
    scorer.learn_reals(faces, 12, 64, 32, tmp_path / "cache")
    files = features.stratified(faces, 12)
    reals = {domain: features.unit_images(paths, 64, 32) for domain, paths in files.items()}

    right = scorer(reals)
    swapped = scorer({"angry": reals["happy"], "happy": reals["angry"]})
    assert all(part.distance is not None and part.distance < 1e-6 for part in right.domains.values())
    assert all(part.distance is not None and part.distance > 1e-3 for part in swapped.domains.values())
    assert right.distance_name == "Fréchet distance (emotion features)"
    expected = EmotionRecognizer.load(judge_path).probabilities(reals["happy"], ["angry", "happy"])[:, 1].mean()
    assert right.domains["happy"].confidence == pytest.approx(float(expected), abs=1e-6)


def test_likeness_of_images_is_that_of_the_papers():
    grey, lighter = (torch.full((2, 3, 32, 24), v, dtype=torch.float64) for v in (0.5, 0.6))
    assert image_likeness.peak_signal_noise_ratio(grey, lighter) == pytest.approx(20, rel=1e-4)  # 10 log10(1 / 0.1²)
    c1 = 0.01**2
    expected = (2 * 0.5 * 0.6 + c1) / (0.5**2 + 0.6**2 + c1)  # nothing but the means differs
    assert image_likeness.structural_similarity(grey, lighter) == pytest.approx(expected, rel=1e-4)
    noisy = torch.rand(2, 3, 32, 24, generator=torch.Generator().manual_seed(0))
    assert image_likeness.structural_similarity(noisy, noisy) == pytest.approx(1)
    assert abs(image_likeness.structural_similarity(noisy, noisy.flip(-1))) < 0.1
