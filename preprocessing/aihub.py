"""AI Hub data set 82 (한국인 감정인식을 위한 복합 영상): what its three annotators said about each photo."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common import emotions

ANNOTATORS = ("annot_A", "annot_B", "annot_C")
HURT = "상처"  # its seventh emotion, which the project has no use for: no judge knows it

# The uploader's hash opens each file name: 0a88…11d2_남_20_기쁨_교통&이동수단_20210125160548-002-004.jpg
PERSON_PATTERN = r"^([0-9a-f]{32,64})_"

Corners = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the upright photo


class BrokenLabels(Exception):
    """Why a label file cannot be read to its end."""


@dataclass(frozen=True)
class Label:
    """What is said about one photo: emotions under their canonical names, where they have one."""

    uploader: str
    votes: tuple[str, ...]  # one for each annotator who gave one
    box: Corners | None  # the face: the median of the annotators' boxes

    def agreed(self, minimum: int) -> str | None:
        """The emotion that at least `minimum` annotators name, the uploader's among equals; None where none is.

        With `minimum` 0 the uploader's word is taken.
        """
        if minimum == 0:
            return self.uploader or None
        counts = Counter(self.votes)
        most = max(counts.values(), default=0)
        named = [vote for vote, count in counts.items() if count == most]
        if most < minimum:
            return None
        if len(named) == 1:
            return named[0]
        return self.uploader if self.uploader in named else None


def read_labels(data: bytes) -> Iterator[tuple[str, Label]]:
    """File name and label of each record in a label file; nothing from a file that holds something else.

    Records are parsed one at a time: a file of 70,000 would take gigabytes as one tree. File names come folded
    (`emotions.fold`). Raises `BrokenLabels` for a label file that is damaged further on.
    """
    text = decode(data).strip()
    is_list = text.startswith("[")
    position = _next_record(text, 1) if is_list else 0
    decoder = json.JSONDecoder()
    found = False
    while position < len(text) and text[position] != "]":
        try:
            record, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            if found:
                raise BrokenLabels(f"is damaged after character {error.pos}") from error
            return
        if not (isinstance(record, dict) and isinstance(record.get("filename"), str) and "annot_A" in record):
            return
        found = True
        yield emotions.fold(record["filename"]), _label(record)
        position = _next_record(text, position)
    if found and is_list and position >= len(text):
        raise BrokenLabels("is cut short")


def emotion_of(word: str) -> str | None:
    """The canonical emotion that `word` means, `HURT` for that one, None for any other word."""
    return HURT if emotions.fold(word) == HURT else emotions.canonical(word)


def decode(data: bytes) -> str:
    """Text in UTF-8, with or without a byte order mark, or in CP949, the Korean Windows encoding."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949", errors="replace")


def _next_record(text: str, position: int) -> int:
    """Where the next record, or the closing bracket, begins."""
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _label(record: dict[str, Any]) -> Label:
    annotations = [record[name] for name in ANNOTATORS if isinstance(record.get(name), dict)]
    votes = [a["faceExp"] for a in annotations if isinstance(a.get("faceExp"), str)]
    boxes = [corners for a in annotations if (corners := _corners(a.get("boxes")))]
    box = tuple(statistics.median(values) for values in zip(*boxes, strict=True)) if boxes else None
    uploader = record.get("faceExp_uploader")
    return Label(
        uploader=_name(uploader) if isinstance(uploader, str) else "",
        votes=tuple(_name(vote) for vote in votes),
        box=box,
    )


def _name(word: str) -> str:
    return emotion_of(word) or emotions.fold(word)


def _corners(box: Any) -> Corners | None:
    """A box record as corners, None where it is missing, incomplete or empty."""
    try:
        x0, y0, x1, y1 = (float(box[key]) for key in ("minX", "minY", "maxX", "maxY"))
    except (TypeError, KeyError, ValueError):
        return None
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
