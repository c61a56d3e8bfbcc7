"""새로 하기: the next child finds nothing of the one before. Asked once, and the record can be saved first."""

from __future__ import annotations

import streamlit as st

from apps.emokids import visitors
from apps.emokids.settings import STATE as SETTINGS
from apps.emokids.words import word

KEPT = (SETTINGS, "pages", "clear-all")  # the adult's, the app's, and the press that is being answered


def button() -> None:
    """The button, and the question it asks."""
    if st.button(word("startOver"), key="start-over", width="stretch"):
        ask()


def ask() -> None:
    """Whether everything is to be cleared."""

    @st.dialog(word("startOverTitle"))
    def dialog() -> None:
        st.write(word("startOverText"))
        live = st.session_state.get("live")
        if live and live.practice.entries:
            st.download_button(
                word("saveRecordFirst"),
                live.practice.csv,
                "emokids.csv",
                "text/csv",
                on_click="ignore",
                key="csv-before",
                width="stretch",
            )
        if st.button(word("clearAll"), key="clear-all", type="primary", width="stretch", on_click=forget):
            st.switch_page(st.session_state.pages["generate"])
        if st.button(word("stay"), key="stay", width="stretch"):
            st.rerun()

    dialog()


def forget() -> None:
    """Forget the child: photo, faces, resting face, turn, tries and record. What the adult set stays."""
    visitors.close_for_this_visitor()
    for key in list(st.session_state):
        if key not in KEPT:
            del st.session_state[key]
    forget_uploads()


def forget_uploads() -> None:
    """Streamlit keeps an uploaded file until the visitor leaves; it is of no use once it was read."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    visit = get_script_run_ctx()
    if visit:
        visit.uploaded_file_mgr.remove_session_files(visit.session_id)
