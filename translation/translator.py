"""A photo in, the same photo with each emotion out. Test mode, the backend and the Streamlit app all call this."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from checkpointing.trained_generator import TrainedGenerator, load_generator
from face_detection import Face, FaceFinder
from imaging.face_geometry import CROP_SIZE, Image, Points, Square, input_square, published_square
from imaging.value_range import to_network, to_uint8
from losses import one_hot
from model import Generator
from translation.fast_generator import Translate, fast_generator, onnx_for
from translation.paste_back import FacePaste

MESH_SIZE = 256  # pixels: a generated face is enlarged to at least this before its mesh is looked for
SAME_PLACE = 0.2  # in sides of the square: a mesh farther from the face's own belongs to somebody behind it

# Images a forward pass. On a CPU one after the other is quickest, as more do not fit its cache, and takes least memory.
IMAGES_AT_ONCE = {"cpu": 1, "cuda": 80}
PIXELS_AT_ONCE = 100_000_000  # of photos that wait to share a pass: 300 MB


class NoFace(Exception):
    """There is no face in the photo, or none with a mesh."""


@dataclass(frozen=True)
class Original:
    """A photo to translate, uint8 RGB [H, W, 3]; one from a disk with all that its results need to be written."""

    pixels: Image
    path: Path = Path()
    icc_profile: bytes | None = None
    note: str = ""  # what there is to say about how it was read


@dataclass(frozen=True)
class Translation:
    """A photo and, by domain name, the same photo with that emotion; uint8 RGB [H, W, 3], all of one size.

    `faces` are those found, largest first. One without a mesh is as it was; without any other, `results` is empty.
    """

    photo: Original
    results: dict[str, Image]
    faces: Sequence[Face] = ()

    @property
    def original(self) -> Image:
        """The photo's pixels."""
        return self.photo.pixels

    @property
    def without_mesh(self) -> int:
        """How many faces are as they were."""
        return sum(face.points is None for face in self.faces)

    @property
    def problem(self) -> str:
        """Why there are no results, in a few words."""
        return "a face, but no face mesh in it" if self.faces else "no face found"


@torch.inference_mode()
def translate_to_all(G: Translate, x: Tensor, c_dim: int, faces_at_once: int | None = None) -> Tensor:
    """Every image with every domain: [B, 3, H, W] -> [B, c_dim, 3, H, W], both in [-1, 1].

    In one batch of B × c_dim, or in parts of `faces_at_once` × c_dim.
    """
    parts = []
    for faces in x.split(faces_at_once or max(1, len(x))):
        labels = one_hot(torch.arange(c_dim, device=x.device), c_dim).repeat(len(faces), 1)
        x_fake = G(faces.repeat_interleave(c_dim, dim=0), labels)
        parts.append(x_fake.float().unflatten(0, (len(faces), c_dim)))
    return torch.cat(parts)


def faces_that_fit(batch_size: int, accumulate: int, c_dim: int) -> int:
    """How many faces to translate to all domains at once: no more images than a training step computes together."""
    return max(1, batch_size // accumulate // c_dim)


class Translator:
    """A generator and a face finder, loaded once; a context manager, or `close()` it.

    `domains` are the emotions it gives, in label order. With `published` the generator sees faces as the published
    repo's networks did, closer than ours. `onnx` is G's export, where OpenVINO shall compute it.
    """

    def __init__(
        self,
        G: Generator,
        domains: list[str],
        image_size: int,
        crop_size: int = CROP_SIZE,
        amp: str = "auto",
        onnx: Path | None = None,
        published: bool = False,
    ) -> None:
        self.G, self.device = fast_generator(G, amp, onnx)
        self.domains = domains
        self.image_size = image_size
        self.crop_size = crop_size
        self.published = published
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
        backend: str = "auto",
    ) -> Translator:
        """The translator of a `-G.ckpt` file.

        The architecture is read off the file, the rest from the `config.json` beside it; the keywords serve
        checkpoints of other repos, which have none. `backend` as in `onnx_for`. Raises `UserError` for a file
        that is no generator.
        """
        trained = load_generator(path, c_dim=c_dim, image_size=image_size, crop_size=crop_size, domains=domains)
        return cls.of(trained, amp, backend)

    @classmethod
    def of(cls, trained: TrainedGenerator, amp: str = "auto", backend: str = "auto") -> Translator:
        """The same of a file that has been read."""
        onnx = onnx_for(trained, backend)
        return cls(
            trained.network, trained.domains, trained.image_size, trained.crop_size, amp, onnx, trained.published
        )

    @torch.inference_mode()
    def generate(self, crops: Image) -> Image:
        """Faces uint8 [F, S, S, 3] as the network sees them -> with every emotion [F, c_dim, S, S, 3]."""
        faces = to_network(crops).repeat_interleave(len(self.domains), dim=0)
        labels = torch.eye(len(self.domains)).repeat(len(crops), 1)
        step = IMAGES_AT_ONCE[self.device.type]
        parts = [
            to_uint8(self.G(x.to(self.device), c.to(self.device)))
            for x, c in zip(faces.split(step), labels.split(step), strict=True)
        ]
        return np.concatenate(parts).reshape(len(crops), len(self.domains), *crops.shape[1:])

    def find_faces(self, photo: Image) -> list[Face]:
        """The faces of a photo (uint8 RGB [H, W, 3]), largest first."""
        return self.finder.faces(photo)

    def translate(self, photo: Image, faces: Sequence[Face] | None = None) -> Translation:
        """The photo (uint8 RGB [H, W, 3]) with each emotion on its faces, or on those of `faces` given.

        Raises `NoFace` where there is none, or none with a mesh.
        """
        found = self.find_faces(photo) if faces is None else faces
        (translation,) = self._translate_together([(Original(photo), found)])
        if not translation.results:
            raise NoFace(translation.problem)
        return translation

    def translate_many(self, photos: Iterable[Original], largest: bool = False) -> Iterator[Translation]:
        """Each photo's translation, in order; faces of several photos share a batch where the device gains by it.

        With `largest` only the largest face with a mesh is translated. No face, no `results`: nothing is raised.
        """
        waiting: list[tuple[Original, list[Face]]] = []
        for photo in photos:
            faces = self.find_faces(photo.pixels)
            if largest:
                faces = [face for face in faces if face.points is not None][:1] or faces[:1]
            waiting.append((photo, faces))
            if not self._worth_waiting(waiting):
                yield from self._translate_together(waiting)
                waiting.clear()
        yield from self._translate_together(waiting)

    def _worth_waiting(self, photos: Sequence[tuple[Original, Sequence[Face]]]) -> bool:
        """Whether more faces fit into the pass of these photos' faces; photos without one have nothing to wait for."""
        images = len(self.domains) * sum(face.points is not None for _, faces in photos for face in faces)
        pixels = sum(photo.pixels.shape[0] * photo.pixels.shape[1] for photo, _ in photos)
        return 0 < images < IMAGES_AT_ONCE[self.device.type] and pixels < PIXELS_AT_ONCE

    def _translate_together(self, photos: Sequence[tuple[Original, Sequence[Face]]]) -> Iterator[Translation]:
        crops = [
            self._sees(face).cut(photo.pixels, self.image_size)
            for photo, faces in photos
            for face in faces
            if face.points is not None
        ]
        generated = iter(zip(crops, self.generate(np.stack(crops)), strict=True)) if crops else iter(())
        for photo, faces in photos:
            with_mesh = [(face, *next(generated)) for face in faces if face.points is not None]
            yield Translation(photo, self._results(photo.pixels, with_mesh), faces)

    def _sees(self, face: Face) -> Square:
        """The part of the photo that the generator is shown."""
        return (published_square if self.published else input_square)(face.square, self.crop_size)

    def _results(self, photo: Image, faces: Sequence[tuple[Face, Image, Image]]) -> dict[str, Image]:
        """The photo with each emotion; the largest face, which is the nearest, is pasted last."""
        results = {domain: photo.copy() for domain in self.domains} if faces else {}
        for face, crop, generated in reversed(faces):
            assert face.points is not None
            square = self._sees(face)
            place = FacePaste(crop, square, face.points)
            for result, emotion in zip(results.values(), generated, strict=True):
                place.onto(result, emotion, mesh_of_generated(self.finder, emotion, face, square))
        return results

    def close(self) -> None:
        """Free MediaPipe's networks."""
        self.finder.close()

    def __enter__(self) -> Translator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def mesh_of_generated(finder: FaceFinder, generated: Image, face: Face, square: Square) -> Points:
    """The mesh of a generated face in photo pixels, or the original's where there is none, or not there."""
    size = max(MESH_SIZE, generated.shape[0])
    enlarged = cv2.resize(generated, (size, size), interpolation=cv2.INTER_CUBIC)
    mesh = finder.mesh(np.asarray(enlarged, np.uint8))
    assert face.points is not None
    if mesh is None:
        return face.points
    points = square.to_photo(mesh.points, size).astype(np.float32)
    if math.dist(points.mean(axis=0), face.points.mean(axis=0)) > SAME_PLACE * square.side:
        return face.points
    return points
