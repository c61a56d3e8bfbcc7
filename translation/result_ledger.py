"""results.json: which results belong to which photo, known by its content, and how each of them came out.

`{"photos": [{"photo", "sha256", "name", "suffix", "note", "generator", "trained_on", "detail", "strength", "emotions",
"results": [{"face", "emotion", "file", "state", "reason", "strength", "held_back", "way", "distance", "movement"},
…]}, …]}`
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.whole_files import write_text
from translation.result_check import Check

FILE = "results.json"
WRITING = 0.05  # the share of a run's time that may be spent on writing this file


@dataclass
class PhotoRecord:
    """What is known of one photo's results. `sha256` is of the photo's file; `photo` its path as it was given."""

    photo: str
    sha256: str
    name: str
    suffix: str
    emotions: Sequence[str]
    generator: str = ""
    trained_on: str = ""
    detail: str = ""
    strength: float = 1.0
    note: str = ""
    results: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def records_of(checks: Mapping[tuple[int, str], Check], files: Mapping[str, str]) -> list[dict[str, Any]]:
    """One record for each face, by its number, and emotion; `files` are the pictures' places."""
    return [
        {"face": face, "emotion": domain, "file": files[domain]}
        | {name: _rounded(value) for name, value in dataclasses.asdict(check).items()}
        for (face, domain), check in checks.items()
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(number) for name, number in value.items()}
    return round(value, 4) if isinstance(value, float) else value


class Ledger:
    """The file in a folder of results. Raises `UserError` where it is damaged."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._by_name: dict[str, PhotoRecord] = {}
        self._owners: defaultdict[str, set[str]] = defaultdict(set)
        self._written = self._took = 0.0
        for record in self._read():
            self._keep(record)

    def _read(self) -> Iterator[PhotoRecord]:
        if not self._file.exists():
            return
        try:
            known = {each.name for each in dataclasses.fields(PhotoRecord)}
            for record in json.loads(self._file.read_text(encoding="utf-8"))["photos"]:
                yield PhotoRecord(**{name: value for name, value in record.items() if name in known})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{self._file} is damaged: move it away, or name another --result_dir; photos are then translated again"
            ) from error

    def of(self, name: str, suffix: str) -> PhotoRecord | None:
        """What is known of the results that lie under a name."""
        return self._by_name.get(_place(name, suffix))

    def whose(self, name: str) -> set[str]:
        """Of which photos, by their content, results lie under a name, in whatever format."""
        return self._owners[name]

    def photos(self) -> list[PhotoRecord]:
        """All of them, those of earlier runs first."""
        return list(self._by_name.values())

    def add(self, record: PhotoRecord) -> None:
        """Remember a photo's results, and write the file unless that would take too much of the time."""
        self._by_name.pop(_place(record.name, record.suffix), None)
        self._keep(record)
        if time.monotonic() - self._written > self._took / WRITING:
            self.write()

    def _keep(self, record: PhotoRecord) -> None:
        self._by_name[_place(record.name, record.suffix)] = record
        self._owners[record.name].add(record.sha256)

    def write(self) -> None:
        """Write the file, whole or not at all."""
        started = time.monotonic()
        photos = {"photos": [dataclasses.asdict(record) for record in self._by_name.values()]}
        text = json.dumps(photos, ensure_ascii=True, indent=1)
        write_text(self._file, text)
        self._written = time.monotonic()
        self._took = self._written - started


def _place(name: str, suffix: str) -> str:
    return f"{name}.{suffix}"
