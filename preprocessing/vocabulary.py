"""The words of a data set and the emotions they mean: the project's own, a few beyond them, and what --map says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from common import emotions
from common.errors import UserError
from preprocessing import aihub

# Emotions of other data sets that can be asked for, though no part of the project but preprocessing knows them.
FURTHER = {
    "contempt": ("contempt", "contemptuous", "경멸"),
    "disgust": ("disgust", "disgusted", "혐오"),
}
_FURTHER = {emotions.fold(word): name for name, words in FURTHER.items() for word in words}


@dataclass(frozen=True)
class Vocabulary:
    """What words mean: `mapped` holds pairs of a folded word and an emotion, and goes before everything else."""

    mapped: tuple[tuple[str, str], ...] = ()

    def emotion_of(self, word: str) -> str | None:
        """The emotion that `word` means, None where it is not known."""
        folded = emotions.fold(word)
        return dict(self.mapped).get(folded) or aihub.emotion_of(word) or _FURTHER.get(folded)

    def emotion_in(self, folder: str) -> str | None:
        """The one emotion a longer name speaks of, as in `[원천]EMOIMG_기쁨_TRAIN_01`; None for none or several."""
        named = {self.emotion_of(word) for word in re.split(r"[\W_]+", emotions.fold(folder))} - {None}
        return named.pop() if len(named) == 1 else None

    @property
    def words(self) -> list[str]:
        """Every word that is understood."""
        own = [alias for emotion in emotions.EMOTIONS.values() for alias in (emotion.name, *emotion.aliases)]
        further = [word for words in FURTHER.values() for word in words]
        return list(dict.fromkeys([word for word, _ in self.mapped] + own + further))


def read_map(pairs: Iterable[str]) -> Vocabulary:
    """The vocabulary with `--map WORD=EMOTION ...`; EMOTION may be any plain name. Raises `UserError`."""
    mapped: dict[str, str] = {}
    for pair in pairs:
        word, equals, name = pair.rpartition("=")
        if not (word.strip() and equals and re.fullmatch(r"\w[\w-]*", name.strip())):
            raise UserError(f"--map {pair} is not WORD=EMOTION, as in 4=happy or joie=happy")
        meaning = Vocabulary().emotion_of(name) or emotions.fold(name)
        if mapped.setdefault(emotions.fold(word), meaning) != meaning:
            raise UserError(f"--map says two things of {word}: {mapped[emotions.fold(word)]} and {meaning}")
    return Vocabulary(tuple(sorted(mapped.items())))


def read_emotions(words: Iterable[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The names of the emotions asked for, sorted. Raises `UserError` for a word that means none."""
    targets = {name for _, name in vocabulary.mapped}
    wanted = {
        word: folded if (folded := emotions.fold(word)) in targets else vocabulary.emotion_of(word) for word in words
    }
    if unknown := [word for word, name in wanted.items() if name is None]:
        known = ", ".join([*emotions.EMOTIONS, *FURTHER])
        raise UserError(f"--emotions {' '.join(unknown)} unknown: choose from {known}, or say --map WORD={unknown[0]}")
    return tuple(sorted({name for name in wanted.values() if name}))
