"""어른: what an adult sets before the child plays, and which model makes the faces."""

from __future__ import annotations

from typing import Any

import streamlit as st

from apps.emokids import look
from apps.emokids.settings import HOLD_SECONDS, MINUTES, ROUNDS, STRENGTHS, change, settings
from apps.emokids.studio import studio
from apps.emokids.words import word
from apps.learned_feedback import LEVELS, WEIGHTS
from common import emotions
from common.errors import UserError


def show() -> None:
    """The page."""
    look.title(word("settingsTitle"))
    st.write(word("settingsText"))
    ask_for_order()
    chosen = settings()
    choose("difficulty", word("difficulty"), LEVELS, word)
    explain_levels()
    choose("hold_seconds", word("hold"), HOLD_SECONDS, lambda number: word("seconds", number=f"{number:g}"))
    choose("rounds", word("rounds"), ROUNDS, lambda number: word("times", number=number))
    choose("minutes", word("minutes"), MINUTES, minutes_word)
    choose("strength", word("strengthFirst"), STRENGTHS, word)
    switch("break_button", word("breakButton"), chosen.break_button)
    switch("spoken", word("sound"), chosen.spoken)
    show_model()


def explain_levels() -> None:
    """What each level of difficulty was measured to mean."""
    for level, figures in WEIGHTS.get("measured", {}).items():
        known = {"knownRight": figures["known"]["right"], "knownOther": figures["known"]["other"]}
        st.caption(f"{word(level)}: {word('levelMeaning', **figures['unknown'], **known)}")


def ask_for_order() -> None:
    """Which emotions, in which order; the last one can't be taken out."""

    def order_changed() -> None:
        if st.session_state["set-order"]:
            change(order=tuple(st.session_state["set-order"]))

    st.multiselect(
        word("whichEmotions"),
        emotions.FIVE,
        default=settings().order,
        format_func=word,
        key="set-order",
        help=word("orderHelp"),
        on_change=order_changed,
    )


def choose(name: str, label: str, options: tuple[Any, ...], words: Any) -> None:
    """One of a few."""
    st.segmented_control(
        label,
        options,
        default=getattr(settings(), name),
        required=True,
        format_func=words,
        key=f"set-{name}",
        on_change=lambda: change(**{name: st.session_state[f"set-{name}"]}),
    )


def switch(name: str, label: str, value: bool) -> None:
    """Yes or no."""
    st.toggle(
        label, value, key=f"set-{name}", on_change=lambda: change(**{name: bool(st.session_state[f"set-{name}"])})
    )


def minutes_word(minutes: int) -> str:
    """A session's length in words."""
    return word("minutesOf", number=minutes) if minutes else word("noLimit")


def show_model() -> None:
    """Which generator is used and what it learned from."""
    st.header(word("model"), anchor=False)
    try:
        choice = studio().choice
    except UserError as error:
        st.info(f"{word('modelnone')}\n\n`{error}`")
        return
    st.write(f"{word('model' + choice.origin)}, {word(choice.trained_on)}: `{choice.path}`")
    if choice.trained_on == "rendered":
        st.write(word("renderedText"))
    if choice.trained_on == "drawn":
        switch("photos_anyway", word("photosAnyway"), settings().photos_anyway)
