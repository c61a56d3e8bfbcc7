"""The generator behind the Streamlit app: loaded once, for all visitors, one photo at a time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from apps import chosen_checkpoint
from apps.collected_photos import MARK, to_jpeg
from apps.emokids.cards_pdf import PICTURE_PIXELS, Card, cards_pdf
from apps.emokids.words import ORIGINAL, both_words
from apps.untrusted_photo import PhotoReader
from common import emotions

if TYPE_CHECKING:
    from apps.expression_rules import Blendshapes
    from face_detection import Face
    from imaging.face_geometry import Image
    from translation.translator import Translator

PORTRAIT_ROOM = 1.2  # a portrait's side over that of the square which the networks learn from
LEAST_ROOM = 0.85  # the same where the photo ends close to the head: less would cut the chin off
LONGEST = 1600  # pixels of a photo that is worked on: a face in it prints well

Result = TypeVar("Result")


@dataclass(frozen=True)
class Faces:
    """A face with every emotion, by `ORIGINAL` and the five names: JPEG files of the whole photo and of the head."""

    photos: dict[str, bytes]
    portraits: dict[str, bytes]
    rest: Blendshapes | None  # of the original: what the mirror compares with
    seconds: float  # that making them took

    def cards(self) -> bytes:
        """The sheet of cards as a PDF."""
        return cards_pdf([Card(portrait, *both_words(name)) for name, portrait in self.portraits.items()])


class Studio:
    """Reads photos, finds faces, makes emotions. Everything happens in one thread, as its networks want it."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._reader = PhotoReader()
        self._thread = ThreadPoolExecutor(1, "studio")

    def read(self, file: bytes) -> Image:
        """A visitor's file as upright RGB pixels. Raises `photo.UnreadablePhoto`."""
        [pixels] = self._do(lambda: asyncio.run(self._reader.read([file], LONGEST)))
        return pixels

    def find_faces(self, photo: Image) -> list[Face]:
        """The faces that can be given an emotion, largest first."""
        return [face for face in self._do(lambda: self._translator.find_faces(photo)) if face.points is not None]

    def make_faces(self, photo: Image, face: Face) -> Faces:
        """The photo with every emotion on this face."""
        start = time.perf_counter()
        translation = self._do(lambda: self._translator.translate(photo, [face]))
        rest = self._do(lambda: self._translator.finder.mesh(portrait(photo, face)))
        by_emotion = {emotions.canonical(domain): picture for domain, picture in translation.results.items()}
        pictures = {ORIGINAL: translation.original} | {name: by_emotion[name] for name in emotions.FIVE}
        return Faces(
            {name: _jpeg(name, picture) for name, picture in pictures.items()},
            {name: _jpeg(name, portrait(picture, face)) for name, picture in pictures.items()},
            rest.blendshapes if rest else None,
            time.perf_counter() - start,
        )

    def close(self) -> None:
        """Free the networks."""
        self._do(self._translator.close)
        self._reader.close()
        self._thread.shutdown()

    def _do(self, work: Callable[[], Result]) -> Result:
        return self._thread.submit(work).result()


def portrait(photo: Image, face: Face) -> Image:
    """The head, upright, as a square of the photo, which a head at the photo's border is not in the middle of."""
    square = face.square.centre(PORTRAIT_ROOM).within(photo.shape, LEAST_ROOM / PORTRAIT_ROOM)
    return square.cut(photo, PICTURE_PIXELS)


def _jpeg(name: str, picture: Image) -> bytes:
    return to_jpeg(picture, comment=b"" if name == ORIGINAL else MARK)


@st.cache_resource(show_spinner=False, on_release=Studio.close)
def studio() -> Studio:
    """The one studio. Raises `UserError` where there is no checkpoint; then the next visit tries again."""
    path = chosen_checkpoint.checkpoint_path(os.environ.get(chosen_checkpoint.CHECKPOINT_VARIABLE) or "best")
    return Studio(chosen_checkpoint.load_translator(path))
