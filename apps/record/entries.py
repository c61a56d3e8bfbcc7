"""What a record holds of a child: a pseudonym, settings, consent, sessions. No picture, no name, no face data.

All are checked when they are made and raise `ValueError`; FastAPI and pydantic read them from JSON as they are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from apps.learned_feedback import LEVELS, USUAL_LEVEL
from common import emotions

PSEUDONYM = re.compile(r"\w[\w -]{0,29}")
ID = re.compile(r"[\w-]{1,40}", re.ASCII)
FIRST_ORDER = ("happy", "sadness", "surprised", "angry", "fearful")  # in the order they are best learned in
WHO = ("parent", "guardian", "self")  # who may agree
WHAT = ("attempts", "guesses", "notes")  # to what
LONGEST = timedelta(days=732)  # a consent lasts; then it is asked for anew, or the record goes
DAY = 86_400.0  # seconds
MOST = 1000  # attempts, and guesses, of a session
TEXT = 500  # characters of a note


def _check(whether: bool, what: str) -> None:
    if not whether:
        raise ValueError(what)


def pseudonym_of(text: str) -> str:
    """`text` as a pseudonym: letters of any script, digits, blanks and hyphens, at most 30."""
    name = unicodedata.normalize("NFC", text).strip()
    _check(PSEUDONYM.fullmatch(name) is not None, f"{text!r} is no pseudonym: use up to 30 letters, digits and blanks")
    return name


@dataclass(frozen=True)
class Settings:
    """What the page does for this child."""

    emotions: tuple[str, ...] = FIRST_ORDER  # those practised, in this order
    level: str = USUAL_LEVEL
    hold: float = 2.0  # seconds
    tries: int = 3  # for each emotion
    minutes: int = 10  # of a session; 0: no limit
    strength: float = 1.0  # of the emotions in the pictures, in (0, 1]
    sound: bool = True
    spoken: bool = False  # words are said aloud
    break_button: bool = True
    easing: bool = True  # less is asked of an emotion after a try that came to nothing

    def __post_init__(self) -> None:
        chosen = self.emotions
        _check(bool(chosen) and len(set(chosen)) == len(chosen) and set(chosen) <= set(emotions.FIVE), f"{chosen=}")
        _check(self.level in LEVELS, f"level is {self.level!r}")
        _check(0.5 <= self.hold <= 30, f"hold is {self.hold!r}")
        _check(1 <= self.tries <= 20, f"tries is {self.tries!r}")
        _check(0 <= self.minutes <= 120, f"minutes is {self.minutes!r}")
        _check(0 < self.strength <= 1, f"strength is {self.strength!r}")


@dataclass(frozen=True)
class Goal:
    """When an emotion counts as mastered: `right` of the last `of` attempts reached, in so many sessions running."""

    right: int = 4
    of: int = 5
    sessions: int = 3

    def __post_init__(self) -> None:
        _check(1 <= self.right <= self.of <= 50, f"right and of are {self.right!r} and {self.of!r}")
        _check(1 <= self.sessions <= 20, f"sessions is {self.sessions!r}")


@dataclass(frozen=True)
class Consent:
    """Who agreed, when, to what, until which day it is kept; the record goes by itself on the day after."""

    who: str
    given: datetime
    until: date
    what: tuple[str, ...] = WHAT
    child_agreed: bool = False  # the child, as far as it can, too

    def __post_init__(self) -> None:
        _check(self.who in WHO, f"who is {self.who!r}")
        _check(bool(self.what) and set(self.what) <= set(WHAT), f"what is {self.what!r}")
        _check(self.given.tzinfo is not None, "given has no time zone")
        _check(timedelta(0) <= self.until - self.given.date() <= LONGEST, f"until is {self.until}: at most two years")


@dataclass(frozen=True)
class Child:
    """One child of the record. `id` can't be guessed, and is never used again."""

    id: str
    pseudonym: str
    settings: Settings
    goal: Goal
    consent: Consent  # the one that holds


@dataclass(frozen=True)
class Attempt:
    """One attempt at an expression. Sent again with the same `id` it replaces the one before, unless it is older."""

    id: str
    began: datetime
    emotion: str
    level: str
    hold: float  # seconds it had to be held
    best: float  # the highest the meter rose, in [0, 1]
    reached: bool
    seconds: float  # it lasted
    seconds_to_reach: float | None = None  # from its start to the expression that was then held
    hints: int = 0  # given

    def __post_init__(self) -> None:
        _check_entry(self.id, self.began, self.emotion)
        _check(self.level in LEVELS, f"level is {self.level!r}")
        _check(0 <= self.best <= 1, f"best is {self.best!r}")
        for name in ("hold", "seconds", "hints"):
            _check(0 <= getattr(self, name) <= DAY, f"{name} is {getattr(self, name)!r}")
        time = self.seconds_to_reach
        _check(time is None or (self.reached and 0 <= time <= DAY), f"{self.reached=}, seconds_to_reach is {time!r}")


@dataclass(frozen=True)
class Guess:
    """One face of the guessing game, and what was chosen, in order, until it was named or left."""

    id: str
    began: datetime
    emotion: str  # shown
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_entry(self.id, self.began, self.emotion)
        _check(len(self.choices) <= 20 and set(self.choices) <= set(emotions.FIVE), f"choices are {self.choices!r}")

    @property
    def right(self) -> bool:
        """Whether it was known at first sight."""
        return self.choices[:1] == (self.emotion,)


def _check_entry(number: str, began: datetime, emotion: str) -> None:
    _check(ID.fullmatch(number) is not None, f"id is {number!r}")
    _check(began.tzinfo is not None, "began has no time zone")
    _check(emotion in emotions.FIVE, f"emotion is {emotion!r}")


@dataclass(frozen=True)
class Session:
    """One visit of a child, its attempts and guesses oldest first."""

    id: str
    began: datetime
    attempts: tuple[Attempt, ...] = ()
    guesses: tuple[Guess, ...] = ()

    def __post_init__(self) -> None:
        _check(ID.fullmatch(self.id) is not None, f"id is {self.id!r}")
        _check(self.began.tzinfo is not None, "began has no time zone")
        for entries in (self.attempts, self.guesses):
            _check(len(entries) <= MOST, f"{len(entries)} attempts or guesses in a session")


@dataclass(frozen=True)
class Mark:
    """An adult's words at a day: a note, or with `phase` the beginning of a phase (baseline, training, at home)."""

    day: date
    text: str
    phase: bool = False
    id: str = field(default="")  # the record gives one

    def __post_init__(self) -> None:
        _check(0 < len(self.text) <= TEXT, f"a note has 1 to {TEXT} characters")
