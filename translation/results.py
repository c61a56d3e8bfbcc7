"""What test mode writes: each photo's emotions at full size and side by side, its faces, and results.html.

The page can be looked through in any browser and needs no network.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
from PIL import Image

from common.html_page import render
from common.whole_files import write_atomically, write_text
from imaging import picture_grid
from translation.result_ledger import Ledger, PhotoRecord
from translation.translator import Translation

TEMPLATE = Path(__file__).with_name("results.html")
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
STRIP_SIZE = 1024  # pixels: longest side of each picture of a strip
CLOSE_UP_SIZE = 320  # pixels: side of each picture of a close-up
CLOSE_UP = "face-"  # what the files of close-ups are called, with the face's number


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

    def close_up(self, face: int) -> Path:
        """One face, original and emotions side by side."""
        return self.folder / self.name / f"{CLOSE_UP}{face}.{self.suffix}"


def places_of(
    photos: Mapping[Path, Path],
    hashes: Mapping[Path, str],
    folder: Path,
    domains: Sequence[str],
    suffix: str,
    ledger: Ledger,
) -> dict[Path, Results]:
    """Where the results of each photo go; `photos` are paths, by each its path below one folder.

    A name is the path without the suffix, or with it, or numbered, so that none collide: neither with each other
    (`a.jpg` beside `a.png`, or beside a folder `a`) nor with what an earlier run made of a photo with other content.
    """
    taken: set[str] = set()
    places = {}
    for photo, below in photos.items():
        stem, whole = below.with_suffix("").as_posix(), below.as_posix()
        for name in itertools.chain((stem, whole), (f"{whole} {n}" for n in itertools.count(2))):
            results = Results(folder, name, suffix)
            files = _files_of(name, domains, suffix)
            if not files & taken and _is_its_own(results, hashes[photo], ledger):
                break
        taken |= files
        places[photo] = results
    return places


def _is_its_own(results: Results, sha256: str, ledger: Ledger) -> bool:
    """Whether nothing lies in a place, or what was made of a photo with just this content."""
    if owners := ledger.whose(results.name):
        return owners == {sha256}
    return not results.strip.exists() and not (results.folder / results.name).is_file()


def _files_of(name: str, domains: Sequence[str], suffix: str) -> set[str]:
    """What results under a name write, as file systems compare it; all close-ups of a name count as one."""
    files = {_folded(f"{name}.{suffix}"), _folded(name), _folded(f"{name}/{CLOSE_UP}*")}
    files |= {_folded(f"{name}/{domain}.{suffix}") for domain in domains}
    parent, _, last = name.rpartition("/")
    if re.fullmatch(CLOSE_UP + r"\d+", _folded(last)):
        files.add(_folded(f"{parent}/{CLOSE_UP}*"))
    return files


def _folded(path: str) -> str:
    """`path` as file systems compare it that know no case (Windows) or store names decomposed (macOS)."""
    return unicodedata.normalize("NFC", path).casefold()


def save(translation: Translation, results: Results, quality: int) -> None:
    """Write all files of a photo, its ICC profile with them; EXIF, with its place and date, is left behind."""
    photo, translated = translation.photo, translation.results
    words = ["original", *translated]
    for domain, picture in translated.items():
        _write(Image.fromarray(picture), results.of(domain), quality, photo.icc_profile)
    for number, face in enumerate(translation.faces):
        if face.points is not None:
            square = face.square.within(photo.pixels.shape, 0.8)
            row = [square.cut(picture, CLOSE_UP_SIZE) for picture in (photo.pixels, *translated.values())]
            _write(picture_grid.grid([row], words), results.close_up(number), quality, photo.icc_profile)
    row = [_for_strip(picture) for picture in (photo.pixels, *translated.values())]
    _write(picture_grid.grid([row], words), results.strip, quality, photo.icc_profile)


def _for_strip(picture: np.ndarray) -> np.ndarray:
    scale = min(1.0, STRIP_SIZE / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write(picture: Image.Image, path: Path, quality: int, profile: bytes | None) -> None:
    kind = FORMATS[path.suffix[1:]]
    write_atomically(path, lambda temporary: picture.save(temporary, kind, quality=quality, icc_profile=profile))


@dataclass(frozen=True)
class PageEntry:
    """What a run says of one photo; `note` is what is to be known about it, `results` None where it has none."""

    photo: str
    results: Results | None
    note: str = ""


def write_page(folder: Path, records: Sequence[PhotoRecord], left_out: Sequence[PageEntry]) -> Path:
    """Write `results.html`, of all results of the folder, into it and return its path."""
    done = [shown for record in records if (shown := _shown(folder, record))]
    generators = sorted({f"{r.generator} (trained on {r.trained_on})" for r in records if r.generator})
    weak = sum(result["state"] != "good" for record in records for result in record.results)
    page = render(TEMPLATE, done=done, left_out=left_out, generators=generators, weak=weak)
    path = folder / "results.html"
    write_text(path, page)
    return path


def _shown(folder: Path, record: PhotoRecord) -> dict[str, object] | None:
    """What the template shows of a photo: its faces, the strip, and the file behind each; None: they are gone."""
    results = Results(folder, record.name, record.suffix)
    if not results.strip.exists():
        return None

    def address(path: Path) -> str:
        return quote(os.fsencode(path.relative_to(folder).as_posix()))  # a name need not be UTF-8

    faces: dict[int, list[Mapping[str, Any]]] = {}
    for result in record.results:
        faces.setdefault(result["face"], []).append(result)
    with Image.open(results.strip) as strip:
        width, height = strip.size
    return {
        "photo": record.photo,
        "note": record.note,
        "strip": address(results.strip),
        "width": width,
        "height": height,
        "close_up": CLOSE_UP_SIZE,
        "files": {"original": address(results.strip)} | {d: address(results.of(d)) for d in record.emotions},
        "faces": [
            {
                "number": number,
                "strip": address(results.close_up(number)),
                "height": _height(results.close_up(number)),
                "notes": [told for r in of_face if (told := _told(r, record.strength))],
                "states": {r["emotion"]: r["state"] for r in of_face},
            }
            for number, of_face in faces.items()
            if results.close_up(number).exists()
        ],
    }


def _told(result: Mapping[str, Any], asked: float) -> str:
    """What is to be known of one result: that it moved less far than asked, that it is weak or failed, and why."""
    held_back = result.get("held_back", "")
    told = [f"moved {result['strength'] / asked:.2g} as far: farther, {held_back}"] if held_back else []
    if result["state"] != "good":
        told.append(f"{result['state']}: {result['reason']}")
    return f"{result['emotion']} {'; '.join(told)}" if told else ""


def _height(picture: Path) -> int:
    with Image.open(picture) as opened:
        return opened.height
