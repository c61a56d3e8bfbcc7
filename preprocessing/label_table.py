"""A data set's labels in one table: a line for each file, with its emotion as a word or a number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from common import emotions
from common.errors import UserError
from preprocessing.aihub import decode

# What such columns are called; the first that is there counts.
FILE_COLUMNS = ("file", "filename", "file_name", "filepath", "path", "image", "image_name", "image_path", "img",
                "photo", "pic", "subdirectory_filepath", "name")  # fmt: skip
EMOTION_COLUMNS = ("emotion", "expression", "label", "class", "category", "emotion_label", "faceexp", "target")


@dataclass
class LabelTable:
    """The word of each file, by its folded path, or by as much of the path's end as tells it apart."""

    path: Path
    words: dict[str, str] = field(default_factory=dict)
    line_of: dict[str, str] = field(default_factory=dict)  # the same keys: the file as it is listed
    contradicted: set[str] = field(default_factory=set)  # files that the table lists twice, with two words
    lines: set[str] = field(default_factory=set)  # the files as they are listed

    def add(self, file: str, word: str) -> None:
        """Note one line."""
        self.lines.add(file)
        for key in _ends(_key(file)):
            self.line_of.setdefault(key, file)
            if emotions.fold(self.words.setdefault(key, word)) != emotions.fold(word):
                self.contradicted.add(key)

    def word_of(self, name: str) -> str | None:
        """What the table says about the file at the path `name`; None where it says nothing or two things."""
        key = self._key_of(name)
        return None if key is None or key in self.contradicted else self.words[key]

    def line_for(self, name: str) -> str | None:
        """The path in the line that speaks of that file; None where none does."""
        key = self._key_of(name)
        return None if key is None else self.line_of[key]

    def contradicts_itself_on(self, name: str) -> bool:
        """Whether the table says two things about that file."""
        return self._key_of(name) in self.contradicted

    def _key_of(self, name: str) -> str | None:
        whole = _ends(_key(name))
        return next((key for key in (*whole, *(key.rsplit(".", 1)[0] for key in whole)) if key in self.words), None)


def read_table(path: Path) -> LabelTable:
    """The table in a CSV file, or one separated by semicolons, tabs or spaces. Raises `UserError`."""
    try:
        lines = decode(path.read_bytes()).splitlines()
    except OSError as error:
        raise UserError(
            f"--labels {path} can't be read ({error.strerror}): name the table of files and emotions"
        ) from error
    rows = [row for row in _rows(lines) if any(cell.strip() for cell in row)]
    if not rows:
        raise UserError(f"--labels {path} is empty: name the table of files and emotions")
    file, emotion, has_header = _columns(rows[0], path)
    table = LabelTable(path)
    for row in rows[has_header:]:
        if len(row) > max(file, emotion) and row[file].strip():
            table.add(row[file].strip(), row[emotion].strip())
    return table


def _rows(lines: list[str]) -> Iterator[list[str]]:
    delimiter = next((mark for mark in "\t;," if lines and mark in lines[0]), None)
    return csv.reader(lines, delimiter=delimiter) if delimiter else (line.split() for line in lines)


def _columns(first: list[str], path: Path) -> tuple[int, int, bool]:
    """Where file and emotion stand, and whether the first line is a header. Two nameless columns are these two."""
    names = [emotions.fold(cell) for cell in first]
    file, emotion = (
        next((names.index(c) for c in known if c in names), None) for known in (FILE_COLUMNS, EMOTION_COLUMNS)
    )
    if file is not None and emotion is not None:
        return file, emotion, True
    if file is None and emotion is None and len(first) == 2:
        return 0, 1, False
    raise UserError(
        f"--labels {path} needs a column named file and one named emotion, and has {', '.join(first)}: rename two"
    )


def _ends(path: str) -> list[str]:
    """A path and what is left of it without its first folder, its first two, and so on."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _key(path: str) -> str:
    return emotions.fold(path.replace("\\", "/")).removeprefix("./")
