"""What a child's sessions add up to: each emotion by session or week, whether it is mastered, and all of it as CSV."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from statistics import median

from apps.record.entries import Attempt, Goal, Guess, Mark, Session

COLUMNS = (
    "kind", "session", "began", "emotion", "level", "hold", "best", "reached", "seconds", "seconds_to_reach", "hints",
    "choices",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """An emotion's attempts of one session or week."""

    emotion: str
    number: int  # of the session or week, from 1
    day: date  # of the session; of a week, its Monday
    attempts: int
    reached: int
    best: float  # the highest meter, in [0, 1]
    seconds: float | None  # median of the times to reach it
    level: str  # of the last attempt

    @property
    def rate(self) -> float:
        """Share of the attempts that reached it, in [0, 1]."""
        return self.reached / self.attempts


def day_of(time: datetime) -> date:
    """The day of a time where this machine stands."""
    return time.astimezone().date()


def between(sessions: Iterable[Session], first: date, last: date) -> list[Session]:
    """The sessions of these days, both among them."""
    return [session for session in sessions if first <= day_of(session.began) <= last]


def points(sessions: Sequence[Session], weekly: bool = False) -> list[Point]:
    """A point for each emotion in each session or week, oldest first; emotions in the order they were first tried."""
    groups: dict[tuple[int, date, str], list[Attempt]] = {}
    for number, day, session in numbered(sessions, weekly):
        for attempt in session.attempts:
            groups.setdefault((number, day, attempt.emotion), []).append(attempt)
    return [_point(number, day, attempts) for (number, day, _), attempts in groups.items()]


def numbered(sessions: Sequence[Session], weekly: bool = False) -> list[tuple[int, date, Session]]:
    """Each session with its number, or that of its week, from 1, and the day of the session or its week's Monday."""
    days = [day_of(session.began) for session in sessions]
    if not weekly:
        return list(zip(itertools.count(1), days, sessions))
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return [(1 + (monday - mondays[0]).days // 7, monday, each) for monday, each in zip(mondays, sessions, strict=True)]


def phase_begins(sessions: Sequence[Session], marks: Iterable[Mark], weekly: bool = False) -> list[tuple[int, str]]:
    """The number of the session or week that each phase begins with, and its name; not of one that began before."""
    first = day_of(sessions[0].began)
    begins = []
    for mark in (mark for mark in marks if mark.phase and mark.day >= first):
        later = [number for number, _, each in numbered(sessions, weekly) if day_of(each.began) >= mark.day]
        begins += [(later[0], mark.text)] if later else []
    return begins


def _point(number: int, day: date, attempts: Sequence[Attempt]) -> Point:
    times = [attempt.seconds_to_reach for attempt in attempts if attempt.seconds_to_reach is not None]
    return Point(
        attempts[0].emotion,
        number,
        day,
        len(attempts),
        sum(attempt.reached for attempt in attempts),
        max(attempt.best for attempt in attempts),
        median(times) if times else None,
        attempts[-1].level,
    )


def phases(sessions: Sequence[Session], marks: Iterable[Mark]) -> list[tuple[str, list[Session]]]:
    """Sessions by the phase they lie in, oldest first; those before the first phase are under ""."""
    begins = [(date.min, ""), *sorted((mark.day, mark.text) for mark in marks if mark.phase)]
    ends = [*(day for day, _ in begins[1:]), date.max]
    split = [
        (name, [session for session in sessions if first <= day_of(session.began) < end])
        for (first, name), end in zip(begins, ends, strict=True)
    ]
    return [(name, own) for name, own in split if own]


def confusions(sessions: Iterable[Session]) -> dict[str, Counter[str]]:
    """Of each emotion shown in the guessing game, how often each was chosen first."""
    found: dict[str, Counter[str]] = {}
    for guess in (guess for session in sessions for guess in session.guesses if guess.choices):
        found.setdefault(guess.emotion, Counter())[guess.choices[0]] += 1
    return found


@dataclass(frozen=True)
class Mastery:
    """How far an emotion is on the way to the goal, at the level that was practised last."""

    level: str
    running: int  # sessions in which the goal was met, up to the last
    day: date | None  # when it was met for the number of sessions asked; it stays so


def mastery(sessions: Sequence[Session], emotion: str, goal: Goal) -> Mastery | None:
    """None where the emotion was not tried.

    A session meets the goal when at its end `goal.right` of the last `goal.of` attempts, those of sessions before
    among them, reached the emotion. Only attempts at the present level count: a higher one begins anew.
    """
    tried = [(session, [each for each in session.attempts if each.emotion == emotion]) for session in sessions]
    tried = [(session, attempts) for session, attempts in tried if attempts]
    if not tried:
        return None
    level = tried[-1][1][-1].level
    window: list[bool] = []
    running, day = 0, None
    for session, attempts in tried:
        own = [attempt.reached for attempt in attempts if attempt.level == level]
        if not own:
            continue
        window = [*window, *own][-goal.of :]
        running = running + 1 if len(window) == goal.of and sum(window) >= goal.right else 0
        if day is None and running >= goal.sessions:
            day = day_of(session.began)
    return Mastery(level, running, day)


def to_csv(sessions: Sequence[Session]) -> bytes:
    """Every attempt and guess, a row each, in UTF-8 with the mark by which Excel knows it; times are local."""
    file = StringIO()
    table = csv.DictWriter(file, COLUMNS)
    table.writeheader()
    for number, session in enumerate(sessions, 1):
        entries: list[Attempt | Guess] = [*session.attempts, *session.guesses]
        for entry in sorted(entries, key=lambda each: each.began):
            row = {name: getattr(entry, name, "") for name in COLUMNS}
            row |= {"kind": type(entry).__name__.lower(), "session": number}
            row |= {"began": entry.began.astimezone().isoformat(timespec="seconds")}
            row |= {"reached": int(entry.reached) if isinstance(entry, Attempt) else ""}
            row |= {"choices": "" if isinstance(entry, Attempt) else " ".join(entry.choices)}
            table.writerow(row)
    return file.getvalue().encode("utf-8-sig")
