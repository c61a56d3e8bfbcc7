"""What test mode writes: each photo's emotions at full size and side by side, and results.html, the folder on one page.

The page can be looked through in any browser and needs no network.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
from PIL import Image

from common.html_page import render
from common.whole_files import write_atomically
from imaging import picture_grid

TEMPLATE = Path(__file__).with_name("results.html")
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
STRIP_SIZE = 1024  # pixels: longest side of each picture of a strip


@dataclass(frozen=True)
class Results:
    """The results of one photo: `<name>.<suffix>`, the strip, and `<name>/<emotion>.<suffix>` in `folder`."""

    folder: Path
    name: str
    suffix: str

    @property
    def strip(self) -> Path:
        """Original and emotions side by side; written last, so that with it the results are complete."""
        return self.folder / f"{self.name}.{self.suffix}"

    def of(self, domain: str) -> Path:
        """One emotion at full size."""
        return self.folder / self.name / f"{domain}.{self.suffix}"


def names_of(photos: Sequence[Path], domains: Sequence[str], suffix: str) -> list[str]:
    """A name for each photo's results: its path without the suffix, or with it, or numbered, so that none collide.

    `photos` are paths below one folder. `a.jpg` beside `a.png`, or beside a folder `a`, need more than their stem.
    """
    taken: set[str] = set()
    names = []
    for photo in photos:
        stem, whole = photo.with_suffix("").as_posix(), photo.as_posix()
        candidates = (stem, whole, *(f"{whole} {n}" for n in range(2, len(photos) + 2)))
        for name in candidates:
            files = {_folded(f"{name}.{suffix}"), *(_folded(f"{name}/{domain}.{suffix}") for domain in domains)}
            files.add(_folded(name))  # the folder of results: a strip may have this name, a.jpg of a.jpeg beside a.jpg
            if not files & taken:
                break
        taken |= files
        names.append(name)
    return names


def _folded(path: str) -> str:
    """`path` as file systems compare it that know no case (Windows) or store names decomposed (macOS)."""
    return unicodedata.normalize("NFC", path).casefold()


def save(
    original: np.ndarray, translated: dict[str, np.ndarray], results: Results, quality: int, profile: bytes | None
) -> None:
    """Write all files of a photo. `profile` is its ICC profile; EXIF, with its place and date, is left behind."""
    for domain, picture in translated.items():
        _write(Image.fromarray(picture), results.of(domain), quality, profile)
    row = [_for_strip(picture) for picture in (original, *translated.values())]
    _write(picture_grid.grid([row], ["original", *translated]), results.strip, quality, profile)


def _for_strip(picture: np.ndarray) -> np.ndarray:
    scale = min(1.0, STRIP_SIZE / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write(picture: Image.Image, path: Path, quality: int, profile: bytes | None) -> None:
    kind = FORMATS[path.suffix[1:]]
    write_atomically(path, lambda temporary: picture.save(temporary, kind, quality=quality, icc_profile=profile))


@dataclass(frozen=True)
class PageEntry:
    """What the page shows of one photo; `note` says what is to be known about it, `results` None where it has none."""

    photo: str
    results: Results | None
    note: str = ""


def write_page(folder: Path, rows: Sequence[PageEntry], domains: Sequence[str]) -> Path:
    """Write `results.html` into the results' folder and return its path."""
    page = render(
        TEMPLATE,
        done=[_shown(folder, row.photo, row.note, row.results, domains) for row in rows if row.results],
        left_out=[row for row in rows if not row.results],
    )
    path = folder / "results.html"
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    return path


def _shown(folder: Path, photo: str, note: str, results: Results, domains: Sequence[str]) -> dict[str, object]:
    """What the template shows of a photo: its strip, the size of one picture of it, and the file behind each."""

    def address(path: Path) -> str:
        return quote(os.fsencode(path.relative_to(folder).as_posix()))  # a name need not be UTF-8

    with Image.open(results.strip) as strip:
        width, height = strip.size
    pictures = 1 + len(domains)
    return {
        "photo": photo,
        "note": note,
        "strip": address(results.strip),
        "width": (width + picture_grid.GAP) // pictures - picture_grid.GAP,
        "height": height,
        "files": {"original": address(results.strip)} | {d: address(results.of(d)) for d in domains},
    }
