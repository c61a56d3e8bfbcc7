"""What adults write into a child's record: notes, and where a phase begins."""

from __future__ import annotations

import streamlit as st

from apps.desk.words import word
from apps.record.entries import TEXT, Child, Mark
from apps.record.store import Record


def show(record: Record, child: Child) -> None:
    """The tab."""
    notes = "notes" in child.consent.what
    if not notes:
        st.info(word("notesOff"))
    with st.form("mark", border=False, clear_on_submit=True):
        day = st.date_input(word("day"), value=record.clock().date())
        text = st.text_input(word("text"), max_chars=TEXT)
        phase = st.checkbox(word("phase"), value=not notes, disabled=not notes)
        if st.form_submit_button(word("add")) and text.strip():
            record.mark(child.id, Mark(day, text.strip(), phase))
    for mark in reversed(record.marks(child.id)):
        shown, remove = st.columns((6, 1), vertical_alignment="center")
        shown.write(f"**{mark.day}** · " + (f"{word('phases')}: " if mark.phase else "") + mark.text)
        remove.button(
            word("remove"), key=f"unmark-{mark.id}", on_click=record.unmark, args=(child.id, mark.id), width="stretch"
        )
