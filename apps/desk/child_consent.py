"""Who agreed to a child's record, for how long; a new consent; withdrawing it, which deletes everything."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from apps.desk.words import word
from apps.record.entries import WHAT, WHO, Child, Consent
from apps.record.progress import to_csv
from apps.record.store import Record

MONTHS = (1, 3, 6, 12, 24)
USUAL_MONTHS = 6
DAYS_A_MONTH = 30.4
WARNING_DAYS = 14  # before the record goes by itself


def show(record: Record, child: Child) -> None:
    """The tab."""
    consent = child.consent
    what = ", ".join(word(name) for name in consent.what)
    given = consent.given.astimezone().date()
    st.write(word("consentHere", who=word(consent.who), given=given, until=consent.until, what=what))
    earlier = len(record.consents(child.id)) - 1
    if earlier:
        st.write(word("earlier", number=earlier))
    with st.expander(word("renew")), st.form("renew", border=False):
        renewed = ask(record.clock())
        if st.form_submit_button(word("keep")):
            if renewed:
                record.agree(child.id, renewed)
                st.rerun()
            st.error(word("nothingChosen"))
    if st.button(word("withdraw"), key="withdraw"):
        _ask_to_delete(record, child)


def ask(now: datetime) -> Consent | None:
    """The questions about a consent, and what is answered; None while nothing is agreed to."""
    who = st.radio(word("who"), WHO, format_func=word, horizontal=True)
    what = st.pills(word("what"), WHAT, default=WHAT, selection_mode="multi", format_func=word)
    months = st.segmented_control(
        word("months"),
        MONTHS,
        default=USUAL_MONTHS,
        required=True,
        format_func=lambda number: word("monthsOf", number=number),
        help=word("monthsHelp"),
    )
    agreed = st.checkbox(word("childAgreed"))
    until = now.date() + timedelta(days=round(DAYS_A_MONTH * months))
    return Consent(str(who), now, until, tuple(what), agreed) if what else None


def _ask_to_delete(record: Record, child: Child) -> None:
    """The second tap."""

    @st.dialog(word("withdraw"))
    def dialog() -> None:
        sessions = record.sessions(child.id)
        st.write(word("withdrawText", name=child.pseudonym, sessions=len(sessions)))
        st.download_button(word("saveCsv"), to_csv(sessions), "emokids.csv", "text/csv", on_click="ignore")
        if st.button(word("withdrawSure"), type="primary", key="withdraw-sure"):
            record.delete(child.id)
            st.session_state["said"] = word("deleted", name=child.pseudonym)
            st.rerun()

    dialog()
