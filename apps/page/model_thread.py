"""The networks behind the page's server: loaded once, used in one thread."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from apps import chosen_checkpoint, collected_photos
from apps.page import retakes
from apps.portrait import portrait
from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    from face_detection import Face, FaceFinder
    from translation.translator import Translator

STEPS = (0.25, 0.5, 0.75)  # of the strength: between calm and the emotion

Result = TypeVar("Result")


class NoSuchFace(Exception):
    """There is no face with a mesh in the photo, or fewer faces than asked for."""


@dataclass(frozen=True)
class SixFaces:
    """Six JPEGs: the original, then each emotion; `left_out` says why of those that show the original instead."""

    images: list[bytes]
    left_out: dict[str, str]


def _jpeg(picture: np.ndarray) -> bytes:
    return collected_photos.to_jpeg(picture, comment=collected_photos.MARK)


class ModelThread:
    """`await start()` it before, `await close()` it after.

    `choice` is the generator in use. It is None, and `problem` says why, where there is none.
    """

    def __init__(self) -> None:
        self.choice: chosen_checkpoint.Choice | None = None
        self.problem = ""
        self.recent = collected_photos.Recent()
        self._translator: Translator | None = None
        self._finder: FaceFinder | None = None
        self._thread = ThreadPoolExecutor(1, "model")

    async def start(self, wanted: str) -> None:
        """Load the generator that `wanted` names (`chosen_checkpoint.choose`), and say on stderr which it is."""
        await self._do(lambda: self._load(wanted))

    def _load(self, wanted: str) -> None:
        try:
            choice = chosen_checkpoint.choose(wanted)
            self._translator = chosen_checkpoint.load_translator(choice.path)
        except UserError as error:
            self.problem = str(error)
            print(f"No pictures will be generated: {error}", file=sys.stderr)
            return
        self.choice = choice
        self._finder = self._translator.finder
        print(f"Generating with {choice}", file=sys.stderr)

    async def portraits(self, pixels: np.ndarray) -> list[bytes]:
        """The head of each face in a photo (uint8 RGB [H, W, 3]) that can be given an emotion, largest first."""
        return await self._do(
            lambda: [collected_photos.to_jpeg(portrait(pixels, face)) for face in self._faces(pixels)]
        )

    async def generate(self, pixels: np.ndarray, face: int | None, heads: bool) -> SixFaces:
        """Each emotion on face number `face` (None: the largest), as `portraits` counts.

        The pictures show the whole photo, or with `heads` the head alone. Raises `NoSuchFace`.
        """
        return await self._do(lambda: self._generate(pixels, face or 0, heads))

    async def steps(self, pixels: np.ndarray, face: int, emotion: str, heads: bool) -> list[bytes]:
        """JPEGs between calm and the emotion, at `STEPS` of the strength it is shown at. Raises `NoSuchFace`."""
        return await self._do(lambda: self._steps(pixels, face, emotion, heads))

    async def meters(self, original: np.ndarray, own: Sequence[tuple[str, np.ndarray]]) -> list[float]:
        """`retakes.meters` of (emotion, picture) pairs."""
        return await self._do(lambda: retakes.meters(self._any_finder(), original, own))

    async def all_meters(self, picture: np.ndarray, rest: np.ndarray | None, level: str) -> dict[str, float]:
        """`retakes.all_meters`."""
        return await self._do(lambda: retakes.all_meters(self._any_finder(), picture, rest, level))

    async def close(self) -> None:
        """Free the networks."""
        if self._translator:
            await self._do(self._translator.close)
        elif self._finder:
            await self._do(self._finder.close)
        self._thread.shutdown()

    def _faces(self, pixels: np.ndarray) -> list[Face]:
        return [face for face in self._any_finder().faces(pixels) if face.points is not None]

    def _face(self, pixels: np.ndarray, number: int) -> Face:
        faces = self._faces(pixels)
        if number >= len(faces):
            raise NoSuchFace
        return faces[number]

    def _generate(self, pixels: np.ndarray, number: int, heads: bool) -> SixFaces:
        """A result that fails its check is tried milder; failing still, nobody is shown it, but the original."""
        assert self._translator is not None
        face = self._face(pixels, number)
        translation = self._translator.translate(pixels, [face], milder=True)
        domains = {emotions.canonical(domain): domain for domain in translation.results}
        left_out = {name: why for name in emotions.FIVE if (why := translation.failed(domains[name]))}
        shown = {name: translation.results[domains[name]] for name in emotions.FIVE if name not in left_out}
        if heads:
            shown = {name: portrait(picture, face) for name, picture in shown.items()}
        for picture in shown.values():
            self.recent.add(picture)
        original = portrait(pixels, face) if heads else translation.original
        return SixFaces([_jpeg(shown.get(name, original)) for name in ("", *emotions.FIVE)], left_out)

    def _steps(self, pixels: np.ndarray, number: int, emotion: str, heads: bool) -> list[bytes]:
        assert self._translator is not None
        face = self._face(pixels, number)
        [domain] = [name for name in self._translator.domains if emotions.canonical(name) == emotion]
        most = self._translator.translate(pixels, [face], domains=[domain], milder=True).checks[0, domain].strength
        pictures = []
        for step in STEPS:
            picture = self._translator.translate(pixels, [face], step * most, [domain]).results[domain]
            pictures.append(portrait(picture, face) if heads else picture)
            self.recent.add(pictures[-1])
        return [_jpeg(picture) for picture in pictures]

    def _any_finder(self) -> FaceFinder:
        """The translator's face finder, or where there is no translator one of its own."""
        if self._finder is None:
            from face_detection import FaceFinder

            self._finder = FaceFinder()
        return self._finder

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
