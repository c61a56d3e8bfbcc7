"""Image folders to training batches that a resumed run continues exactly.

Randomness has no state: sample number k of the stream is the same picture with the same augmentation whatever came
before it, however many workers load it, and however often the run was stopped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from errors import UserError
from image_folder import LabelledImages
from value_range import to_network

Place = tuple[int, int]  # index in the data set, number in the stream


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
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{path} is not a readable image ({error}): remove it or preprocess again") from error


class FaceCrops(Dataset[tuple[Tensor, int]]):
    """Training crops: random flip, centre crop, resize, ColorJitter (bright photos came out dark without it)."""

    def __init__(self, images: LabelledImages, crop_size: int, image_size: int, seed: int) -> None:
        self.images = images
        self.crop_size = crop_size
        self.image_size = image_size
        self.seed = seed
        self.augment = v2.Compose([v2.RandomHorizontalFlip(), v2.ColorJitter(brightness=(0.8, 1.4), contrast=0.2)])

    def __len__(self) -> int:
        return len(self.images.paths)

    def __getitem__(self, place: Place) -> tuple[Tensor, int]:
        """Image [3, image_size, image_size] in [-1, 1] and its label."""
        index, number = place
        image = load_crop(self.images.paths[index], self.crop_size, self.image_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(self.seed, number))
            image = self.augment(image)
        return to_network(np.asarray(image)), self.images.labels[index]


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
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)


def fixed_faces(
    images: LabelledImages, per_domain: int, crop_size: int, image_size: int, seed: int
) -> tuple[Tensor, list[int]]:
    """The faces of every sample grid: up to `per_domain` of each domain, the same for one seed, without augmentation.

    Returns images [N, 3, S, S] in [-1, 1] and their labels.
    """
    rng = np.random.default_rng(seed)
    labels = np.asarray(images.labels)
    chosen: list[int] = []
    for label in range(len(images.domains)):
        of_domain = np.flatnonzero(labels == label)
        chosen += rng.choice(of_domain, min(per_domain, len(of_domain)), replace=False).tolist()
    pictures = [np.asarray(load_crop(images.paths[i], crop_size, image_size)) for i in chosen]
    return to_network(np.stack(pictures)), [images.labels[i] for i in chosen]
