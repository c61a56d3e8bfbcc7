"""The frame around the Streamlit app's pages: its look, its language, the way from page to page."""

from __future__ import annotations

import streamlit as st

from apps.emokids import look, make_faces_page, mirror_page, therapist_page, visitors
from apps.emokids.words import is_english, word


def main() -> None:
    """One run of the page that a visitor has before them."""
    visitors.note_visit()
    st.set_page_config(page_title=f"EMOKIDS · {word('title')}", page_icon=str(look.ICON), layout="wide")
    look.style()
    pages = [
        st.Page(make_faces_page.show, title=word("generatePage"), url_path="generate", default=True),
        st.Page(mirror_page.show, title=word("feedbackPage"), url_path="feedback"),
        st.Page(therapist_page.show, title=word("therapistPage"), url_path="therapist"),
    ]
    st.session_state.mirror_page = pages[1]
    page = st.navigation(pages, position="top")
    if st.button(word("otherLanguage"), key="language", type="tertiary"):
        st.session_state.english = not is_english()
        st.rerun()
    page.run()


if __name__ == "__main__":  # Streamlit runs it so; a process that decodes photos only imports it
    main()
