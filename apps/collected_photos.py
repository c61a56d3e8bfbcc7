"""What is kept of a submit: the pictures a child made, as new training data; never those the generator made."""

from __future__ import annotations

import functools
import secrets
import shutil
from collections import deque
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from common.whole_files import write_atomically

FOLDER = Path("data/extended_train")  # emotion/name.jpg, as datapreprocess.py reads it
MIN_FREE_BYTES = 1 << 30  # a disk filled to the brim breaks more than this server

# In the comment of each JPEG the server makes, so that it knows its own pictures again, even after a restart.
MARK = b"made by StarGAN-FE"
HEADER_BYTES = 1024  # where the comment lies
# Grey levels by which storing a picture anew may change the mean of a 32nd of its sides (at JPEG quality 60 4 to 6
# seen, once 8 or more); the same drawn person with another expression differs by 54 and more.
SAME = 16


def to_jpeg(pixels: np.ndarray, quality: int = 90, comment: bytes = b"") -> bytes:
    """uint8 RGB [H, W, 3] as a JPEG with nothing in it but the pixels and the comment."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, comment=comment)
    return file.getvalue()


def is_marked(file: bytes) -> bool:
    """Whether the server made this very file."""
    return MARK in file[:HEADER_BYTES]


class Recent:
    """Tiny copies of the pictures made lately: a client that stores them anew takes the mark away."""

    def __init__(self) -> None:
        self._copies: deque[np.ndarray] = deque(maxlen=500)

    def add(self, pixels: np.ndarray) -> None:
        """Remember a picture that the generator made."""
        self._copies.append(_tiny(pixels))

    def has(self, pixels: np.ndarray) -> bool:
        """Whether `pixels` is one of them, however it was stored or scaled."""
        copies = list(self._copies)
        return bool(copies) and bool((np.abs(np.stack(copies) - _tiny(pixels)).max(axis=(1, 2, 3)) < SAME).any())


def _tiny(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX), np.int16)


def keep(pictures: list[tuple[str, np.ndarray]], folder: Path = FOLDER) -> None:
    """Store (emotion, pixels) pairs as `folder`/emotion/unguessable.jpg: all, or on an `OSError` none of them."""
    if not pictures:
        return
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < MIN_FREE_BYTES:
        raise OSError("the disk is nearly full")
    written: list[Path] = []
    try:
        for emotion, pixels in pictures:
            path = folder / emotion / f"{secrets.token_hex(16)}.jpg"
            write_atomically(path, functools.partial(Path.write_bytes, data=to_jpeg(pixels, quality=95)))
            written.append(path)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
