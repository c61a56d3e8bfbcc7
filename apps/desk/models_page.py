"""Which generator makes the faces, and what the judge of expressions was measured to do."""

from __future__ import annotations

import streamlit as st

from apps.desk import tables
from apps.desk.studio import studio
from apps.desk.words import word
from apps.learned_feedback import WEIGHTS
from common.errors import UserError


def show() -> None:
    """The page."""
    st.title(word("modelsPage"), anchor=False)
    st.header(word("generator"), anchor=False)
    try:
        with st.spinner(word("loading")):
            choice = studio().choice
    except UserError as error:
        st.error(f"{word('modelnone')}\n\n`{error}`")
    else:
        st.write(f"- {word('file')}: `{choice.path}`")
        st.write(f"- {word('origin')}: {word('model' + choice.origin)}")
        st.write(f"- {word('learned')}: {word(choice.trained_on)}")
        if choice.trained_on in ("drawn", "rendered"):
            st.info(word("drawnOnly" if choice.trained_on == "drawn" else "renderedText"))
    st.header(word("judge"), anchor=False)
    st.write(word("judgeText"))
    rows = [
        {
            word("level"): word(level),
            word("knownRest"): word("yes" if known == "known" else "no"),
            word("rightPercent"): str(measured["right"]),
            word("otherPercent"): str(measured["other"]),
        }
        for level, figures in WEIGHTS.get("measured", {}).items()
        for known, measured in figures.items()
    ]
    if rows:
        st.write(word("judgeMeasured"))
        tables.show(word("judge"), rows)
