"""How a child gets on: charts over sessions or weeks, a table by phase, mastery, guesses, files to take along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st

from apps.desk import charts, report_pdf, tables
from apps.desk.words import emotion_word, word
from apps.record import progress
from apps.record.entries import Child, Goal, Mark, Session
from apps.record.store import Record


def show(record: Record, child: Child) -> None:
    """The tab."""
    sessions = [session for session in record.sessions(child.id) if session.attempts or session.guesses]
    if not sessions:
        st.info(word("nothingYet"))
        return
    marks = record.marks(child.id)
    sessions_shown, weekly = _ask_for_range(sessions)
    if not sessions_shown:
        st.info(word("noneInRange"))
        return
    _show_charts(sessions_shown, marks, weekly)
    if rows := table(sessions_shown, marks, child.goal):
        tables.show(word("progressTab"), rows)
    st.write(word("goal", **vars(child.goal)))
    _show_guesses(sessions_shown)
    _offer_files(child, sessions_shown, marks)


def _ask_for_range(sessions: Sequence[Session]) -> tuple[list[Session], bool]:
    """The sessions of the days chosen, and whether points are weeks."""
    first, last = progress.day_of(sessions[0].began), progress.day_of(sessions[-1].began)
    days, per = st.columns(2)
    chosen = days.date_input(word("range"), (first, last), first, last)
    unit = per.segmented_control(
        word("per"), ("session", "week"), default="session", required=True, format_func=word, key="per"
    )
    span = chosen if isinstance(chosen, tuple) else (chosen,)
    begin, end = (span[0], span[-1]) if span else (first, last)
    return progress.between(sessions, begin, end), unit == "week"


def _show_charts(sessions: Sequence[Session], marks: Sequence[Mark], weekly: bool) -> None:
    """Four measures of each emotion over time."""
    points = progress.points(sessions, weekly)
    if not points:
        return
    phases = progress.phase_begins(sessions, marks, weekly)
    measures = list(charts.MEASURES)
    for pair in (measures[:2], measures[2:]):
        for measure, column in zip(pair, st.columns(2), strict=True):
            with column:
                st.header(word(measure), anchor=False)
                st.altair_chart(charts.over_time(points, phases, measure), width="stretch")


def table(sessions: Sequence[Session], marks: Sequence[Mark], goal: Goal) -> list[dict[str, str]]:
    """A row for each phase and emotion, in words."""
    rows = []
    split = progress.phases(sessions, marks)
    for phase, own in split:
        points = progress.points(own)
        for emotion in dict.fromkeys(point.emotion for point in points):
            each = [point for point in points if point.emotion == emotion]
            row = {word("phases"): phase or "–"} if len(split) > 1 or phase else {}
            rows.append({**row, word("emotion"): emotion_word(emotion), **_numbers(each)})
            newest = own is split[-1][1]
            rows[-1][word("mastery")] = mastery_word(sessions, emotion, goal) if newest else ""
    return rows


def _numbers(points: Sequence[progress.Point]) -> dict[str, str]:
    """What the points of one emotion add up to."""
    tries, reached = sum(point.attempts for point in points), sum(point.reached for point in points)
    rates = [round(100 * point.rate) for point in points]
    bests = [round(100 * point.best) for point in points]
    seconds = [point.seconds for point in points if point.seconds is not None]
    return {
        word("tries"): str(tries),
        word("reached"): str(reached),
        word("rate"): f"{100 * reached / tries:.0f}" + (f" ({_range(rates)})" if len(set(rates)) > 1 else ""),
        word("bestRange"): _range(bests),
        word("seconds"): _range(seconds, ".1f") if seconds else "–",
        word("level"): word(points[-1].level),
    }


def _range(values: Sequence[float], kind: str = "") -> str:
    """The lowest and the highest of some numbers, or the one that all are, in this format."""
    return "–".join(dict.fromkeys(format(value, kind) for value in (min(values), max(values))))


def mastery_word(sessions: Sequence[Session], emotion: str, goal: Goal) -> str:
    """How far the emotion is on the way to the goal."""
    found = progress.mastery(sessions, emotion, goal)
    if found is None:
        return "–"
    if found.day:
        return word("mastered", day=found.day)
    return word("onTheWay", running=found.running, sessions=goal.sessions)


def _show_guesses(sessions: Sequence[Session]) -> None:
    """How often each emotion was known at once, and what it was taken for."""
    found = progress.confusions(sessions)
    if not found:
        return
    st.header(word("guessing"), anchor=False)
    rows = []
    for emotion, chosen in found.items():
        others = [f"{emotion_word(name)} {times}" for name, times in chosen.most_common() if name != emotion]
        at_once = f"{chosen[emotion]}/{chosen.total()}"
        rows.append(
            {
                word("shown"): emotion_word(emotion),
                word("atOnce"): at_once,
                word("confused"): ", ".join(others) or "–",
            }
        )
    tables.show(word("guessing"), rows)


def _offer_files(child: Child, sessions: Sequence[Session], marks: Sequence[Mark]) -> None:
    """CSV and report, of the days that are shown."""
    csv, report, _ = st.columns((1, 1, 2))
    last: date = progress.day_of(sessions[-1].began)
    name = f"{child.pseudonym}-{last}"
    csv.download_button(
        word("saveCsv"), progress.to_csv(sessions), f"{name}.csv", "text/csv", on_click="ignore", width="stretch"
    )
    report.download_button(
        word("saveReport"),
        report_pdf.report(child, sessions, marks, table(sessions, marks, child.goal)),
        f"{name}.pdf",
        "application/pdf",
        on_click="ignore",
        width="stretch",
    )
