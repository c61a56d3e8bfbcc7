"""A photo in, the same photo with each emotion out. Test mode, the backend and the Streamlit app all call this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from checkpointing.trained_generator import TrainedGenerator, load_generator
from face_detection import Face, FaceFinder
from imaging.face_geometry import CROP_SIZE, Image, Square, input_square, published_square
from imaging.soft_border import crop_softly
from imaging.value_range import to_network, to_uint8
from model import Generator
from translation.fast_generator import fast_generator, onnx_for
from translation.one_face import OneFace
from translation.result_check import Check, Checker, hindrances

DETAILS = ("photo", "network")  # whose pixels a result is made of: the photo's, moved, or the generator's, pasted in

# Images a forward pass. On a CPU one after the other is quickest, as more do not fit its cache, and takes least memory.
IMAGES_AT_ONCE = {"cpu": 1, "cuda": 80}
PIXELS_AT_ONCE = 100_000_000  # of photos that wait to share a pass: 300 MB


class NoFace(Exception):
    """There is no face in the photo, or none with a mesh."""


@dataclass(frozen=True)
class How:
    """How faces are to be translated: how far they move (0 to 1.5; 0: not at all), to which domains (none named: all).

    With `milder` a lesser strength is tried for a result that fails its check.
    """

    strength: float = 1.0
    domains: Sequence[str] = ()
    milder: bool = False


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
    `checks` say of each face, by its place in `faces`, and each domain how its result came out; `notes` of a face that
    is not calm, or not free, what there is to say.
    """

    photo: Original
    results: dict[str, Image]
    faces: Sequence[Face] = ()
    checks: Mapping[tuple[int, str], Check] = field(default_factory=dict)
    notes: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def original(self) -> Image:
        """The photo's pixels."""
        return self.photo.pixels

    @property
    def without_mesh(self) -> int:
        """How many faces are as they were."""
        return sum(face.points is None for face in self.faces)

    def failed(self, domain: str) -> str:
        """Why a child must not see a picture, in a few words; "" where it may."""
        reasons = [c.reason for (_, name), c in self.checks.items() if name == domain and c.state == "failed"]
        return "; ".join(dict.fromkeys(reasons))

    @property
    def problem(self) -> str:
        """Why there are no results, in a few words."""
        return "a face, but no face mesh in it" if self.faces else "no face found"


class Translator:
    """A generator and a face finder, loaded once; a context manager, or `close()` it.

    `domains` are the emotions it gives, in label order. With `published` the generator sees faces as the published
    repo's networks did, closer than ours. `onnx` is G's export, where OpenVINO shall compute it. `detail` is one of
    `DETAILS`. Without `checked` results are not measured. At strength 1 a photo moves `reach` times as far as the
    generator's own pictures do: a network shows less than the pairs it learned from.
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
        detail: str = "photo",
        checked: bool = True,
        reach: float = 1.0,
    ) -> None:
        self.G, self.device = fast_generator(G, amp, onnx)
        self.domains = domains
        self.image_size = image_size
        self.crop_size = crop_size
        self.published = published
        self.detail = detail
        self.reach = reach
        self.finder = FaceFinder()
        self._checker = Checker(self.finder, self.device) if checked else None

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
        detail: str = "photo",
    ) -> Translator:
        """The translator of a `-G.ckpt` file.

        The architecture is read off the file, the rest from the `config.json` beside it; the keywords serve
        checkpoints of other repos, which have none. `backend` as in `onnx_for`. Raises `UserError` for a file
        that is no generator.
        """
        trained = load_generator(path, c_dim=c_dim, image_size=image_size, crop_size=crop_size, domains=domains)
        return cls.of(trained, amp, backend, detail)

    @classmethod
    def of(
        cls, trained: TrainedGenerator, amp: str = "auto", backend: str = "auto", detail: str = "photo"
    ) -> Translator:
        """The same of a file that has been read."""
        onnx = onnx_for(trained, backend)
        return cls(
            trained.network,
            trained.domains,
            trained.image_size,
            trained.crop_size,
            amp,
            onnx,
            trained.published,
            detail,
            reach=trained.reach,
        )

    @torch.inference_mode()
    def generate(self, crops: Image, domains: Sequence[str] | None = None) -> Image:
        """Faces uint8 [F, S, S, 3] as the network sees them -> with every emotion [F, c_dim, S, S, 3].

        Or with those of `domains`, in their order.
        """
        wanted = [self.domains.index(domain) for domain in domains or self.domains]
        faces = to_network(crops).repeat_interleave(len(wanted), dim=0)
        labels = torch.eye(len(self.domains))[wanted].repeat(len(crops), 1)
        step = IMAGES_AT_ONCE[self.device.type]
        parts = [
            to_uint8(self.G(x.to(self.device), c.to(self.device)))
            for x, c in zip(faces.split(step), labels.split(step), strict=True)
        ]
        return np.concatenate(parts).reshape(len(crops), len(wanted), *crops.shape[1:])

    def find_faces(self, photo: Image) -> list[Face]:
        """The faces of a photo (uint8 RGB [H, W, 3]), largest first."""
        return self.finder.faces(photo)

    def translate(
        self,
        photo: Image,
        faces: Sequence[Face] | None = None,
        strength: float = 1.0,
        domains: Sequence[str] = (),
        milder: bool = False,
    ) -> Translation:
        """The photo (uint8 RGB [H, W, 3]) with each emotion on its faces, or on those of `faces` given, as `How` says.

        Raises `NoFace` where there is none, or none with a mesh.
        """
        found = self.find_faces(photo) if faces is None else faces
        (translation,) = self._translate_together([(Original(photo), found)], How(strength, domains, milder))
        if not translation.results:
            raise NoFace(translation.problem)
        return translation

    def translate_many(
        self, photos: Iterable[Original], which: int | Literal["largest", "all"] = "all", how: How | None = None
    ) -> Iterator[Translation]:
        """Each photo's translation, in order; faces of several photos share a batch where the device gains by it.

        `which` faces: all, the largest with a mesh, or number N of those with a mesh, from 0, largest first. No face,
        no `results`: nothing is raised.
        """
        how = how or How()
        waiting: list[tuple[Original, list[Face]]] = []
        for photo in photos:
            waiting.append((photo, _chosen(self.find_faces(photo.pixels), which)))
            if not self._worth_waiting(waiting):
                yield from self._translate_together(waiting, how)
                waiting.clear()
        yield from self._translate_together(waiting, how)

    def _worth_waiting(self, photos: Sequence[tuple[Original, Sequence[Face]]]) -> bool:
        """Whether more faces fit into the pass of these photos' faces; photos without one have nothing to wait for."""
        images = len(self.domains) * sum(face.points is not None for _, faces in photos for face in faces)
        pixels = sum(photo.pixels.shape[0] * photo.pixels.shape[1] for photo, _ in photos)
        return 0 < images < IMAGES_AT_ONCE[self.device.type] and pixels < PIXELS_AT_ONCE

    def _translate_together(self, photos: Sequence[tuple[Original, Sequence[Face]]], how: How) -> Iterator[Translation]:
        domains = how.domains or self.domains
        crops = [
            crop_softly(photo.pixels, self._sees(face), self.image_size)  # as training faces are cut
            for photo, faces in photos
            for face in faces
            if face.points is not None
        ]
        generated = iter(zip(crops, self.generate(np.stack(crops), domains), strict=True)) if crops else iter(())
        for photo, faces in photos:
            with_mesh = {n: (face, *next(generated)) for n, face in enumerate(faces) if face.points is not None}
            results = {domain: photo.pixels.copy() for domain in domains} if with_mesh else {}
            checks, notes = self._give(photo.pixels, results, with_mesh, how)
            yield Translation(photo, results, faces, checks, notes)

    def _sees(self, face: Face) -> Square:
        """The part of the photo that the generator is shown."""
        return (published_square if self.published else input_square)(face.square, self.crop_size)

    def _give(
        self, photo: Image, results: dict[str, Image], faces: dict[int, tuple[Face, Image, Image]], how: How
    ) -> tuple[dict[tuple[int, str], Check], dict[int, tuple[str, ...]]]:
        """Give the faces their emotions in `results`, in place; the largest, which is the nearest, comes last.

        Returns checks and notes.
        """
        checks, notes = {}, {}
        for number, (face, crop, generated) in reversed(faces.items()):
            reach = self.reach if self.detail == "photo" else None
            one = OneFace(self.finder, photo, face, self._sees(face), crop, reach, self._checker)
            if one.before and (note := hindrances(one.before)):
                notes[number] = note
            by_domain = dict(zip(results, generated, strict=True))
            for domain, check in one.give(results, by_domain, how.strength, how.milder).items():
                checks[number, domain] = check
        return dict(sorted(checks.items())), dict(sorted(notes.items()))

    def close(self) -> None:
        """Free MediaPipe's networks."""
        self.finder.close()

    def __enter__(self) -> Translator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chosen(faces: list[Face], which: int | Literal["largest", "all"]) -> list[Face]:
    """Of the faces found the one wanted, or all. Where no face has a mesh: the largest, which is then told of."""
    if which == "all":
        return faces
    number = 0 if which == "largest" else which
    with_mesh = [face for face in faces if face.points is not None]
    return with_mesh[number : number + 1] if with_mesh else faces[:1]
