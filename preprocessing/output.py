"""The folder that preprocessing fills: crops, a journal of what is done, settings, and at the end the manifest.

What a finished run leaves depends on the input and the settings alone: not on the number of workers, on the order
they finish in, or on how often it was killed on the way. The journal, one line for each file as it is finished, is
what makes that so; the manifest is the journal in order.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import heapq
import itertools
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock

from common.errors import UserError
from common.whole_files import write_atomically, write_text
from preprocessing.likeness import on_both_sides
from preprocessing.plan import CropSettings, Task

MANIFEST = "manifest.csv"
SETTINGS = "settings.json"

# What folders made before these settings existed were made with.
BEFORE = {"labels": "", "mapped": [], "split": "person", "border": "repeat"}


@dataclass(frozen=True)
class ManifestRow:
    """One line of the manifest. Lengths in pixels of the upright photo; empty where a file was not looked at."""

    source: str
    emotion: str
    votes: str
    person: str
    split: str
    kept: int
    reason: str  # why it was left out
    file: str  # the crop, below the folder of its split
    x0: float | str = ""
    y0: float | str = ""
    x1: float | str = ""
    y1: float | str = ""
    box_from: str = ""  # detector or annotators
    score: float | str = ""  # the detector's, 0 to 1
    faces: int | str = ""  # how many were found
    face_size: float | str = ""  # longer side of the box
    outside: float | str = ""  # the crop's share that lies beyond the photo's edge, and repeats it
    clear: int | str = ""  # the largest --crop_size that shows nothing from beyond the photo's edge
    sharpness: float | str = ""  # variance of the crop's Laplacian
    brightness: float | str = ""  # mean of the crop, 0 to 255
    likeness: str = ""  # perceptual hash of the photo, where train and val must not share it


def left_out(task: Task, reason: str) -> ManifestRow:
    """The row of a task that yields no crop."""
    return ManifestRow(task.source.name, task.emotion, " ".join(task.votes), task.person, task.split, 0, reason, "")


COLUMNS = [column.name for column in dataclasses.fields(ManifestRow)]


@dataclass(frozen=True)
class Output:
    """Where everything goes: the crops to train on, the crops held out, and this shard's own files."""

    train: Path
    val: Path
    shard: tuple[int, int] = (1, 1)

    def folder(self, split: str) -> Path:
        """The folder of the crops of `split`, "train" or "val"."""
        return self.val if split == "val" else self.train

    def part(self, split: str) -> Path:
        """The file in which this process writes a crop before it gets its name."""
        return self.folder(split) / f"{self._part_prefix}{os.getpid()}.part"

    @property
    def manifest(self) -> Path:
        """The list of all files, or of this shard's."""
        return self.train / self._named("manifest{}.csv")

    @property
    def journal(self) -> Path:
        """One JSON line for each file that is done: its task's digest and its row."""
        return self.train / self._named(".journal{}.jsonl")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, or this shard's part of it. Raises `UserError` where another run does."""
        lock = filelock.FileLock(self.train / self._named(".lock{}"))
        try:
            with lock.acquire(blocking=False):
                yield
        except filelock.Timeout as error:
            raise UserError(
                f"another preprocessing is writing to {self.train}: wait until it ends, or name another --output"
            ) from error

    def clear_parts(self) -> None:
        """Remove what killed workers of this shard left half written."""
        for folder in (self.train, self.val):
            for part in folder.glob(self._part_prefix + "*.part"):
                part.unlink(missing_ok=True)

    @property
    def _part_prefix(self) -> str:
        return self._named(".crop{}.")

    def _named(self, pattern: str) -> str:
        number, shards = self.shard
        return pattern.format(f"-{number}-of-{shards}" if shards > 1 else "")


def keep_settings(output: Output, settings: CropSettings) -> None:
    """Note the settings in the folder, or raise `UserError` where crops made with others lie there already."""
    wanted = json.loads(json.dumps({**dataclasses.asdict(settings), "val_folder": output.val.name}))
    if not (output.train / SETTINGS).exists():
        text = json.dumps(wanted, ensure_ascii=False, indent=2) + "\n"
        write_text(output.train / SETTINGS, text)
        return
    there = {**BEFORE, **read_settings_file(output)}
    for name, value in wanted.items():
        if there.get(name) != value:
            raise UserError(
                f"{output.train} was made with {name} {there.get(name)}, and now it is {value}: name another --output, "
                f"or remove {output.train} to start anew"
            )


def read_settings_file(output: Output) -> dict[str, Any]:
    """The settings a folder was made with. Raises `UserError` where the file is damaged."""
    file = output.train / SETTINGS
    try:
        settings = json.loads(file.read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is damaged ({error}): remove {output.train}, and preprocess anew") from error
    if not isinstance(settings, dict):
        raise UserError(f"{file} is damaged (no settings in it): remove {output.train}, and preprocess anew")
    return settings


@dataclass
class Journal:
    """The journal of one output folder, open for adding to."""

    output: Output
    done: set[str] = field(default_factory=set)  # digests of the tasks that need no second run

    def __post_init__(self) -> None:
        self.output.journal.touch()
        self._cut_torn_line()
        crops = _Listing(self.output)
        for _, digest, row in self._lines():
            if not row["kept"] or crops.side_of(row):
                self.done.add(digest)
            else:  # somebody removed the crop
                self.done.discard(digest)
        self._file = self.output.journal.open("a", encoding="utf-8")

    def add(self, finished: Iterable[tuple[str, ManifestRow]]) -> None:
        """Note tasks that are done."""
        self._file.writelines(json.dumps([digest, dataclasses.asdict(row)]) + "\n" for digest, row in finished)
        self._file.flush()

    def write_manifest(self, current: set[str]) -> tuple[int, int]:
        """Write the manifest of the `current` tasks and remove crops of others; return how many were removed.

        Rows are sorted by source. Only their places in the journal are held in memory, not the rows.
        """
        places = {row["source"]: place for place, digest, row in self._lines() if digest in current}

        def planned() -> Iterator[dict]:
            with self.output.journal.open("rb") as journal:
                for _, place in sorted(places.items()):
                    journal.seek(place)
                    yield json.loads(journal.readline())[1]

        joined = 0
        if self.output.shard[1] > 1:  # the merge knows the other shards' pictures
            write_rows(self.output.manifest, planned())
        else:
            joined = write_divided(self.output, self.output.manifest, planned)
        stale = {row["file"] for _, digest, row in self._lines() if row["kept"] and digest not in current}
        return (_remove_stale(self.output, stale) if stale else 0), joined

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _lines(self) -> Iterator[tuple[int, str, dict]]:
        """Place, digest and row of each line."""
        place = 0
        with self.output.journal.open("rb") as journal:
            for number, line in enumerate(journal, 1):
                try:
                    digest, row = json.loads(line)
                    row["kept"], row["file"], row["split"], row["emotion"], row["source"]
                except (ValueError, TypeError, KeyError) as error:
                    raise UserError(
                        f"line {number} of {self.output.journal} is damaged: remove that line, and the same command "
                        "does its photo again"
                    ) from error
                yield place, digest, row
                place += len(line)

    def _cut_torn_line(self) -> None:
        """Cut off what a killed run began to write: everything after the last line's end."""
        with self.output.journal.open("rb+") as journal:
            end = journal.seek(0, os.SEEK_END)
            while end:
                start = max(0, end - 65536)
                journal.seek(start)
                newline = journal.read(end - start).rfind(b"\n")
                if newline >= 0:
                    end = start + newline + 1
                    break
                end = start
            journal.truncate(end)


class _Listing:
    """Which crops exist, each folder listed once: half a million single questions would take minutes on a network."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._seen: dict[tuple[str, str], set[str]] = {}

    def side_of(self, row: Mapping[str, Any]) -> str:
        """The side a row's crop lies on: its own, or the other where it was moved; "" where there is none."""
        sides = (row["split"], "train" if row["split"] == "val" else "val")
        return next((side for side in sides if row["file"] in self.of(side, row["emotion"])), "")

    def of(self, split: str, emotion: str) -> set[str]:
        """The crops of one emotion, as the manifest's `file` names them."""
        if (split, emotion) not in self._seen:
            folder = self._output.folder(split) / emotion
            names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names are all that is needed
            self._seen[split, emotion] = {f"{emotion}/{name}" for name in names}
        return self._seen[split, emotion]


def merge_shards(output: Output) -> int:
    """Write one manifest out of the shards' own. Raises `UserError` where a shard or its crops are missing."""
    names = sorted(file.name for file in output.train.glob("manifest-*-of-*.csv"))
    if not names or not (output.train / SETTINGS).exists():
        raise UserError(
            f"{output.train} holds no shard's manifest and settings: run --shard 1/N to N/N first, or copy them here"
        )
    shards = {name.rsplit("-", 1)[1].removesuffix(".csv") for name in names}
    if len(shards) > 1:
        raise UserError(f"{output.train} holds manifests of different divisions ({', '.join(names)}): remove the old")
    total = int(shards.pop())
    missing = [str(k) for k in range(1, total + 1) if f"manifest-{k}-of-{total}.csv" not in names]
    if missing:
        raise UserError(
            f"of {total} shards, {', '.join(missing)} are missing in {output.train}: run or copy them first"
        )
    manifests = [output.train / name for name in names]
    crops = _Listing(output)
    for row in itertools.chain.from_iterable(map(read_rows, manifests)):
        if row["file"] and not crops.side_of(row):
            raise UserError(f"{row['file']} of a shard is not in {output.folder(row['split'])}: copy the crops, too")

    def by_source() -> Iterator[dict]:
        return heapq.merge(*map(read_rows, manifests), key=lambda row: row["source"])  # each is in order already

    with output.alone():
        return write_divided(output, output.train / MANIFEST, by_source)


def write_divided(output: Output, manifest: Path, planned: Callable[[], Iterator[dict]]) -> int:
    """Write the manifest of the rows `planned`, with whoever has nearly the same picture on both sides in train.

    Returns how many faces that concerns. Their crops are moved there, and what an earlier run moved needlessly back.
    """
    leaving: set[str] = set()
    divided = _on_both_sides(planned())
    if any(_is_kept(row) and row["split"] == "val" for row in planned()):
        leaving = on_both_sides(
            (_owner(row, divided), row["split"], row.get("likeness", "")) for row in planned() if _is_kept(row)
        )
    crops = _Listing(output)
    joined = 0

    def rows() -> Iterator[dict]:
        nonlocal joined
        for row in planned():
            if row["split"] == "val" and _owner(row, divided) in leaving:
                row["split"] = "train"
                joined += _is_kept(row)
            if _is_kept(row) and (lies := crops.side_of(row)) not in ("", row["split"]):
                target = output.folder(row["split"]) / row["file"]
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(output.folder(lies) / row["file"], target)
            yield row

    write_rows(manifest, rows())
    return joined


def _is_kept(row: Mapping[str, Any]) -> bool:
    return str(row["kept"]) == "1"


def _on_both_sides(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The persons whom the data set's own folders have put on both sides."""
    sides: dict[str, set[str]] = {"train": set(), "val": set()}
    for row in rows:
        if _is_kept(row):
            sides[row["split"]].add(row["person"])
    return sides["train"] & sides["val"]


def _owner(row: Mapping[str, Any], divided: Collection[str]) -> str:
    """What may not be divided: all photos of a person, or one of nobody known, or of somebody `divided` already."""
    person = row["person"]
    return f"person {person}" if person and person not in divided else f"photo {row['source']}"


def _remove_stale(output: Output, files: set[str]) -> int:
    """Remove those of the crops `files` that the manifest does not list where they lie; how many."""
    listed = {(row["split"], row["file"]) for row in read_rows(output.manifest)}
    removed = 0
    for file in files:
        for split in ("train", "val"):
            crop = output.folder(split) / file
            if (split, file) not in listed and crop.exists():
                crop.unlink(missing_ok=True)
                removed += 1
    return removed


def read_rows(manifest: Path) -> Iterator[dict[str, str]]:
    """The rows of a manifest, one at a time."""
    with manifest.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        yield from csv.DictReader(file)


def write_rows(manifest: Path, rows: Iterable[dict]) -> None:
    """Write a manifest, whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(rows)

    write_atomically(manifest, write)
