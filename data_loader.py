"""Image folders to training batches that a resumed run continues exactly."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from augment import Draws, augment, draw
from decoded_cache import DecodedFaces, open_cache
from errors import RunStopped, UserError
from face_crop import UnreadableImage, load_crop
from image_folder import LabelledImages
from prefetch import one_ahead
from sample_stream import EndlessShuffle, Place, stream_seed
from unreadable import TOLERATED, Broken, Unreadable
from value_range import to_network


class Batch(NamedTuple):
    """What a worker makes of B places in the stream."""

    pixels: Tensor  # uint8 RGB [B, S, S, 3]
    draws: Draws  # how to augment them
    labels: Tensor  # int64 [B]
    broken: Broken  # what was passed over for them


class FaceCrops(Dataset[Batch]):
    """Training faces before augmentation, a batch at a time, decoded from their files or read from the cache."""

    def __init__(
        self, images: LabelledImages, crop_size: int, image_size: int, seed: int, cache: DecodedFaces | None
    ) -> None:
        self.images = images
        self.crop_size = crop_size
        self.image_size = image_size
        self.seed = seed
        self.cache = cache

    def __getitem__(self, places: list[Place]) -> Batch:
        """The batch of the samples at `places`."""
        broken: Broken = []
        faces = [self._readable(index, broken) for index, _ in places]
        return Batch(
            torch.from_numpy(np.stack([pixels for pixels, _ in faces])),
            draw(stream_seed(self.seed, number) for _, number in places),
            torch.tensor([self.images.labels[index] for _, index in faces]),
            broken,
        )

    def _readable(self, index: int, broken: Broken) -> tuple[np.ndarray, int]:
        """The image at `index`, or the next one that can be read; black after more failures than are tolerated."""
        count = len(self.images.paths)
        for _ in range(1 + int(TOLERATED * count)):
            try:
                return self._pixels(index), index
            except UnreadableImage as error:
                broken.append((index, str(error)))
                index = (index + 1) % count
        return np.zeros((self.image_size, self.image_size, 3), np.uint8), index

    def _pixels(self, index: int) -> np.ndarray:
        if self.cache is not None:
            return self.cache[index]
        return load_crop(self.images.paths[index], self.crop_size, self.image_size)


def training_batches(
    images: LabelledImages,
    unreadable: Unreadable,
    *,
    crop_size: int,
    image_size: int,
    batch_size: int,
    num_workers: int,
    seed: int,
    start: int = 0,
    device: torch.device,
    cache: Path | None = None,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches on `device`, from sample number `start` of the stream on.

    x_real: float32 [B, 3, S, S] in [-1, 1], channels last in memory; c_org: int64 [B]. `cache` is a folder that
    `decoded_cache.prepare` filled. Each of `world_size` processes gets its own share of the same stream.
    """
    decoded = open_cache(cache, images, crop_size, image_size) if cache else None
    loader = DataLoader(
        FaceCrops(images, crop_size, image_size, seed, decoded),
        sampler=EndlessShuffle(
            len(images.paths), seed, batch_size=batch_size, start=start, rank=rank, world_size=world_size
        ),
        batch_size=None,  # the sampler makes batches
        num_workers=num_workers,
        worker_init_fn=_leave_signals_to_the_run,
        pin_memory=device.type == "cuda",
    )

    def put(batch: Batch) -> tuple[Tensor, Tensor]:
        unreadable.add(batch.broken)
        pixels, labels = (tensor.to(device, non_blocking=True) for tensor in (batch.pixels, batch.labels))
        return augment(pixels, batch.draws.to(device)), labels

    return one_ahead(loader, put, device)


def _leave_signals_to_the_run(_: int) -> None:
    """Ctrl-C and a scheduler's SIGTERM reach every process; the run still needs its loaders to end its iteration."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def told_worker_deaths(num_workers: int) -> Iterator[None]:
    """Tell in one sentence that the system killed a loader process; torch reports it wherever the run happens to be."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RunStopped(
            "a process that loads images was killed, most often because the machine's memory was full: the same "
            f"command with --resume_iters latest and a smaller --num_workers than {num_workers}"
        ) from error


def fixed_faces(
    images: LabelledImages, per_domain: int, crop_size: int, image_size: int, seed: int
) -> tuple[Tensor, list[int]]:
    """The faces of every sample grid: up to `per_domain` of each domain, the same for one seed, without augmentation.

    Returns images [N, 3, S, S] in [-1, 1] and their labels. An unreadable one is replaced by another of its domain.
    """
    rng = np.random.default_rng(seed)
    labels = np.asarray(images.labels)
    pictures, chosen = [], []
    for label, domain in enumerate(images.domains):
        of_domain = rng.permutation(np.flatnonzero(labels == label))
        readable = itertools.islice(_readable_ones(images, of_domain, crop_size, image_size), per_domain)
        found = list(readable)
        if not found:
            raise UserError(f"no image of {domain} can be read: preprocess again")
        pictures += found
        chosen += [label] * len(found)
    return to_network(np.stack(pictures)), chosen


def _readable_ones(images: LabelledImages, places: np.ndarray, crop_size: int, image_size: int) -> Iterator[np.ndarray]:
    for place in places:
        try:
            yield load_crop(images.paths[place], crop_size, image_size)
        except UnreadableImage:
            continue  # training names it when its turn comes


def without_unreadable(images: LabelledImages, chosen: Iterable[str]) -> LabelledImages:
    """`images` without those of the files `chosen` that can't be read."""
    broken = {path for path in chosen if not _is_readable(path)}
    kept = [(p, c) for p, c in zip(images.paths, images.labels, strict=True) if p not in broken]
    return LabelledImages(images.domains, [p for p, _ in kept], [c for _, c in kept])


def _is_readable(path: str) -> bool:
    try:
        load_crop(path, 8, 8)
    except UnreadableImage:
        return False
    return True
