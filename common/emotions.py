"""The vocabulary: each emotion's folder name, aliases, Korean words and judge class."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Emotion:
    """One row of the vocabulary."""

    name: str  # canonical folder and domain name
    english: str  # the word shown in English
    korean: str  # the word shown in Korean
    judge_class: str  # class name in AffectNet-7 order of `enet_b2_7`
    aliases: tuple[str, ...]  # other folder names with the same meaning


EMOTIONS: dict[str, Emotion] = {
    e.name: e
    for e in (
        Emotion("angry", "angry", "분노", "Anger", ("anger", "분노")),
        Emotion("fearful", "fearful", "공포", "Fear", ("fear", "불안", "공포")),
        Emotion("happy", "happy", "기쁨", "Happiness", ("happiness", "joy", "기쁨")),
        Emotion("sadness", "sad", "슬픔", "Sadness", ("sad", "슬픔")),
        Emotion("surprised", "surprised", "놀람", "Surprise", ("surprise", "당황", "놀람")),
        Emotion("neutral", "neutral", "중립", "Neutral", ("중립",)),
    )
}

# The five the project trains on, in label order (sorted folder names).
FIVE: tuple[str, ...] = ("angry", "fearful", "happy", "sadness", "surprised")

# Class order of the `enet_b2_7` judge (AffectNet-7).
JUDGE_CLASSES: tuple[str, ...] = ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")

ORIGINAL_KOREAN = "원본"


def fold(text: str) -> str:
    """`text` in the one form names are compared in: NFC (macOS writes Korean decomposed), no case."""
    return unicodedata.normalize("NFC", text).strip().casefold()


_BY_ALIAS: dict[str, str] = {fold(alias): e.name for e in EMOTIONS.values() for alias in (e.name, *e.aliases)}


def canonical(folder_name: str) -> str | None:
    """The canonical emotion that `folder_name` means, or None for a word the project does not know."""
    return _BY_ALIAS.get(fold(folder_name))
