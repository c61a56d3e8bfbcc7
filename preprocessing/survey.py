"""A first look through a data set: how much there is, its labels, and whether the command can be meant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import UserError
from preprocessing import aihub, input_files
from preprocessing.input_files import Source
from preprocessing.label_table import LabelTable, read_table
from preprocessing.plan import CropSettings, Labels, emotions_of_path, person_on, split_of


@dataclass
class Survey:
    """What the look found."""

    count: int = 0  # files, label files aside
    labels: Labels = field(default_factory=Labels)
    persons: int = 0  # files that say who is on them
    named: Counter[str] = field(default_factory=Counter)  # files that each line of the table of labels names
    two_emotions: list[str] = field(default_factory=list)  # paths that name several, all of them
    sides: Counter[str] = field(default_factory=Counter)  # files in the data set's own "train" and "val" folders
    example: str = ""  # a file

    def notes(self, settings: CropSettings) -> list[str]:
        """What to say before the work begins."""
        notes = []
        if self.two_emotions:
            notes.append(
                f"note: {len(self.two_emotions)} paths name several emotions, as {self.two_emotions[0]}: the outermost "
                "folder counts"
            )
        if settings.split != "folders" and self.sides["train"] and self.sides["val"]:
            notes.append(
                f"note: {settings.input} is divided already ({self.sides['train']} files in train folders, "
                f"{self.sides['val']} in val or test): --split folders keeps it so, without it they are mixed"
            )
        return notes + (self._notes_on(self.labels.table) if self.labels.table else [])

    def _notes_on(self, table: LabelTable) -> list[str]:
        notes = []
        if nowhere := len(table.lines - self.named.keys()):
            notes.append(f"note: {nowhere} of {len(table.lines)} lines of {table.path} name no file in the folder")
        if several := [line for line, files in self.named.items() if files > 1]:
            notes.append(
                f"note: {len(several)} lines of {table.path} name several files each, as {several[0]}: all of them "
                "get its emotion; list paths below --input where that is wrong"
            )
        return notes


def survey(settings: CropSettings, pattern_given: bool = False) -> Survey:
    """Look at every file's name, and into the label files. Raises `UserError` for what can't be meant."""
    found = Survey()
    found.labels.table = read_table(Path(settings.labels)) if settings.labels else None
    candidates = []
    for source in input_files.walk(settings.input):
        if settings.labels and Path(source.path) == Path(settings.labels):
            found.labels.files.add(source.name)
            continue
        _count(source, found, settings)
        if source.name.lower().endswith(".json") and not source.problem and not settings.labels:
            candidates.append(source)
    _read_labels(candidates, found.labels)
    if not settings.labels:
        found.count -= len(found.labels.files)
    _refuse_the_unmeant(found, settings, pattern_given)
    return found


def _count(source: Source, found: Survey, settings: CropSettings) -> None:
    found.count += 1
    found.example = found.example or source.name
    found.persons += bool(person_on(source, settings.person_pattern))
    found.sides[split_of(source)] += 1
    table = found.labels.table
    if table is not None:
        if (line := table.line_for(source.name)) is not None:
            found.named[line] += not table.contradicts_itself_on(source.name)
    elif len(emotions_of_path(source, settings.vocabulary)) > 1:
        found.two_emotions.append(source.name)


def _read_labels(candidates: list[Source], labels: Labels) -> None:
    for source in sorted(candidates, key=lambda source: source.name):  # the last of two labels for one photo counts
        before = len(labels.by_name)
        try:
            labels.by_name.update(aihub.read_labels(source.read()))
        except aihub.BrokenLabels as error:
            raise UserError(f"the label file {source.name} {error}: download it again") from error
        if len(labels.by_name) > before:
            labels.files.add(source.name)


def _refuse_the_unmeant(found: Survey, settings: CropSettings, pattern_given: bool) -> None:
    if not found.count:
        raise UserError(f"--input {settings.input} holds no photo: put one folder per emotion there, as in happy/1.jpg")
    table = found.labels.table
    if table is not None and not found.named:
        raise UserError(
            f"--labels {table.path} names none of the {found.count} files below --input, as {found.example}: its files "
            f"are {next(iter(table.lines), 'none')} and so on; give paths below --input, or file names"
        )
    if pattern_given and not found.persons:
        raise UserError(
            f"--person_pattern {settings.person_pattern} matched 0 of {found.count} paths below --input, as "
            f"{found.example}: its first group must be what names the person there"
        )
    if settings.split == "folders" and not (found.sides["train"] and found.sides["val"]):
        raise UserError(
            f"--split folders needs train and val or test folders in {settings.input}, and there is only "
            f"{' and '.join(filter(None, found.sides)) or 'neither'}: leave it out, or use --val_fraction"
        )
