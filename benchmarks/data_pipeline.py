"""Training images a second, and what each costs the processor: the published way and ours, in one run, as a table.

    python benchmarks/data_pipeline.py [--image_dir data/train512] [--image_size 256] [--rounds 5] [--seconds 3]

The seed's way: Pillow decodes the whole JPEG, then flip, centre crop, resize, ColorJitter, ToTensor and Normalize, one
image at a time in the workers. Ours decodes in the workers, or reads the cache, and augments whole batches on the
device. All ways take turns; a batch counts once it is on the device, ready to train on. Without a folder, faces are
drawn.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import PIL
import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from common.device import choose_device
from common.emotions import FIVE
from data_loader import FaceLoading, training_batches
from imaging.draw_faces import write_faces
from imaging.image_folder import find_domains, read_folder
from loading.decoded_cache import prepare
from loading.unreadable import Unreadable

Batches = Iterator[tuple[Any, ...]]

DRAWN_EACH = 40  # faces of an emotion, where no folder is given
WORKERS = (1, 2)
WARM_UP = 8  # batches: the workers have started, and nothing is waiting in their queues


@dataclass
class Way:
    """One way to make batches with so many workers, and what was measured of it."""

    name: str
    open: Callable[[int], Batches]
    workers: int
    rates: list[float] = field(default_factory=list)  # images a second
    processor: list[float] = field(default_factory=list)  # milliseconds an image


def published_way(args: argparse.Namespace, folder: Path, workers: int, device: torch.device) -> Batches:
    """The loader of the published StarGAN code, with its transforms."""
    transform = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.CenterCrop(args.crop_size),
            v2.Resize(args.image_size),
            v2.ColorJitter(brightness=(0.8, 1.4), contrast=0.2),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ]
    )
    images = ImageFolder(str(folder), transform)
    loader: DataLoader[Any] = DataLoader(images, args.batch_size, shuffle=True, num_workers=workers, drop_last=True)
    while True:
        for x_real, c_org in loader:
            yield x_real.to(device), c_org.to(device)


def ways_of(args: argparse.Namespace, folder: Path, cache: Path, device: torch.device) -> list[Way]:
    """All that are compared; fills the cache."""
    images = read_folder(folder, len(find_domains(folder)))
    crops = {"crop_size": args.crop_size, "image_size": args.image_size}
    began = time.perf_counter()
    prepare(cache, images, **crops, num_workers=max(WORKERS))
    seconds = time.perf_counter() - began
    print(f"cache of {len(images.paths)} images built in {seconds:.1f} s, the start of two workers included\n")

    def ours(workers: int, folder: Path | None) -> Batches:
        return training_batches(
            images, Unreadable(images, print), FaceLoading(**crops), batch_size=args.batch_size, num_workers=workers,
            device=device, cache=folder,
        )  # fmt: skip

    openers: dict[str, Callable[[int], Batches]] = {
        "the published way": lambda workers: published_way(args, folder, workers, device),
        "ours": lambda workers: ours(workers, None),
        "ours, `--cache`": lambda workers: ours(workers, cache),
    }
    return [Way(name, opener, workers) for name, opener in openers.items() for workers in WORKERS]


def measure(way: Way, args: argparse.Namespace, device: torch.device) -> None:
    """One round: the rate with workers, then the processor's time in this process alone, where it can be measured."""
    with closing(way.open(way.workers)) as batches:  # type: ignore[type-var]
        way.rates.append(1 / _seconds_an_image(batches, args, device, time.perf_counter))
    with closing(way.open(0)) as batches:  # type: ignore[type-var]
        way.processor.append(1000 * _seconds_an_image(batches, args, device, time.process_time))


def _seconds_an_image(
    batches: Batches, args: argparse.Namespace, device: torch.device, clock: Callable[[], float]
) -> float:
    for _ in range(WARM_UP):
        next(batches)
    ends = time.perf_counter() + args.seconds
    images, began = 0, clock()
    while time.perf_counter() < ends:
        x_real, *_ = next(batches)
        images += len(x_real)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (clock() - began) / images


def print_table(ways: list[Way]) -> None:
    """Medians over the rounds, and the slowest and fastest of them."""
    reference = ways[0]
    print("| way | workers | images/s | slowest to fastest | times the published with 1 worker | CPU ms an image |")
    print("| --- | --- | --- | --- | --- | --- |")
    for way in ways:
        rate = statistics.median(way.rates)
        times = statistics.median(a / b for a, b in zip(way.rates, reference.rates, strict=True))
        processor = statistics.median(p for other in ways if other.name == way.name for p in other.processor)
        print(
            f"| {way.name} | {way.workers} | {rate:.0f} | {min(way.rates):.0f} to {max(way.rates):.0f} | "
            f"{times:.2f} | {processor:.2f} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image_dir", type=Path, help="512x512 JPEG faces, a folder for each emotion")
    parser.add_argument("--crop_size", type=int, default=448)
    parser.add_argument("--image_size", type=int, default=256)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="that each measurement takes")
    args = parser.parse_args()
    device = choose_device()
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.image_dir or Path(temporary) / "train"
        if not args.image_dir:
            write_faces(folder, list(FIVE), DRAWN_EACH, seed=0, same_identities=False)
        ways = ways_of(args, folder, Path(temporary) / "cache", device)
        for _ in range(args.rounds):
            for way in ways:
                measure(way, args, device)
    print(
        f"{device.type} ({hardware}), {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{torch.get_num_threads()} threads; torch {torch.__version__}, torchvision {torchvision.__version__}, "
        f"Pillow {PIL.__version__}; {args.crop_size} to {args.image_size}, batches of {args.batch_size}, "
        f"{args.rounds} rounds of {args.seconds:g} s\n"
    )
    print_table(ways)


if __name__ == "__main__":
    main()
