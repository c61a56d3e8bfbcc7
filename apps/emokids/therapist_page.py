"""치료사: what was practised in this browser session, as numbers and charts. It is kept nowhere unless saved."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from apps.emokids import look
from apps.emokids.practice import Practice
from apps.emokids.words import emotion_word, word

# As the symbols' soft colours, dark enough for a mark on white.
COLOURS = {
    "angry": "#b5492f",
    "fearful": "#7a559c",
    "happy": "#a77a00",
    "sadness": "#3a6ea5",
    "surprised": "#c4661a",
}


def show() -> None:
    """The page."""
    look.title(word("therapistPage"))
    st.write(word("therapistText"))
    live = st.session_state.get("live")
    if live is None or not live.practice.entries:
        st.info(word("nothingYet"))
        return
    practice: Practice = live.practice
    attempts = table(practice)
    st.dataframe(summary(attempts), hide_index=True, placeholder="–")
    st.subheader(word("bestOverTime"))
    st.altair_chart(chart(attempts, word("bestScore"), alt.Scale(domain=[0, 100])))
    reached = attempts.dropna()
    if not reached.empty:
        st.subheader(word("timeToReach"))
        st.altair_chart(chart(reached, word("timeToReach"), alt.Scale(zero=True)))
    save, forget, _ = st.columns((1, 1, 2))
    save.download_button(
        word("saveCsv"), practice.csv, "emokids.csv", "text/csv", on_click="ignore", type="primary", width="stretch"
    )
    if forget.button(word("forget"), width="stretch"):
        practice.clear()
        st.rerun()


def table(practice: Practice) -> pd.DataFrame:
    """A row for each attempt, in the visitor's language."""
    rows = [
        (
            number,
            entry.attempt.emotion,
            emotion_word(entry.attempt.emotion),
            entry.began.strftime("%H:%M:%S"),
            round(100 * entry.attempt.best),
            entry.attempt.seconds_to_reach,
        )
        for number, entry in enumerate(practice.entries, 1)
    ]
    columns = [word("attempt"), "name", word("emotion"), word("time"), word("bestScore"), word("timeToReach")]
    return pd.DataFrame(rows, columns=columns)


def summary(attempts: pd.DataFrame) -> pd.DataFrame:
    """A row for each emotion that was tried."""
    by_emotion = attempts.groupby(word("emotion"), sort=False)
    reached = by_emotion[word("timeToReach")]
    return pd.DataFrame(
        {
            word("attempts"): by_emotion.size(),
            word("reachedTimes"): reached.count(),
            word("fastest"): reached.min().round(1),
            word("bestScore"): by_emotion[word("bestScore")].max(),
        }
    ).reset_index()


def chart(attempts: pd.DataFrame, value: str, scale: alt.Scale) -> alt.Chart:
    """A value of each attempt in order, a line for each emotion."""
    names = list(attempts["name"].unique())
    colours = alt.Scale(domain=[emotion_word(name) for name in names], range=[COLOURS[name] for name in names])
    return (
        alt.Chart(attempts)
        .mark_line(point=alt.OverlayMarkDef(size=90), strokeWidth=2)
        .encode(
            x=alt.X(word("attempt"), type="ordinal", axis=alt.Axis(labelAngle=0)),
            y=alt.Y(value, type="quantitative", scale=scale),
            color=alt.Color(word("emotion"), type="nominal", scale=colours),
            shape=alt.Shape(word("emotion"), type="nominal"),
            tooltip=[word("emotion"), word("time"), word("bestScore"), word("timeToReach")],
        )
    )
