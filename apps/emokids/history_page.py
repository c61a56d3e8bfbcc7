"""The part of the record page that keeps records over several days, for therapists who ask for it."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from apps.emokids import history, therapist_page
from apps.emokids.practice import Practice
from apps.emokids.words import adults_word, word


def show(practice: Practice) -> None:
    """Closed until somebody opens it."""
    with st.expander(word("severalDays")):
        st.write(word("severalDaysText", folder=history.FOLDER))
        try:
            if practice.entries:
                ask_to_keep(practice)
            if history.pseudonyms(history.FOLDER):
                look_at_one()
        except (OSError, ValueError) as error:
            st.info(word("recordTrouble", why=error))


def ask_to_keep(practice: Practice) -> None:
    """A pseudonym, and today's record goes to its file."""
    name = st.text_input(word("pseudonym"), key="pseudonym", max_chars=30).strip()
    if st.button(word("keepRecord"), key="keep-history"):
        if history.is_pseudonym(name):
            history.keep(name, practice, history.FOLDER)
            st.success(word("keptRecord", name=name))
        else:
            st.info(word("badPseudonym"))


def look_at_one() -> None:
    """A kept record: its days side by side, and the way to delete it."""
    name = st.selectbox(
        word("loadRecord"), history.pseudonyms(history.FOLDER), index=None, key="history", placeholder=word("noRecord")
    )
    if not name:
        return
    days = best_of_days(history.load(name, history.FOLDER))
    st.table(days.drop(columns="name"), hide_index=True)
    st.header(word("compareDays"), anchor=False)
    scale = alt.Scale(domain=[0, 100])
    st.altair_chart(therapist_page.chart(days, word("session"), word("bestScore"), scale))
    with st.popover(word("deleteRecord", name=name)):
        if st.button(word("deleteSure"), key="delete-history"):
            history.delete(name, history.FOLDER)
            st.session_state.pop("history", None)
            st.rerun()


def best_of_days(rows: list[dict[str, str]]) -> pd.DataFrame:
    """A row for each day and emotion: attempts, how many reached it, the best score and the shortest time."""
    attempts = pd.DataFrame(rows)
    attempts["day"] = attempts["began"].str[:10]
    attempts["best"] = (100 * attempts["best_score"].astype(float)).round().astype(int)
    attempts["reached"] = pd.to_numeric(attempts["seconds_to_reach"], errors="coerce")
    groups = attempts.groupby(["day", "emotion"], sort=False)
    days = groups.agg(attempts=("best", "size"), reached=("reached", "count"), best=("best", "max")).reset_index()
    days["word"] = [adults_word(name) for name in days["emotion"]]
    return days[["day", "emotion", "word", "attempts", "reached", "best"]].rename(
        columns={
            "day": word("session"),
            "emotion": "name",
            "word": word("emotion"),
            "attempts": word("attempts"),
            "reached": word("reachedTimes"),
            "best": word("bestScore"),
        }
    )
