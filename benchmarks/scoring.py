"""One scoring step on 160 translated faces: pytorch-fid's functions and a judge of single faces, against ours.

    python benchmarks/scoring.py

Random weights in the true formats; the translation itself is left out on both sides. Both get the same files' faces:
32 translated ones of each of five emotions, and 32 real ones, which the old way measures again in every step.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from pytorch_fid import fid_score, inception
from torch import nn

from checkpointing.judge_file import IMAGENET_MEAN, IMAGENET_STD
from common import emotions
from common.device import has_bf16
from imaging.drawing.picture import draw_face
from imaging.image_folder import read_folder
from scoring import features, metrics

EMOTIONS = list(emotions.FIVE)
PER_EMOTION = 32
SIZE = 256


class Clock:
    """Seconds spent on each part, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - start


def write_inception(path: Path) -> None:
    """Random weights under the names and shapes of pytorch-fid's file."""
    with (
        mock.patch.object(inception, "load_state_dict_from_url"),
        mock.patch.object(torchvision.models.Inception3, "load_state_dict"),
    ):
        network = inception.fid_inception_v3()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # so that activations neither die out nor grow
            module.running_var = torch.empty(module.num_features).uniform_(0.1, 0.2)
    torch.save(network.state_dict(), path)


def write_judge(path: Path) -> nn.Module:
    """The published judge's format: a whole pickled EfficientNet-B2 of seven classes."""
    network = timm.create_model("tf_efficientnet_b2", num_classes=7).eval()
    torch.save(network, path)
    return network


def write_faces(folder: Path, first_identity: int) -> None:
    """`PER_EMOTION` drawn faces of each emotion."""
    for emotion in EMOTIONS:
        (folder / emotion).mkdir(parents=True)
        for i in range(PER_EMOTION):
            Image.fromarray(draw_face(first_identity + i, emotion, size=SIZE)).save(folder / emotion / f"{i:02}.png")


def old_way(folder: Path, network: nn.Module, clock: Clock) -> dict[str, float]:
    """pytorch-fid's own functions for each emotion, and the judge on one face after another."""
    state = torch.load(folder / "inception.pth", weights_only=True)
    with mock.patch.object(inception, "load_state_dict_from_url", lambda *_, **__: state):
        extractor = inception.InceptionV3()
    to_tensor = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize((260, 260)),
            torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    distances = {}
    for emotion in EMOTIONS:
        statistics = []
        for side in ("real", "fake"):
            files = sorted((folder / side / emotion).iterdir())
            with clock("Inception features"), mock.patch.object(fid_score, "tqdm", iter):
                statistics += fid_score.calculate_activation_statistics(files, extractor, PER_EMOTION, num_workers=0)
        with clock("five distances"):
            distances[emotion] = pytorch_fid_distance(*statistics)
        for file in sorted((folder / "fake" / emotion).iterdir()):
            with clock("judge"), torch.no_grad():
                network(to_tensor(Image.open(file))[None]).softmax(1)
    return distances


def our_way(folder: Path, fid_features: str, dtype: torch.dtype, clock: Clock) -> metrics.Score:
    """`Scorer`, its real faces measured beforehand, as once in a training run."""
    images = read_folder(folder / "real", len(EMOTIONS))
    with mock.patch.object(features.pretrained_files, "path", lambda _: folder / "inception.pth"):
        scorer = metrics.Scorer("fid*emotion", fid_features, EMOTIONS, folder / "enet_b2_7.pt", dtype=dtype)
    scorer.learn_reals(images, PER_EMOTION * len(EMOTIONS), SIZE, SIZE, folder / "cache")
    fakes = {
        emotion: features.unit_images([str(p) for p in sorted((folder / "fake" / emotion).iterdir())], SIZE, SIZE)
        for emotion in EMOTIONS
    }
    with clock("whole step"):
        return scorer(fakes)


def pytorch_fid_distance(*statistics: np.ndarray) -> float:
    """Its distance, or NaN where its square root of a singular matrix comes out too imaginary for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(fid_score.calculate_frechet_distance(*statistics))
        except ValueError as error:
            print(f"  pytorch-fid gives up: {error}", flush=True)
            return float("nan")


def frechet_alone() -> tuple[float, float, float]:
    """Seconds of pytorch-fid's and of our distance on 160 × 2048 features, and their relative difference."""
    rng = np.random.default_rng(0)
    a, b = (np.abs(rng.normal(size=(160, 2048))) + shift for shift in (0, 0.1))
    start = time.perf_counter()
    theirs = pytorch_fid_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))
    between = time.perf_counter()
    ours = metrics.frechet_distance(a, b)
    return between - start, time.perf_counter() - between, abs(ours / theirs - 1)


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count() or 1)  # for both sides: torch's own choice may be fewer
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}", flush=True)
    theirs, ours, difference = frechet_alone()
    print(
        f"Fréchet distance, 160 x 2048: pytorch-fid {theirs:.2f} s, ours {ours:.4f} s: "
        f"{theirs / ours:.0f} times faster, relative difference {difference:.1e}",
        flush=True,
    )
    fast = torch.bfloat16 if has_bf16(torch.device("cpu")) else torch.float32
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_faces(folder / "real", 0)
        write_faces(folder / "fake", 1000)
        write_inception(folder / "inception.pth")
        network = write_judge(folder / "enet_b2_7.pt")
        clock = Clock()
        expected = old_way(folder, network, clock)
        total = sum(clock.seconds.values())
        for part, seconds in clock.seconds.items():
            print(f"  the old way, {part:<20} {seconds:7.2f} s")
        print(f"{'one scoring step, 160 faces':<46}{'seconds':>9}{'times faster':>14}{'FID differs by':>16}")
        print(f"{'the old way':<46}{total:9.2f}", flush=True)
        for fid_features, dtype in (("inception", torch.float32), ("inception", fast), ("emotion", fast)):
            clock = Clock()
            score = our_way(folder, fid_features, dtype, clock)
            seconds = clock.seconds["whole step"]
            row = f"{f'ours, {fid_features} features, {str(dtype)[6:]}':<46}{seconds:9.2f}{total / seconds:14.1f}"
            if fid_features == "inception":
                worst = max(abs((score.domains[e].distance or 0) / expected[e] - 1) for e in EMOTIONS)
                row += f"{worst:16.1e}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
