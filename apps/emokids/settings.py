"""What an adult has set, and the language: kept by the browser in a cookie, so that it is there the next time.

A cookie, because Streamlit hands it to the server with the visit; it holds nothing of a child.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from apps.learned_feedback import LEVELS, USUAL_LEVEL
from common import emotions

COOKIE = "emokids"
STATE = "settings"

FIRST_ORDER = ("happy", "sadness", "surprised", "angry", "fearful")  # in the order they are best learned in
HOLD_SECONDS = (1.0, 2.0, 3.0, 5.0)
ROUNDS = (1, 2, 3)
MINUTES = (5, 10, 15, 20, 0)  # 0: as long as one likes
STRENGTHS = ("little", "very")


@dataclass(frozen=True)
class Settings:
    """What the adult's page offers."""

    english: bool | None = None  # None: as the browser is set
    order: tuple[str, ...] = FIRST_ORDER  # which emotions, and in which order
    difficulty: str = USUAL_LEVEL
    hold_seconds: float = 2.0
    rounds: int = 1  # how often each emotion's turn comes
    minutes: int = 10  # after which no new turn begins
    break_button: bool = True
    spoken: bool = False  # hints are spoken, too
    strength: str = "very"  # strength of the emotions in the pictures
    photos_anyway: bool = False  # with a generator that was trained on drawings

    def __post_init__(self) -> None:
        allowed: dict[str, tuple[Any, ...]] = {
            "english": (None, True, False),
            "difficulty": LEVELS,
            "hold_seconds": HOLD_SECONDS,
            "rounds": ROUNDS,
            "minutes": MINUTES,
            "break_button": (True, False),
            "spoken": (True, False),
            "strength": STRENGTHS,
            "photos_anyway": (True, False),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} is {getattr(self, name)!r}")
        if not self.order or len(set(self.order)) < len(self.order) or set(self.order) - set(emotions.FIVE):
            raise ValueError(f"order is {self.order!r}")


def settings() -> Settings:
    """This visitor's settings."""
    if STATE not in st.session_state:
        st.session_state[STATE] = from_cookie(st.context.cookies.get(COOKIE, ""))
    return st.session_state[STATE]


def change(**values: Any) -> None:
    """Set some of them anew; the page that runs next tells the browser."""
    st.session_state[STATE] = replace(settings(), **values)


def to_cookie(chosen: Settings) -> str:
    """The cookie's value: ASCII without anything that ends it."""
    return quote(json.dumps(asdict(chosen)), safe="")


def from_cookie(cookie: str) -> Settings:
    """The settings of a cookie; the usual ones for one that is missing, damaged or of another version."""
    try:
        values = json.loads(unquote(cookie))
        known = {field.name: values[field.name] for field in fields(Settings) if field.name in values}
        return Settings(**{**known, "order": tuple(known.get("order", FIRST_ORDER))})
    except (ValueError, TypeError):
        return Settings()
