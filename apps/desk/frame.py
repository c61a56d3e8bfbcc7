"""What stands around every page of the desk: its title, the language, the code, the way from page to page."""

from __future__ import annotations

import hmac
import os
import time
import unicodedata
from pathlib import Path

import streamlit as st

from apps.desk import words
from apps.desk.words import word

CODE_VARIABLE = "STARGAN_FE_TOKEN"  # the child's page asks for the same
ICON = Path(__file__).resolve().parents[1] / "page" / "web" / "icons" / "icon-192.png"
OPENED = "opened"
WRONG_SECONDS = 1.0  # a wrong code is answered so late: codes can't be tried out


def main() -> None:
    """One run of the page that an adult has before them. Without the code, where one is set, there is no page."""
    st.set_page_config(page_title="EMOKIDS", page_icon=str(ICON), layout="wide")
    code = _one_form(os.environ.get(CODE_VARIABLE, ""))
    opened = not code or st.session_state.get(OPENED) == code
    page = st.navigation(_pages() if opened else [st.Page(lambda: _ask(code), title=word("codeTitle"))], position="top")
    chosen = "en" if words.is_english() else "ko"
    st.container(horizontal=True, horizontal_alignment="right").segmented_control(
        "언어 · Language",
        list(words.LANGUAGES),
        default=chosen,
        format_func=words.LANGUAGES.__getitem__,
        required=True,
        key=words.STATE,
        label_visibility="collapsed",
    )
    page.run()


def _pages() -> list[st.Page]:
    from apps.desk import children_page, faces_page, feedback_page, model_page

    return [
        st.Page(faces_page.show, title=word("facesPage"), url_path="faces", default=True),
        st.Page(feedback_page.show, title=word("feedbackPage"), url_path="feedback"),
        st.Page(children_page.show, title=word("childrenPage"), url_path="children"),
        st.Page(model_page.show, title=word("modelPage"), url_path="models"),
    ]


def _one_form(code: str) -> str:
    """Without blanks around, in NFC: keyboards send Korean in more than one form."""
    return unicodedata.normalize("NFC", code.strip())


def _ask(code: str) -> None:
    """Ask for the code."""
    st.title(word("codeTitle"), anchor=False)
    st.write(word("codeText"))
    with st.form("code", border=False):
        given = st.text_input(word("codeTitle"), type="password", label_visibility="collapsed")
        pressed = st.form_submit_button(word("open"), type="primary")
    if not pressed:
        return
    if hmac.compare_digest(_one_form(given).encode(), code.encode()):
        st.session_state[OPENED] = code
        st.rerun()
    time.sleep(WRONG_SECONDS)
    st.error(word("codeWrong"))
