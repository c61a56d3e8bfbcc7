"""The frame around the Streamlit app's pages: its look, its language, the way from page to page."""

from __future__ import annotations


def main() -> None:
    """One run of the page that a visitor has before them."""
    import streamlit as st

    from apps.emokids import (
        adult_page,
        guess_page,
        kept_visit,
        look,
        make_faces_page,
        mirror_page,
        therapist_page,
        visitors,
    )
    from apps.emokids.settings import change
    from apps.emokids.words import is_english, word

    visitors.note_visit()
    st.set_page_config(page_title=f"EMOKIDS · {word('title')}", page_icon=str(look.ICON), layout="wide")
    look.style()
    kept_visit.keep()
    st.session_state.pages = {
        "generate": st.Page(make_faces_page.show, title=word("generatePage"), url_path="generate", default=True),
        "mirror": st.Page(mirror_page.show, title=word("mirrorPage"), url_path="feedback"),
        "guess": st.Page(guess_page.show, title=word("guessPage"), url_path="guess"),
        "record": st.Page(therapist_page.show, title=word("recordPage"), url_path="therapist"),
        "adult": st.Page(adult_page.show, title=word("adultPage"), url_path="adult"),
    }
    page = st.navigation(list(st.session_state.pages.values()), position="top")
    st.button(word("otherLanguage"), key="language", type="tertiary", on_click=lambda: change(english=not is_english()))
    page.run()


if __name__ == "__main__":  # Streamlit runs it so; a process that decodes photos only imports it, and quickly
    main()
