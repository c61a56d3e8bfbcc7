"""The networks behind the desk: loaded once, at the first need, used in one thread, as they want it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from apps import chosen_checkpoint
from apps.collected_photos import MARK, to_jpeg
from apps.desk.cards_pdf import PICTURE_PIXELS
from apps.desk.words import ORIGINAL
from apps.face_reading import read_face
from apps.portrait import portrait
from apps.untrusted_photo import PhotoReader
from common import emotions
from imaging.drawing.picture import draw_face

if TYPE_CHECKING:
    from apps.learned_feedback import Blendshapes
    from face_detection import Face
    from imaging.face_geometry import Image
    from translation.result_check import Check

LONGEST = 1600  # pixels of a photo that is worked on: a face in it prints well
SAMPLE = 320  # pixels of the drawn face that everything is tried on

Result = TypeVar("Result")


@dataclass(frozen=True)
class MadeFace:
    """One face of a photo: JPEGs of the head by `ORIGINAL` and emotion, and how each emotion came out.

    `restless` is what the photo shows of a face that is not calm.
    """

    portraits: dict[str, bytes]
    checks: dict[str, Check]
    restless: tuple[str, ...] = ()

    @property
    def to_show(self) -> dict[str, bytes]:
        """Those that a child may see."""
        failed = [name for name, check in self.checks.items() if check.state == "failed"]
        return {name: picture for name, picture in self.portraits.items() if name not in failed}


@dataclass(frozen=True)
class Made:
    """What came of a photo. `photos` are JPEGs of all of it by `ORIGINAL` and emotion, every face changed alike."""

    photos: dict[str, bytes]
    faces: list[MadeFace]
    left_out: list[bytes]  # heads that were left as they are, JPEGs


@dataclass(frozen=True)
class Seen:
    """A face to be judged: a JPEG of the head, and its movements."""

    portrait: bytes
    blendshapes: Blendshapes


class Studio:
    """Reads photos, finds faces, gives them emotions."""

    def __init__(self, choice: chosen_checkpoint.Choice) -> None:
        self.choice = choice
        self._translator = chosen_checkpoint.load_translator(choice.path)
        self._reader = PhotoReader()
        self._thread = ThreadPoolExecutor(1, "studio")
        # What is loaded when it is first asked, the first photo need not wait for.
        self._do(lambda: self._make(draw_face(0, "neutral", size=SAMPLE), 1.0))

    def make(self, file: bytes, strength: float) -> Made:
        """Every face of a photo with every emotion, moved `strength` times as far, less where that fails its check.

        Without any face `faces` is empty. Raises `UnreadablePhoto`.
        """
        return self._do(lambda: self._make(self._read(file), strength))

    def look(self, file: bytes) -> Seen | None:
        """The largest face of a photo; None without one. Raises `UnreadablePhoto`."""
        return self._do(lambda: self._look(self._read(file)))

    def close(self) -> None:
        """Free the networks."""
        self._do(self._translator.close)
        self._reader.close()
        self._thread.shutdown()

    def _read(self, file: bytes) -> Image:
        [pixels] = asyncio.run(self._reader.read([file], LONGEST))
        return pixels

    def _make(self, photo: Image, strength: float) -> Made:
        found = self._translator.find_faces(photo)
        faces = [face for face in found if face.points is not None]
        left_out = [_head(ORIGINAL, photo, face) for face in found if face.points is None]
        if not faces:
            return Made({ORIGINAL: _jpeg(ORIGINAL, photo)}, [], left_out)
        translation = self._translator.translate(photo, faces, strength, milder=True)
        names = {emotions.canonical(domain): domain for domain in translation.results}
        pictures = {ORIGINAL: photo} | {name: translation.results[names[name]] for name in emotions.FIVE}
        made = [
            MadeFace(
                {name: _head(name, picture, face) for name, picture in pictures.items()},
                {name: translation.checks[number, names[name]] for name in emotions.FIVE},
                translation.notes.get(number, ()),
            )
            for number, face in enumerate(faces)
        ]
        return Made({name: _jpeg(name, picture) for name, picture in pictures.items()}, made, left_out)

    def _look(self, photo: Image) -> Seen | None:
        for face in self._translator.find_faces(photo):
            head = portrait(photo, face, PICTURE_PIXELS)
            reading = read_face(head, self._translator.finder)
            if reading:
                return Seen(to_jpeg(head), reading)
        return None

    def _do(self, work: Callable[[], Result]) -> Result:
        return self._thread.submit(work).result()


def _jpeg(name: str, picture: Image) -> bytes:
    return to_jpeg(picture, comment=b"" if name == ORIGINAL else MARK)


def _head(name: str, picture: Image, face: Face) -> bytes:
    return _jpeg(name, portrait(picture, face, PICTURE_PIXELS))


@st.cache_resource(show_spinner=False, on_release=Studio.close)
def studio() -> Studio:
    """The one studio. Raises `UserError` where there is no generator to use; then the next visit tries again."""
    return Studio(chosen_checkpoint.choose(os.environ.get(chosen_checkpoint.CHECKPOINT_VARIABLE) or ""))
