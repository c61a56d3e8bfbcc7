"""Children: the record of each child whom an adult added; its progress, notes, settings, consent."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from apps.desk import child_consent, child_notes, child_progress, child_settings
from apps.desk.words import word
from apps.record.entries import Child
from apps.record.store import NoSuchChild, PseudonymTaken, Record
from common.errors import UserError

CHOSEN = "chosen-child"
SAID = "said"  # what the next run says first


def show() -> None:
    """The page."""
    st.title(word("childrenPage"), anchor=False)
    st.write(word("childrenText"))
    if said := st.session_state.pop(SAID, None):
        st.success(said)
    try:
        _show(Record())
    except NoSuchChild:  # deleted, or its time was over, meanwhile
        st.warning(word("gone"))
    except UserError as error:
        st.error(str(error))


def _show(record: Record) -> None:
    children = {child.id: child for child in record.children()}
    with st.expander(word("addChild"), expanded=not children, key="add-child"):
        _add(record)
    if not children:
        return
    if st.session_state.get(CHOSEN) not in children:
        st.session_state.pop(CHOSEN, None)
    chosen = st.selectbox(
        word("child"),
        list(children),
        index=None,
        format_func=lambda child_id: children[child_id].pseudonym,
        placeholder=word("noChild"),
        key=CHOSEN,
    )
    if chosen:
        _show_child(record, children[chosen])


def _show_child(record: Record, child: Child) -> None:
    """The tabs of a child."""
    left = child.consent.until - record.clock().date()
    if left <= timedelta(days=child_consent.WARNING_DAYS):
        st.warning(word("consentEnds", days=left.days + 1))
    names = ("progressTab", "notesTab", "settingsTab", "consentTab")
    pages = (child_progress, child_notes, child_settings, child_consent)
    for tab, page in zip(st.tabs([word(name) for name in names]), pages, strict=True):
        with tab:
            page.show(record, child)


def _add(record: Record) -> None:
    """A pseudonym and a consent make a child."""
    with st.form("new-child", border=False):
        name = st.text_input(word("pseudonym"), max_chars=30)
        consent = child_consent.ask(record.clock())
        pressed = st.form_submit_button(word("agree"), type="primary")
    if not pressed:
        return
    if consent is None:
        st.error(word("nothingChosen"))
        return
    try:
        st.session_state[CHOSEN] = record.add(name, consent)
    except PseudonymTaken:
        st.error(word("takenPseudonym"))
    except ValueError:
        st.error(word("badPseudonym"))
    else:
        st.session_state[SAID] = word("added", name=name.strip())
        st.rerun()
