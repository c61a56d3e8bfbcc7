"""기록: what was practised in this browser session, as numbers and charts. It is kept nowhere unless saved."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from apps.emokids import history_page, look
from apps.emokids.practice import Practice
from apps.emokids.words import adults_word, word

# As the symbols' soft colours, strong enough for a mark on white and on the dark page.
COLOURS = {
    "angry": "#c2573c",
    "fearful": "#9470b5",
    "happy": "#a77a00",
    "sadness": "#4f85bf",
    "surprised": "#c4661a",
}


def show() -> None:
    """The page."""
    look.title(word("recordPage"))
    st.write(word("recordText"))
    live = st.session_state.get("live")
    practice: Practice = live.practice if live else Practice()
    if practice.entries:
        show_practice(practice)
    else:
        st.info(word("nothingYet"))
    history_page.show(practice)


def show_practice(practice: Practice) -> None:
    """This session's table and charts."""
    attempts = table(practice)
    st.table(summary(attempts), hide_index=True)
    st.header(word("bestOverTime"), anchor=False)
    st.altair_chart(chart(attempts, word("attempt"), word("bestScore"), alt.Scale(domain=[0, 100])))
    reached = attempts.dropna()
    if not reached.empty:
        st.header(word("timeToReach"), anchor=False)
        st.altair_chart(chart(reached, word("attempt"), word("timeToReach"), alt.Scale(zero=True)))
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
            adults_word(entry.attempt.emotion),
            entry.began.strftime("%H:%M:%S"),
            round(100 * entry.attempt.best),
            entry.attempt.seconds_to_reach,
        )
        for number, entry in enumerate(practice.entries, 1)
    ]
    columns = [word("attempt"), "name", word("emotion"), word("time"), word("bestScore"), word("timeToReach")]
    return pd.DataFrame(rows, columns=columns)


def summary(attempts: pd.DataFrame) -> pd.DataFrame:
    """A row for each emotion that was tried, as text."""
    by_emotion = attempts.groupby(word("emotion"), sort=False)
    reached = by_emotion[word("timeToReach")]
    return pd.DataFrame(
        {
            word("attempts"): by_emotion.size(),
            word("reachedTimes"): reached.count(),
            word("fastest"): [f"{seconds:.1f}" if seconds == seconds else "–" for seconds in reached.min()],
            word("bestScore"): by_emotion[word("bestScore")].max(),
        }
    ).reset_index()


def chart(attempts: pd.DataFrame, over: str, value: str, scale: alt.Scale) -> alt.Chart:
    """A value over attempts or days, a line for each emotion; the column "name" holds the emotion's name."""
    names = list(attempts["name"].unique())
    colours = alt.Scale(domain=[adults_word(name) for name in names], range=[COLOURS[name] for name in names])
    legend = alt.Legend(orient="top", columns=2, title=None)  # beside the chart it leaves no room on a phone
    two_lines = "[slice(datum.label, 0, 4), slice(datum.label, 5)]"  # of a date: the year, month and day
    axis = alt.Axis(labelAngle=0, labelExpr=two_lines, labelOverlap=True, labelSeparation=8)
    return (
        alt.Chart(attempts.drop(columns="name"))
        .mark_line(point=alt.OverlayMarkDef(size=90), strokeWidth=2)
        .encode(
            x=alt.X(over, type="ordinal", axis=axis),
            y=alt.Y(value, type="quantitative", scale=scale, title=None),
            color=alt.Color(word("emotion"), type="nominal", scale=colours, legend=legend),
            shape=alt.Shape(word("emotion"), type="nominal", legend=legend),
            tooltip=[column for column in attempts.columns if column != "name"],
        )
        .properties(height=420)
    )
