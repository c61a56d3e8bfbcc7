"""What the page does for this child, and when an expression counts as mastered."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from apps.desk.words import emotion_word, word
from apps.learned_feedback import LEVELS
from apps.record.entries import Child, Goal, Settings
from apps.record.store import PseudonymTaken, Record
from common import emotions

STRENGTHS = (0.5, 0.75, 1.0)


def show(record: Record, child: Child) -> None:
    """The tab."""
    with st.form("child-settings", border=False):
        name = st.text_input(word("pseudonym"), child.pseudonym, max_chars=30)
        settings = _ask_for_settings(child.settings)
        goal = _ask_for_goal(child.goal)
        pressed = st.form_submit_button(word("keep"), type="primary")
    if not pressed:
        return
    try:
        new_settings, new_goal = settings(), Goal(**goal)
    except ValueError:
        st.error(word("badSettings"))
        return
    try:
        record.change(child.id, pseudonym=name, settings=new_settings, goal=new_goal)
    except PseudonymTaken:
        st.error(word("takenPseudonym"))
    except ValueError:
        st.error(word("badPseudonym"))
    else:
        st.session_state["said"] = word("kept")
        st.rerun()


def _ask_for_settings(now: Settings) -> Callable[[], Settings]:
    """The answers; what is given back checks them and raises `ValueError`."""
    order = st.multiselect(word("emotionsOrder"), emotions.FIVE, now.emotions, format_func=emotion_word)
    left, right = st.columns(2)
    with left:
        level = st.segmented_control(word("level"), LEVELS, default=now.level, required=True, format_func=word)
        hold = st.number_input(word("hold"), 0.5, 30.0, now.hold, 0.5)
        strength = st.segmented_control(
            word("strength"),
            STRENGTHS,
            default=min(STRENGTHS, key=lambda each: abs(each - now.strength)),
            required=True,
            format_func="{:.0%}".format,
        )
    with right:
        tries = st.number_input(word("triesEach"), 1, 20, now.tries)
        minutes = st.number_input(word("minutes"), 0, 120, now.minutes, 5)
        sound = st.toggle(word("sound"), now.sound)
        spoken = st.toggle(word("spoken"), now.spoken)
        breaks = st.toggle(word("breakButton"), now.break_button)
        easing = st.toggle(word("easing"), now.easing)
    return lambda: Settings(tuple(order), level, hold, tries, minutes, strength, sound, spoken, breaks, easing)


def _ask_for_goal(now: Goal) -> dict[str, int]:
    st.write(word("goal", **vars(now)))
    names = {"right": "goalRight", "of": "goalOf", "sessions": "goalSessions"}
    columns = st.columns(len(names))
    return {
        name: column.number_input(word(label), 1, 20, getattr(now, name))
        for (name, label), column in zip(names.items(), columns, strict=True)
    }
