"""The networks behind the phone's server: loaded once, used in one thread, as they want it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from apps import chosen_checkpoint, collected_photos, friends
from apps.page import retakes
from apps.portrait import portrait
from common import emotions
from common.errors import UserError
from imaging.photo import read_photo

if TYPE_CHECKING:
    from face_detection import Face, FaceFinder
    from translation.translator import Translator

Result = TypeVar("Result")


class NoSuchFace(Exception):
    """There is no face with a mesh in the photo, or not so many."""


class Workshop:
    """`await start()` it before, `await close()` it after.

    `choice` is the generator in use. It is None, and `problem` says why, where there is none.
    """

    def __init__(self) -> None:
        self.choice: chosen_checkpoint.Choice | None = None
        self.problem = ""
        self.recent = collected_photos.Recent()
        self._translator: Translator | None = None
        self._finder: FaceFinder | None = None
        self._photo_like: list[list[bytes]] = []
        self._thread = ThreadPoolExecutor(1, "workshop")

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

    async def generate(self, pixels: np.ndarray, face: int | None, heads: bool) -> list[bytes]:
        """Six JPEGs: the original, then each emotion on face number `face` (None: the largest), as `portraits` counts.

        They show the whole photo, or with `heads` the head alone. Raises `NoSuchFace`.
        """
        return await self._do(lambda: self._generate(pixels, face or 0, heads))

    async def meters(self, original: np.ndarray, own: Sequence[tuple[str, np.ndarray]]) -> list[float]:
        """`retakes.meters` of (emotion, picture) pairs."""
        return await self._do(lambda: retakes.meters(self._any_finder(), original, own))

    async def all_meters(self, picture: np.ndarray, rest: np.ndarray | None, level: str) -> dict[str, float]:
        """`retakes.all_meters`."""
        return await self._do(lambda: retakes.all_meters(self._any_finder(), picture, rest, level))

    async def friends(self) -> list[list[bytes]]:
        """Of each friend six JPEGs: photo-like children where there is a generator, then drawn people."""
        return await self._do(self._friends)

    async def close(self) -> None:
        """Free the networks."""
        if self._translator:
            await self._do(self._translator.close)
        elif self._finder:
            await self._do(self._finder.close)
        self._thread.shutdown()

    def _faces(self, pixels: np.ndarray) -> list[Face]:
        return [face for face in self._any_finder().faces(pixels) if face.points is not None]

    def _generate(self, pixels: np.ndarray, number: int, heads: bool) -> list[bytes]:
        assert self._translator is not None
        faces = self._faces(pixels)
        if number >= len(faces):
            raise NoSuchFace
        face = faces[number]
        translation = self._translator.translate(pixels, [face])
        by_emotion = {emotions.canonical(domain): picture for domain, picture in translation.results.items()}
        pictures = [translation.original, *(by_emotion[name] for name in emotions.FIVE)]
        if heads:
            pictures = [portrait(picture, face) for picture in pictures]
        for picture in pictures[1:]:
            self.recent.add(picture)
        return [collected_photos.to_jpeg(picture, comment=collected_photos.MARK) for picture in pictures]

    def _friends(self) -> list[list[bytes]]:
        if self.choice and not self._photo_like and self.choice.trained_on != "drawn":
            for path in friends.PHOTO_LIKE:
                try:
                    self._photo_like.append(self._generate(read_photo(path), 0, heads=True))
                except NoSuchFace:  # never seen, and no reason to lose the others
                    print(f"no face was found in {path}", file=sys.stderr)
        return [*self._photo_like, *friends.drawn_friends()]

    def _any_finder(self) -> FaceFinder:
        """The translator's face finder, or where there is no translator one of its own."""
        if self._finder is None:
            from face_detection import FaceFinder

            self._finder = FaceFinder()
        return self._finder

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
