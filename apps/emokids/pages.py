"""The frame around the Streamlit app's pages: its look, its language, the way from page to page."""

from __future__ import annotations

import streamlit as st

import departed_visitors
import emokids_feedback
import emokids_generate
import emokids_look
import emokids_therapist
from emokids_words import is_english, word


def main() -> None:
    """One run of the page that a visitor has before them."""
    departed_visitors.note_visit()
    st.set_page_config(page_title=f"EMOKIDS · {word('title')}", page_icon=str(emokids_look.ICON), layout="wide")
    emokids_look.style()
    pages = [
        st.Page(emokids_generate.show, title=word("generatePage"), url_path="generate", default=True),
        st.Page(emokids_feedback.show, title=word("feedbackPage"), url_path="feedback"),
        st.Page(emokids_therapist.show, title=word("therapistPage"), url_path="therapist"),
    ]
    st.session_state.mirror_page = pages[1]
    page = st.navigation(pages, position="top")
    if st.button(word("otherLanguage"), key="language", type="tertiary"):
        st.session_state.english = not is_english()
        st.rerun()
    page.run()


if __name__ == "__main__":  # Streamlit runs it so; a process that decodes photos only imports it
    main()
