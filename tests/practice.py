"""Made-up children who practise for a month, for tests, benchmarks and pictures."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone

from apps.record.entries import FIRST_ORDER, Attempt, Consent, Guess, Session

START = datetime(2026, 3, 2, 15, 0, tzinfo=timezone.utc)  # a Monday
CONSENT = Consent("parent", START, date(2026, 9, 2), child_agreed=True)
DAYS = 30


def attempt(number, **changes):
    """One that reached its emotion, so many minutes after the start."""
    values = {"emotion": "happy", "level": "medium", "hold": 2.0, "best": 0.8, "reached": True, "seconds": 9.5}
    began = START + timedelta(minutes=number)
    return Attempt(**{"id": f"try-{number}", "began": began, **values, "seconds_to_reach": 4.2, "hints": 2, **changes})


def session(number=1, attempts=3):
    """One of a few attempts and a guess, so many days after the start."""
    first = 100 * number
    return Session(
        f"visit-{number}",
        START + timedelta(days=number),
        tuple(attempt(first + each) for each in range(attempts)),
        (Guess(f"guess-{number}", START, "fearful", ("surprised", "fearful")),),
    )


def month(seed, start=START):
    """The sessions of a child who gets better at each emotion, at happy first."""
    luck = random.Random(seed)
    sessions = []
    for day in range(DAYS):
        began = start + timedelta(days=day)
        if began.weekday() >= 5 or luck.random() < 0.3:
            continue
        tries = [
            _try(luck, f"{seed}-{day}-{place}-{each}", began + timedelta(seconds=40 * (3 * place + each)), day, place)
            for place in range(len(FIRST_ORDER))
            for each in range(3)
        ]
        guesses = [
            Guess(f"{seed}-{day}-{name}", began + timedelta(minutes=15), name, _choices(luck, name))
            for name in FIRST_ORDER
        ]
        sessions.append(Session(f"{seed}-{day}", began, tuple(tries), tuple(guesses)))
    return sessions


def _try(luck, number, began, day, place):
    reached = luck.random() < 0.3 + 0.6 * day / DAYS - 0.07 * place
    return Attempt(
        number,
        began,
        FIRST_ORDER[place],
        "easy" if day < 10 else "medium",
        2.0,
        round(luck.uniform(0.72, 1.0) if reached else luck.uniform(0.05, 0.68), 2),
        reached,
        round(luck.uniform(8, 25), 1),
        round(luck.uniform(1, 8), 1) if reached else None,
        luck.randint(0, 5),
    )


def _choices(luck, name):
    return (name,) if luck.random() < 0.6 else (luck.choice([other for other in FIRST_ORDER if other != name]), name)
