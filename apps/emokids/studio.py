"""The generator behind the Streamlit app: loaded once, for all visitors, one photo at a time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

import streamlit as st
from PIL import Image as Pictures

from apps import chosen_checkpoint
from apps.collected_photos import MARK, to_jpeg
from apps.emokids.cards_pdf import PICTURE_PIXELS, Card, cards_pdf
from apps.emokids.words import FACES, ORIGINAL
from apps.learned_feedback import Blendshapes
from apps.portrait import portrait
from apps.untrusted_photo import PhotoReader
from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    from face_detection import Face, Image
    from translation.translator import Translator

LONGEST = 1600  # pixels of a photo that is worked on: a face in it prints well
A_LITTLE = 0.5  # a little of an emotion: its share in the blend with the original

Result = TypeVar("Result")


@dataclass(frozen=True)
class Faces:
    """A face with every emotion, by `ORIGINAL` and the five names: JPEG files of the whole photo and of the head."""

    photos: dict[str, bytes]
    portraits: dict[str, bytes]
    rest: Blendshapes | None  # the original's, which the mirror compares with; None where it is not the visitor's face

    def cards(self) -> bytes:
        """The sheet of cards as a PDF."""
        return cards_pdf([Card(portrait, *FACES[name]) for name, portrait in self.portraits.items()])

    def softened(self) -> Faces:
        """The same with a little of each emotion only: a strong one can be too much."""
        return Faces(_softened(self.photos), _softened(self.portraits), self.rest)


def _softened(pictures: dict[str, bytes]) -> dict[str, bytes]:
    """Each JPEG halfway between the original and the emotion."""
    original = Pictures.open(BytesIO(pictures[ORIGINAL]))
    blended = {}
    for name, picture in pictures.items():
        file = BytesIO()
        mixed = Pictures.blend(original, Pictures.open(BytesIO(picture)), A_LITTLE)
        mixed.save(file, "JPEG", quality=90, comment=b"" if name == ORIGINAL else MARK)
        blended[name] = file.getvalue()
    return blended


class Studio:
    """Reads photos, finds faces, makes emotions. Everything happens in one thread, as its networks want it."""

    def __init__(self, choice: chosen_checkpoint.Choice) -> None:
        self.choice = choice
        self._translator: Translator = chosen_checkpoint.load_translator(choice.path)
        self._reader = PhotoReader()
        self._thread = ThreadPoolExecutor(1, "studio")

    def read(self, file: bytes) -> Image:
        """A visitor's file as upright RGB pixels. Raises `photo.UnreadablePhoto`."""
        [pixels] = self._do(lambda: asyncio.run(self._reader.read([file], LONGEST))).result()
        return pixels

    def find_faces(self, photo: Image) -> list[Face]:
        """The faces that can be given an emotion, largest first."""
        found = self._do(lambda: self._translator.find_faces(photo)).result()
        return [face for face in found if face.points is not None]

    def make_faces(self, photo: Image, face: Face) -> Future[Faces]:
        """The photo with every emotion on this face, soon."""
        return self._do(lambda: self._make_faces(photo, face))

    def _make_faces(self, photo: Image, face: Face) -> Faces:
        translation = self._translator.translate(photo, [face])
        rest = self._translator.finder.mesh(portrait(photo, face, PICTURE_PIXELS))
        by_emotion = {emotions.canonical(domain): picture for domain, picture in translation.results.items()}
        pictures = {ORIGINAL: translation.original} | {name: by_emotion[name] for name in emotions.FIVE}
        return Faces(
            {name: _jpeg(name, picture) for name, picture in pictures.items()},
            {name: _jpeg(name, portrait(picture, face, PICTURE_PIXELS)) for name, picture in pictures.items()},
            rest.blendshapes if rest else None,
        )

    def close(self) -> None:
        """Free the networks."""
        self._do(self._translator.close).result()
        self._reader.close()
        self._thread.shutdown()

    def _do(self, work: Callable[[], Result]) -> Future[Result]:
        return self._thread.submit(work)


def _jpeg(name: str, picture: Image) -> bytes:
    return to_jpeg(picture, comment=b"" if name == ORIGINAL else MARK)


@st.cache_resource(show_spinner=False, on_release=Studio.close)
def studio() -> Studio:
    """The one studio. Raises `UserError` where there is no generator to use; then the next visit tries again."""
    return Studio(chosen_checkpoint.choose(os.environ.get(chosen_checkpoint.CHECKPOINT_VARIABLE) or ""))


def studio_or_none() -> Studio | None:
    """The same; None, said on stderr, where there is no generator to use."""
    try:
        return studio()
    except UserError as error:
        print(f"Only drawn friends can play: {error}", file=sys.stderr)
        return None
