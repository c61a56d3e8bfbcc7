"""A photo in, the same photo with each emotion out. Test mode, the backend and the Streamlit app all call this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

import checkpoint
from device import autocast, choose_device
from errors import UserError
from face_detection import (
    CROP_SIZE,
    FaceFinder,
    Image,
    Points,
    Square,
    blend,
    face_mask,
    face_square,
    input_square,
)
from losses import one_hot
from model import Generator
from value_range import to_network, to_uint8

MESH_SIZE = 256  # pixels: a generated face is enlarged to at least this before its mesh is looked for


class NoFace(Exception):
    """There is no face in the photo, or none with a mesh."""


@dataclass(frozen=True)
class Translation:
    """A photo and, by domain name, the same photo with that emotion; uint8 RGB [H, W, 3], all of one size."""

    original: Image
    results: dict[str, Image]


@torch.inference_mode()
def translate_to_all(G: nn.Module, x: Tensor, c_dim: int) -> Tensor:
    """Every image with every domain, in one batch: [B, 3, H, W] -> [B, c_dim, 3, H, W], both in [-1, 1]."""
    labels = one_hot(torch.arange(c_dim, device=x.device), c_dim).repeat(len(x), 1)
    x_fake = G(x.repeat_interleave(c_dim, dim=0), labels)
    return x_fake.float().unflatten(0, (len(x), c_dim))


class Translator:
    """A generator and a face finder, loaded once; a context manager, or `close()` it.

    `domains` are the emotions it gives, in label order.
    """

    def __init__(
        self, G: Generator, domains: list[str], image_size: int, crop_size: int = CROP_SIZE, amp: str = "auto"
    ) -> None:
        self.device = choose_device()
        self.G = G.to(self.device).to(memory_format=torch.channels_last).eval()
        self.domains = domains
        self.image_size = image_size
        self.crop_size = crop_size
        self.amp = amp
        self.finder = FaceFinder()

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        c_dim: int = 5,
        image_size: int = 256,
        crop_size: int = CROP_SIZE,
        domains: tuple[str, ...] = (),
        amp: str = "auto",
    ) -> Translator:
        """The translator of a `-G.ckpt` file.

        The architecture is read off the file, the rest from the `config.json` beside it; the keywords serve
        checkpoints of other repos, which have none. Raises `UserError` for a file that is no generator.
        """
        state, found = checkpoint.load_generator(path, c_dim)
        config = checkpoint.load_config(path.parent)
        if config:
            image_size, crop_size = config["arguments"]["image_size"], config["arguments"]["crop_size"]
        with torch.device("meta"):
            G = Generator(found.conv_dim, found.c_dim, found.repeat_num)
        try:
            G.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise UserError(f"{path} is not a StarGAN generator ({str(error).splitlines()[-1].strip()})") from error
        names = checkpoint.domain_names(path, found.c_dim, domains)
        return cls(G.requires_grad_(False), names, image_size, crop_size, amp)

    def generate(self, crops: Image) -> Image:
        """Faces uint8 [F, S, S, 3] as the network sees them -> with every emotion [F, c_dim, S, S, 3]."""
        x = to_network(crops).to(self.device, memory_format=torch.channels_last)
        with autocast(self.device, self.amp):
            x_fake = translate_to_all(self.G, x, len(self.domains))
        return to_uint8(x_fake)

    def translate(self, photo: Image) -> Translation:
        """The photo (uint8 RGB [H, W, 3]) with each emotion on its largest face. Raises `NoFace`."""
        boxes = self.finder.boxes(photo)
        if not boxes:
            raise NoFace("no face found")
        square = input_square(face_square(boxes[0]), self.crop_size)
        crop = square.cut(photo, self.image_size)
        original_mesh = self._mesh(square.cut(photo, max(self.image_size, MESH_SIZE)), square)
        results = {}
        for domain, generated in zip(self.domains, self.generate(crop[None])[0], strict=True):
            mesh = self._mesh(generated, square)
            points = original_mesh if mesh is None else mesh
            if points is None:
                raise NoFace("a face, but no face mesh in it")
            results[domain] = paste(photo, generated, square, points)
        return Translation(photo, results)

    def close(self) -> None:
        """Free MediaPipe's networks."""
        self.finder.close()

    def __enter__(self) -> Translator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _mesh(self, crop: Image, square: Square) -> Points | None:
        """The mesh of a crop's face as points of the photo."""
        size = max(MESH_SIZE, crop.shape[0])
        enlarged = cv2.resize(crop, (size, size), interpolation=cv2.INTER_CUBIC)
        mesh = self.finder.mesh(np.asarray(enlarged, np.uint8))
        return None if mesh is None else square.to_photo(mesh.points, size).astype(np.float32)


def paste(photo: Image, generated: Image, square: Square, points: Points) -> Image:
    """The photo with the generated crop of `square` inside the mesh `points` (photo coordinates).

    Outside the mesh, forehead raised, every pixel is the photo's own.
    """
    rows, columns = square.region(photo.shape)
    place = photo[rows, columns]
    mask = face_mask(points - np.array((columns.start, rows.start), np.float32), place.shape)
    result = photo.copy()
    result[rows, columns] = blend(place, square.put_back(generated, photo.shape), mask)
    return result
