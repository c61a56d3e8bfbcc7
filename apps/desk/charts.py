"""A measure of each emotion over sessions or weeks, with lines where a phase begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import streamlit as st

from apps.desk.words import emotion_word, word
from apps.learned_feedback import LEVELS
from apps.record.entries import Mark
from apps.record.progress import Point
from common import emotions

# As the symbols' soft colours, strong enough for a mark on white and on the dark page; a shape of its own for each.
COLOURS = {
    "angry": "#c2573c",
    "fearful": "#9470b5",
    "happy": "#a77a00",
    "sadness": "#4f85bf",
    "surprised": "#3f8f5f",
}
SHAPES = {"angry": "square", "fearful": "diamond", "happy": "circle", "sadness": "triangle-down", "surprised": "cross"}
HEIGHT = 320  # pixels
INK = {"light": "#23343a", "dark": "#eef1ec"}

MEASURES: dict[str, Callable[[Point], float | None]] = {
    "rate": lambda point: round(100 * point.rate),
    "best": lambda point: round(100 * point.best),
    "seconds": lambda point: point.seconds,
    "level": lambda point: LEVELS.index(point.level),
}


def over_time(points: Sequence[Point], marks: Sequence[Mark], measure: str, english: bool) -> alt.LayerChart:
    """The chart of one of `MEASURES`."""
    rows = [
        {"day": str(point.day), "emotion": emotion_word(point.emotion), "value": MEASURES[measure](point)}
        for point in points
    ]
    names = [name for name in emotions.FIVE if any(point.emotion == name for point in points)]
    labels = [emotion_word(name) for name in names]
    base = alt.Chart(alt.Data(values=[row for row in rows if row["value"] is not None])).encode(
        x=alt.X("day:T", title=None, axis=alt.Axis(format="%b %d" if english else "%-m/%-d", labelOverlap=True)),
        y=_axis(measure),
        color=alt.Color(
            "emotion:N", title=None, scale=alt.Scale(domain=labels, range=[COLOURS[name] for name in names])
        ),
        shape=alt.Shape(
            "emotion:N", title=None, scale=alt.Scale(domain=labels, range=[SHAPES[name] for name in names])
        ),
        tooltip=[
            alt.Tooltip("day:T", title=word("day")),
            alt.Tooltip("emotion:N", title=word("emotion")),
            alt.Tooltip("value:Q", title=word(measure)),
        ],
    )
    layers = [base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=70), *_phase_lines(points, marks)]
    chart = alt.layer(*layers).properties(height=HEIGHT)
    ink = INK[st.context.theme.type or "light"]
    return chart.configure_legend(orient="bottom", columns=3, labelColor=ink).configure_axis(labelColor=ink)


def _axis(measure: str) -> alt.Y:
    scales: dict[str, Any] = {
        "rate": {"scale": alt.Scale(domain=[0, 100])},
        "best": {"scale": alt.Scale(domain=[0, 100])},
        "seconds": {"scale": alt.Scale(zero=True)},
    }
    if measure != "level":
        return alt.Y("value:Q", title=None, **scales[measure])
    names = " : ".join(f"datum.value == {number} ? '{word(level)}'" for number, level in enumerate(LEVELS))
    axis = alt.Axis(values=list(range(len(LEVELS))), labelExpr=f"{names} : ''")
    return alt.Y("value:Q", title=None, scale=alt.Scale(domain=[-0.5, len(LEVELS) - 0.5]), axis=axis)


def _phase_lines(points: Sequence[Point], marks: Sequence[Mark]) -> list[alt.Chart]:
    """A dashed line and its words at each phase that begins within the chart."""
    first, last = min(point.day for point in points), max(point.day for point in points)
    rows = [{"day": str(mark.day), "text": mark.text} for mark in marks if mark.phase and first <= mark.day <= last]
    if not rows:
        return []
    lines = alt.Chart(alt.Data(values=rows)).encode(x="day:T")
    words = lines.mark_text(
        align="left", dy=-6, baseline="bottom", fontSize=13, limit=160, color=INK[st.context.theme.type or "light"]
    )
    return [
        lines.mark_rule(strokeDash=[6, 4], strokeWidth=2, color="#7a8d8f"),
        words.encode(text="text:N", y=alt.value(0)),
    ]
