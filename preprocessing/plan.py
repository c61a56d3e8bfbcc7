"""What is to be done with each file of a data set: its emotion, whom it shows, and whether to look at it at all."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from common import emotions
from common.errors import UserError
from preprocessing import aihub, input_files
from preprocessing.input_files import Source
from preprocessing.split import Person, held_out


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
        told: tuple[object, ...] = (
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
            told += (self.neutral.name, self.neutral.version, self.name)
        return _hash(repr(told))

    @property
    def stem(self) -> str:
        """The crop's file name without suffix: names the source, and no two sources share it."""
        readable = re.sub(r"[^\w.-]+", "_", self.source.file_name.rsplit(".", 1)[0])[:60].lstrip(".")
        return f"{readable}-{_hash(self.name or self.source.name)}"


@dataclass
class Labels:
    """The label files of a data set: what they say about each photo, by its folded file name."""

    by_name: dict[str, aihub.Label] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)  # names of the label files themselves


def survey(root: str) -> tuple[int, Labels]:
    """Count the files below `root` and read the labels among them. Raises `UserError` for a broken label file."""
    count, candidates = 0, []
    for source in input_files.walk(root):
        count += 1
        if source.name.lower().endswith(".json") and not source.problem:
            candidates.append(source)
    labels = Labels()
    for source in sorted(candidates, key=lambda source: source.name):  # the last of two labels for one photo counts
        before = len(labels.by_name)
        try:
            labels.by_name.update(aihub.read_labels(source.read()))
        except aihub.BrokenLabels as error:
            raise UserError(f"the label file {source.name} {error}: download it again") from error
        if len(labels.by_name) > before:
            labels.files.add(source.name)
    return count - len(labels.files), labels


def plan(settings: CropSettings, labels: Labels, shard: tuple[int, int] = (1, 1)) -> Iterator[Task]:
    """A task for every file below the input folder that falls into `shard` (k of n), label files aside."""
    number, shards = shard
    neutrals = _neutrals(settings.input) if settings.pairs else None
    val = _persons_held_out(settings, labels, neutrals)
    for task in _tasks(settings, labels, neutrals):
        name = unicodedata.normalize("NFC", task.source.name)
        if shards == 1 or _fraction(name) * shards // 1 == number - 1:
            yield replace(task, split="val") if _person(task) in val else task


def _persons_held_out(settings: CropSettings, labels: Labels, neutrals: Mapping[str, Source] | None) -> set[Person]:
    """The same for every shard, so all files are looked through, not only this shard's."""
    if not settings.val_fraction:
        return set()
    tasks = _tasks(settings, labels, neutrals)
    return held_out(((_person(task), task.emotion) for task in tasks if not task.left_out), settings.val_fraction)


def _person(task: Task) -> Person:
    """The number of who is on a photo; a photo of nobody known has its own."""
    return _fraction("val" + (task.person or task.name or task.source.name))


def _tasks(settings: CropSettings, labels: Labels, neutrals: Mapping[str, Source] | None) -> Iterator[Task]:
    """A task for every file but the label files, none held out."""
    for source in input_files.walk(settings.input):
        if source.name not in labels.files:
            task = _task(source, settings, labels)
            yield task if neutrals is None else _as_pair(task, neutrals)


def _task(source: Source, settings: CropSettings, labels: Labels) -> Task:
    label = labels.by_name.get(emotions.fold(source.file_name))
    emotion, left_out = _emotion(source, label, settings, expect_label=bool(labels.by_name))
    if not left_out and emotion not in settings.emotions:
        left_out = "emotion not asked for"
    match = re.search(settings.person_pattern, source.file_name)
    person = match[1] if match else ""
    return Task(
        source,
        emotion,
        votes=label.votes if label else (),
        box=label.box if label else None,
        person=person,
        left_out=source.problem or left_out,
    )


def _neutrals(root: str) -> dict[str, Source]:
    """The neutral photos by what names them apart from their emotion. Raises `UserError` where there is none."""
    neutrals = {
        _name_in_pair(source): source for source in input_files.walk(root) if _emotion_of_path(source) == "neutral"
    }
    if not neutrals:
        raise UserError(f"--pairs needs a folder of neutral photos in {root}, named as those with an emotion")
    return neutrals


def _as_pair(task: Task, neutrals: Mapping[str, Source]) -> Task:
    """The task with the neutral photo of the same name, left out where there is none."""
    name = _name_in_pair(task.source)
    neutral = neutrals.get(name)
    if not neutral:
        return replace(task, left_out=task.left_out or "no neutral photo of the same name")
    return replace(task, neutral=neutral, name=name)


def _name_in_pair(source: Source) -> str:
    """What all photos of one person, pose and light share: the path without the emotion's folder, and no suffix."""
    folders = [folder for folder in source.folders if not aihub.emotion_of(folder)]
    return "/".join([*folders, source.file_name.rsplit(".", 1)[0]])


def _emotion(source: Source, label: aihub.Label | None, settings: CropSettings, expect_label: bool) -> tuple[str, str]:
    """The emotion a file belongs to, and why it is left out ("" if it is not)."""
    if expect_label and settings.min_agreement:
        if label is None:
            return "", "no label record"
        agreed = label.agreed(settings.min_agreement)
        return (agreed, "") if agreed else ("", "annotators disagree")
    emotion = (label and label.agreed(0)) or _emotion_of_path(source)
    return (emotion, "") if emotion else ("", "no emotion in its path")


def _emotion_of_path(source: Source) -> str:
    """The emotion of the outermost folder that is named after one, else of one whose name speaks of one."""
    folders = [re.sub(r"\.zip$", "", folder, flags=re.IGNORECASE) for folder in source.folders]
    for reading in (aihub.emotion_of, aihub.emotion_in):
        for folder in folders:
            if emotion := reading(folder):
                return emotion
    return ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fraction(text: str) -> float:
    """A number in [0, 1) that `text` alone decides, evenly spread over texts."""
    return int(_hash(text), 16) / 16**16
