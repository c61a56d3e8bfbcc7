"""Image folders to training batches that a resumed run continues exactly."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from common.errors import RunStopped, UserError
from imaging.face_crop import UnreadableImage, load_crop
from imaging.image_folder import LabelledImages, pair_table
from imaging.value_range import to_network
from loading.augment import Draws, augment, draw
from loading.decoded_cache import DecodedFaces, open_cache
from loading.photo_conditions import Conditions, add_noise, draw_conditions, size_to_load, under_conditions
from loading.prefetch import one_ahead
from loading.sample_stream import BalancedShuffle, EndlessShuffle, Place, Shuffle, stream_seed
from loading.unreadable import TOLERATED, Broken, Unreadable


class TrainingBatch(NamedTuple):
    """What an iteration trains on. With pairs the loader brings the known answers, and with them the target labels."""

    x_real: Tensor  # float32 [B, 3, S, S] in [-1, 1], channels last in memory
    c_org: Tensor  # int64 [B]
    c_trg: Tensor | None = None  # int64 [B]
    x_trg: Tensor | None = None  # as x_real: the same people with the target emotions


class Batch(NamedTuple):
    """What a worker makes of B places in the stream."""

    pixels: Tensor  # uint8 RGB [B, S, S, 3]; with pairs [B, 2S, S, 3], the known answer below
    draws: Draws  # how to augment them
    labels: Tensor  # int64 [B]; with pairs the answers'
    origins: Tensor | None  # int64 [B], with pairs: the inputs' labels
    broken: Broken  # what was passed over for them


@dataclass(frozen=True)
class FaceLoading:
    """How a face is loaded: the centre `crop_size` of the stored crop at `image_size`, under which conditions."""

    crop_size: int
    image_size: int
    seed: int = 0
    augment: str = "seed"  # or "photo": see loading/photo_conditions.py
    pairs: bool = False
    pair_from: Sequence[str] | None = None  # the inputs' emotions, with pairs; None: all

    @property
    def to_load(self) -> tuple[int, int]:
        """Crop and image size that are decoded, and cached."""
        if self.augment == "photo":
            return size_to_load(self.crop_size, self.image_size)
        return self.crop_size, self.image_size


class FaceCrops(Dataset[Batch]):
    """Training faces before augmentation, a batch at a time, decoded from their files or read from the cache."""

    def __init__(self, images: LabelledImages, faces: FaceLoading, cache: DecodedFaces | None) -> None:
        self.images = images
        self.faces = faces
        self.cache = cache
        self.pairs = pair_table(images) if faces.pairs else None
        self.origins = [images.domains.index(emotion) for emotion in faces.pair_from or images.domains]

    def __getitem__(self, places: list[Place]) -> Batch:
        """The batch of the samples at `places`."""
        broken: Broken = []
        seeds = [stream_seed(self.faces.seed, number) for _, number in places]
        origins = [self.origins[seed % len(self.origins)] if self.faces.pairs else None for seed in seeds]
        samples = [
            self._readable(index, seed, origin, broken)
            for (index, _), seed, origin in zip(places, seeds, origins, strict=True)
        ]
        return Batch(
            torch.from_numpy(np.stack([pixels for pixels, _ in samples])),
            draw(seeds),
            torch.tensor([self.images.labels[index] for _, index in samples]),
            torch.tensor(origins) if self.faces.pairs else None,
            broken,
        )

    def _readable(self, index: int, seed: int, origin: int | None, broken: Broken) -> tuple[np.ndarray, int]:
        """The sample at `index`, or the next one that can be read; black after more failures than are tolerated."""
        count = len(self.images.paths)
        for _ in range(1 + int(TOLERATED * count)):
            try:
                return self._sample(index, seed, origin), index
            except UnreadableImage as error:
                broken.append((index, str(error)))
                index = (index + 1) % count
        size = self.faces.image_size
        return np.zeros((size if origin is None else 2 * size, size, 3), np.uint8), index

    def _sample(self, index: int, seed: int, origin: int | None) -> np.ndarray:
        """The image at `index`; with an origin it is the known answer, below the same person with that emotion."""
        conditions = draw_conditions(seed) if self.faces.augment == "photo" else None
        pixels = self._pixels(index, conditions)
        answer = None
        if origin is not None and self.pairs is not None:
            answer, pixels = pixels, self._pixels(int(self.pairs[index, origin]), conditions)
        if conditions:
            pixels = add_noise(pixels, conditions)
        return pixels if answer is None else np.concatenate([pixels, answer])

    def _pixels(self, index: int, conditions: Conditions | None) -> np.ndarray:
        crop_size, image_size = self.faces.to_load
        path = self.images.paths[index]
        pixels = self.cache[index] if self.cache is not None else load_crop(path, crop_size, image_size)
        if conditions is None:
            return pixels
        return under_conditions(pixels, self.faces.image_size, self.faces.crop_size / crop_size, conditions)


def training_batches(
    images: LabelledImages,
    unreadable: Unreadable,
    faces: FaceLoading,
    *,
    batch_size: int,
    num_workers: int,
    start: int = 0,
    balance: bool = False,
    device: torch.device,
    cache: Path | None = None,
    rank: int = 0,
    world_size: int = 1,
) -> Generator[TrainingBatch, None, None]:
    """Endless batches on `device`, from sample number `start` of the stream on; close it, and its workers end.

    With `balance` every emotion is shown equally often. `cache` is a folder that `decoded_cache.prepare` filled. Each
    of `world_size` processes gets its own share of the same stream.
    """
    decoded = open_cache(cache, images, *faces.to_load) if cache else None
    loader = DataLoader(
        FaceCrops(images, faces, decoded),
        sampler=EndlessShuffle(
            BalancedShuffle(images.labels, faces.seed) if balance else Shuffle(len(images.paths), faces.seed),
            batch_size=batch_size,
            start=start,
            rank=rank,
            world_size=world_size,
        ),
        batch_size=None,  # the sampler makes batches
        num_workers=num_workers,
        worker_init_fn=_leave_signals_to_the_run,
        pin_memory=device.type == "cuda",
    )

    def put(batch: Batch) -> TrainingBatch:
        unreadable.add(batch.broken)
        pixels, labels = (tensor.to(device, non_blocking=True) for tensor in (batch.pixels, batch.labels))
        x = augment(pixels, batch.draws.to(device))  # a pair is one picture here: the same light falls on both
        if batch.origins is None:
            return TrainingBatch(x, labels)
        x_real, x_trg = (half.contiguous(memory_format=torch.channels_last) for half in x.chunk(2, dim=2))
        return TrainingBatch(x_real, batch.origins.to(device, non_blocking=True), labels, x_trg)

    return _with_its_workers(loader, put, device)


def _with_its_workers(
    loader: DataLoader[Batch], put: Callable[[Batch], TrainingBatch], device: torch.device
) -> Generator[TrainingBatch, None, None]:
    """`put` of the loader's batches; the workers end with it, however it ends.

    Workers ignore SIGTERM; without this both sides wait for ever.
    """
    source = iter(loader)
    try:
        yield from one_ahead(source, put, device)
    finally:
        if isinstance(source, _MultiProcessingDataLoaderIter):
            source._shutdown_workers()


def _leave_signals_to_the_run(_: int) -> None:
    """Ctrl-C and a scheduler's SIGTERM reach every process; the run still needs its loaders to end its iteration."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def worker_deaths_reported(num_workers: int) -> Iterator[None]:
    """Report in one sentence that the system killed a loader process; torch raises it wherever the run is."""
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
            continue  # training reports it when its turn comes


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
