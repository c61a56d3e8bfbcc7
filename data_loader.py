"""Image folders to training batches that a resumed run continues exactly.

Randomness has no state: sample number k of the stream is the same picture with the same augmentation whatever came
before it, however many workers load it, and however often the run was stopped.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from errors import RunStopped, UserError
from image_folder import LabelledImages
from value_range import to_network

Place = tuple[int, int]  # index in the data set, number in the stream
Broken = list[tuple[int, str]]  # index of an image that could not be read, and why
Sample = tuple[Tensor, int, Broken]  # image, label, and what was passed over for it

TOLERATED = 0.1  # share of the images that may turn out unreadable before a run stops


class UnreadableImage(UserError):
    """A file that is no image, or was one once."""


def stream_seed(*numbers: int) -> int:
    """One well-mixed 64-bit seed for a place in a random stream, such as (seed, sample number)."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def load_crop(path: str, crop_size: int, image_size: int) -> Image.Image:
    """The centre `crop_size` square of a face crop, resized to `image_size` (smaller pictures are scaled up first).

    A JPEG is decoded at a reduced size where that loses nothing at `image_size` (libjpeg's DCT scaling).
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            side = min(crop_size, width, height)
            image.draft("RGB", (-(-width * image_size // side), -(-height * image_size // side)))
            scale_x, scale_y = image.width / width, image.height / height
            left, top = (width - side) / 2 * scale_x, (height - side) / 2 * scale_y
            box = (left, top, left + side * scale_x, top + side * scale_y)
            return image.convert("RGB").resize((image_size, image_size), Image.Resampling.BICUBIC, box=box)
    except Exception as error:  # Pillow raises a dozen unrelated types for a broken file
        raise UnreadableImage(f"{path} is not a readable image ({error}): remove it or preprocess again") from error


class FaceCrops(Dataset[Sample]):
    """Training crops: random flip, centre crop, resize, ColorJitter (bright photos came out dark without it)."""

    def __init__(self, images: LabelledImages, crop_size: int, image_size: int, seed: int) -> None:
        self.images = images
        self.crop_size = crop_size
        self.image_size = image_size
        self.seed = seed
        self.augment = v2.Compose([v2.RandomHorizontalFlip(), v2.ColorJitter(brightness=(0.8, 1.4), contrast=0.2)])

    def __len__(self) -> int:
        return len(self.images.paths)

    def __getitem__(self, place: Place) -> Sample:
        """Image [3, image_size, image_size] in [-1, 1], its label, and the unreadable images it stands in for."""
        index, number = place
        image, index, broken = self._readable(index)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(self.seed, number))
            image = self.augment(image)
        return to_network(np.asarray(image)), self.images.labels[index], broken

    def _readable(self, index: int) -> tuple[Image.Image, int, Broken]:
        """The image at `index`, or the next one that can be read; grey after more failures than are tolerated."""
        broken: Broken = []
        while len(broken) <= TOLERATED * len(self):
            try:
                return load_crop(self.images.paths[index], self.crop_size, self.image_size), index, broken
            except UnreadableImage as error:
                broken.append((index, str(error)))
                index = (index + 1) % len(self)
        return Image.new("RGB", (self.image_size, self.image_size)), index, broken


class Unreadable:
    """The images that could not be read so far, each told once; too many of them stop the run."""

    def __init__(self, images: LabelledImages, say: Callable[[str], None]) -> None:
        self.images = images
        self.say = say
        self.found: set[int] = set()

    def add(self, broken: Broken) -> None:
        """Name new ones; raise `RunStopped` with the list when they are more than `TOLERATED` of the images."""
        for index, reason in broken:
            if index not in self.found:
                self.found.add(index)
                self.say(f"unreadable image {len(self.found)}, replaced by the next one: {reason}")
        if len(self.found) > TOLERATED * len(self.images.paths):
            names = ", ".join(self.images.paths[index] for index in sorted(self.found))
            raise RunStopped(
                f"{len(self.found)} of {len(self.images.paths)} images can't be read, more than {TOLERATED:.0%}: mend "
                f"the data, then the same command with --resume_iters latest; they are {names}"
            )


class EndlessShuffle(Sampler[Place]):
    """Epoch after epoch, each shuffled by (seed, epoch), from sample number `start` on."""

    def __init__(self, length: int, seed: int, start: int = 0) -> None:
        self.length = length
        self.seed = seed
        self.start = start

    def __iter__(self) -> Iterator[Place]:
        number = self.start
        while True:
            epoch, first = divmod(number, self.length)
            order = np.random.default_rng(stream_seed(self.seed, epoch)).permutation(self.length)
            for index in order[first:]:
                yield int(index), number
                number += 1


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
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches (x_real [B, 3, S, S] in [-1, 1], c_org [B]) from sample number `start` of the stream on."""
    loader = DataLoader(
        FaceCrops(images, crop_size, image_size, seed),
        batch_size=batch_size,
        sampler=EndlessShuffle(len(images.paths), seed, start),
        num_workers=num_workers,
        collate_fn=_collate,
        worker_init_fn=_leave_signals_to_the_run,
        pin_memory=torch.cuda.is_available(),
    )
    for x_real, c_org, broken in loader:
        unreadable.add(broken)
        yield x_real, c_org


def _collate(samples: list[Sample]) -> tuple[Tensor, Tensor, Broken]:
    pictures, labels, broken = zip(*samples, strict=True)
    return torch.stack(pictures), torch.tensor(labels), [one for some in broken for one in some]


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
            yield np.asarray(load_crop(images.paths[place], crop_size, image_size))
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
