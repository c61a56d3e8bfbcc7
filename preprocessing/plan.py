"""What is to be done with each file of a data set: its emotion, whom it shows, and whether to look at it at all."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from common import emotions
from common.errors import UserError
from imaging.image_folder import HELD_OUT_FOLDERS, TRAIN_FOLDERS
from preprocessing import aihub, input_files
from preprocessing.copies import left_out_copies, same_content
from preprocessing.input_files import Source
from preprocessing.label_table import LabelTable
from preprocessing.split import PersonNumber, held_out
from preprocessing.vocabulary import Vocabulary

NO_EMOTION = "no emotion in its path"
NOT_UNDERSTOOD = "a label that is not understood"


@dataclass(frozen=True)
class CropSettings:
    """Everything but the photos that decides what comes out. `--help` says what each means."""

    input: str
    emotions: tuple[str, ...] = emotions.FIVE
    min_agreement: int = 2
    min_face: int = 64
    align: bool = False
    format: str = "jpg"
    quality: int = 95
    val_fraction: float = 0.0
    person_pattern: str = aihub.PERSON_PATTERN
    pairs: bool = False
    labels: str = ""  # the table of --labels
    mapped: tuple[tuple[str, str], ...] = ()  # --map
    split: str = "person"  # or "folders"
    border: str = "soft"  # or "repeat"

    @property
    def divides(self) -> bool:
        """Whether some photos are held out."""
        return self.val_fraction > 0 or self.split == "folders"

    @property
    def vocabulary(self) -> Vocabulary:
        """What the words of this data set mean."""
        return Vocabulary(self.mapped)


@dataclass(frozen=True)
class Task:
    """One file and what is known about it before it is opened."""

    source: Source
    emotion: str
    votes: tuple[str, ...] = ()
    box: aihub.Corners | None = None  # the face, as the annotators see it
    person: str = ""  # "" where it is not known
    split: str = "train"
    left_out: str = ""  # why it is not even opened
    neutral: Source | None = None  # the same person's neutral photo, on which the face is looked for instead
    name: str = ""  # what it shares with the other photos of a person; "" without pairs

    @property
    def digest(self) -> str:
        """16 hex digits that stand for this task: another content, label or split makes another task."""
        described: tuple[object, ...] = (
            self.source.name,
            self.source.version,
            self.emotion,
            self.votes,
            self.box,
            self.person,
            self.split,
            self.left_out,
        )
        if self.neutral:
            described += (self.neutral.name, self.neutral.version, self.name)
        return _hash(repr(described))

    @property
    def stem(self) -> str:
        """The crop's file name without suffix: names the source, and no two sources share it."""
        readable = re.sub(r"[^\w.-]+", "_", self.source.file_name.rsplit(".", 1)[0])[:60].lstrip(".")
        return f"{readable}-{_hash(self.name or self.source.name)}"


@dataclass
class Labels:
    """What is said about each photo: AI Hub's label files, by folded file name, or the table of --labels."""

    by_name: dict[str, aihub.Label] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)  # names of the label files themselves
    table: LabelTable | None = None


def plan(settings: CropSettings, labels: Labels, shard: tuple[int, int] = (1, 1)) -> Iterator[Task]:
    """A task for every file below the input folder that falls into `shard` (k of n), label files aside."""
    number, shards = shard
    planner = _Planner(settings, labels)
    for task in planner.tasks():
        name = unicodedata.normalize("NFC", task.source.name)
        if shards == 1 or _fraction(name) * shards // 1 == number - 1:
            yield task


class _Planner:
    """The same plan for every shard, so all files are looked through, not only this shard's."""

    def __init__(self, settings: CropSettings, labels: Labels) -> None:
        self._settings = settings
        self._labels = labels
        self._neutrals = _neutrals(settings) if settings.pairs else None
        self._copies: dict[str, str] = {}
        self._val: set[PersonNumber] = set()
        if not settings.pairs:  # which are pairs by their names
            digests = same_content(lambda: (task.source for task in self.tasks() if not task.left_out))
            used = (task for task in self.tasks() if not task.left_out and task.source.name in digests)
            self._copies = left_out_copies(
                (f"{digests[task.source.name]} {task.box}", task.split, task.source.name, task.emotion) for task in used
            )
        if settings.val_fraction:
            faces = ((_person(task), task.emotion) for task in self.tasks() if not task.left_out)
            self._val = held_out(faces, settings.val_fraction)

    def tasks(self) -> Iterator[Task]:
        """A task for every file but the label files."""
        for source in input_files.walk(self._settings.input):
            if source.name in self._labels.files:
                continue
            task = _task(source, self._settings, self._labels)
            if self._neutrals is not None:
                task = _as_pair(task, self._neutrals, self._settings.vocabulary)
            if reason := self._copies.get(source.name):
                task = replace(task, left_out=reason)
            yield replace(task, split="val") if self._val and _person(task) in self._val else task


def _person(task: Task) -> PersonNumber:
    """The number of who is on a photo; a photo of nobody known has its own."""
    return _fraction("val" + (task.person or task.name or task.source.name))


def _task(source: Source, settings: CropSettings, labels: Labels) -> Task:
    label = labels.by_name.get(emotions.fold(source.file_name))
    emotion, left_out = _emotion(source, label, settings, labels)
    if not left_out and emotion not in settings.emotions:
        left_out = "emotion not asked for"
    return Task(
        source,
        emotion,
        votes=label.votes if label else (),
        box=label.box if label else None,
        person=person_on(source, settings.person_pattern),
        split=(settings.split == "folders" and split_of(source)) or "train",
        left_out=source.problem or left_out,
    )


def person_on(source: Source, pattern: str) -> str:
    """Who is on a photo, as the pattern's first group finds it in the path, else in the file name; "" if nowhere."""
    path = unicodedata.normalize("NFC", source.name)
    match = re.search(pattern, path) or re.search(pattern, source.file_name)
    return (match[1] or "") if match else ""


def split_of(source: Source) -> str:
    """The side that a data set's own folders put a file on: "train" or "val" (which test is, too); "" for neither."""
    for folder in source.folders:
        words = set(re.split(r"[\W_]+", emotions.fold(folder)))
        if words & TRAIN_FOLDERS:
            return "train"
        if words & HELD_OUT_FOLDERS:
            return "val"
    return ""


def _neutrals(settings: CropSettings) -> dict[str, Source]:
    """The neutral photos by what names them apart from their emotion. Raises `UserError` where there is none."""
    words = settings.vocabulary
    neutrals = {
        _name_in_pair(source, words): source
        for source in input_files.walk(settings.input)
        if _emotion_of_path(source, words) == "neutral"
    }
    if not neutrals:
        raise UserError(f"--pairs needs a folder of neutral photos in {settings.input}, named as those with an emotion")
    return neutrals


def _as_pair(task: Task, neutrals: Mapping[str, Source], words: Vocabulary) -> Task:
    """The task with the neutral photo of the same name, left out where there is none."""
    name = _name_in_pair(task.source, words)
    neutral = neutrals.get(name)
    if not neutral:
        return replace(task, left_out=task.left_out or "no neutral photo of the same name")
    return replace(task, neutral=neutral, name=name)


def _name_in_pair(source: Source, words: Vocabulary) -> str:
    """What all photos of one person, pose and light share: the path without the emotion's folder, and no suffix."""
    folders = [folder for folder in source.folders if not words.emotion_of(folder)]
    return "/".join([*folders, source.file_name.rsplit(".", 1)[0]])


def _emotion(source: Source, label: aihub.Label | None, settings: CropSettings, labels: Labels) -> tuple[str, str]:
    """The emotion a file belongs to, and why it is left out ("" if it is not)."""
    if labels.table is not None:
        return _emotion_in_table(source, labels.table, settings.vocabulary)
    if labels.by_name and settings.min_agreement:
        if label is None:
            return "", "no label record"
        agreed = label.agreed(settings.min_agreement)
        return (agreed, "") if agreed else ("", "annotators disagree")
    emotion = (label and label.agreed(0)) or _emotion_of_path(source, settings.vocabulary)
    return (emotion, "") if emotion else ("", NO_EMOTION)


def _emotion_in_table(source: Source, table: LabelTable, words: Vocabulary) -> tuple[str, str]:
    if table.contradicts_itself_on(source.name):
        return "", "two labels in the table"
    word = table.word_of(source.name)
    if word is None:
        return "", "no line in the table of labels"
    emotion = words.emotion_of(word)
    return (emotion, "") if emotion else ("", f"{NOT_UNDERSTOOD} ({word})")


def _emotion_of_path(source: Source, words: Vocabulary) -> str:
    """The emotion of the outermost folder that is named after one, else of one whose name speaks of one."""
    return next(iter(emotions_of_path(source, words)), "")


def emotions_of_path(source: Source, words: Vocabulary) -> list[str]:
    """Every emotion that folders are named after, outermost first; where none is, those that their names speak of."""
    folders = [re.sub(r"\.zip$", "", folder, flags=re.IGNORECASE) for folder in source.folders]
    for reading in (words.emotion_of, words.emotion_in):
        if found := [emotion for folder in folders if (emotion := reading(folder))]:
            return list(dict.fromkeys(found))
    return []


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fraction(text: str) -> float:
    """A number in [0, 1) that `text` alone decides, evenly spread over texts."""
    return int(_hash(text), 16) / 16**16
