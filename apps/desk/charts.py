"""A measure of each emotion over sessions or weeks, with lines where a phase begins.

Sessions stand side by side, as single-case research draws them: two of one day lie apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import streamlit as st

from apps.desk.words import emotion_word, word
from apps.learned_feedback import LEVELS
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
BESIDE = 0.08  # of a level, between the emotions at it: none hides another
TIERS = 3  # of the phases' names: neighbours stand one above the other
INK = {"light": "#23343a", "dark": "#eef1ec"}

MEASURES: dict[str, Callable[[Point], float | None]] = {
    "rate": lambda point: round(100 * point.rate),
    "best": lambda point: round(100 * point.best),
    "seconds": lambda point: point.seconds,
    "level": lambda point: LEVELS.index(point.level) + BESIDE * (emotions.FIVE.index(point.emotion) - 2),
}


def over_time(points: Sequence[Point], phases: Sequence[tuple[int, str]], measure: str) -> alt.LayerChart:
    """The chart of one of `MEASURES`; `phases` are those of `progress.phase_begins`."""
    rows = [
        {
            "number": point.number,
            "day": str(point.day),
            "emotion": emotion_word(point.emotion),
            "value": value,
            "said": word(point.level) if measure == "level" else f"{value:g}",
        }
        for point in points
        if (value := MEASURES[measure](point)) is not None
    ]
    names = [name for name in emotions.FIVE if any(point.emotion == name for point in points)]
    labels = [emotion_word(name) for name in names]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=_days(points),
        y=_axis(measure),
        color=alt.Color(
            "emotion:N", title=None, scale=alt.Scale(domain=labels, range=[COLOURS[name] for name in names])
        ),
        shape=alt.Shape(
            "emotion:N", title=None, scale=alt.Scale(domain=labels, range=[SHAPES[name] for name in names])
        ),
        tooltip=[
            alt.Tooltip("day:N", title=word("day")),
            alt.Tooltip("emotion:N", title=word("emotion")),
            alt.Tooltip("said:N", title=word(measure)),
        ],
    )
    layers = [base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=70), *_phase_lines(phases)]
    chart = alt.layer(*layers).properties(height=HEIGHT)
    ink = INK[st.context.theme.type or "light"]
    return chart.configure_legend(orient="bottom", columns=3, labelColor=ink).configure_axis(labelColor=ink)


def _days(points: Sequence[Point]) -> alt.X:
    """Across: the numbers of the sessions or weeks, their days as labels."""
    days = {str(point.number): f"{point.day.month}/{point.day.day}" for point in points}
    last = max(point.number for point in points)
    axis = alt.Axis(
        values=list(range(1, last + 1)), labelExpr=f"({days})[datum.value] || ''", labelOverlap=True, labelSeparation=8
    )
    return alt.X("number:Q", title=None, axis=axis, scale=alt.Scale(domain=[0.5, last + 0.5], nice=False))


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


def _phase_lines(phases: Sequence[tuple[int, str]]) -> list[alt.Chart]:
    """A dashed line before the first session of each phase, and its name above."""
    if not phases:
        return []
    rows = [{"number": number - 0.5, "text": text, "tier": i % TIERS} for i, (number, text) in enumerate(phases)]
    lines = alt.Chart(alt.Data(values=rows)).encode(x="number:Q")
    words = lines.mark_text(
        align="left", baseline="bottom", fontSize=13, limit=260, color=INK[st.context.theme.type or "light"]
    )
    return [
        lines.mark_rule(strokeDash=[6, 4], strokeWidth=2, color="#7a8d8f"),
        *(
            words.transform_filter(alt.datum.tier == tier).encode(text="text:N", y=alt.value(-6 - 16 * tier))
            for tier in range(min(TIERS, len(phases)))
        ),
    ]
