"""What stands around every page of the desk: its title, the language, the code, the way from page to page."""

from __future__ import annotations

import functools
import hmac
import importlib
import os
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from apps.desk import words
from apps.desk.words import word

CODE_VARIABLE = "STARGAN_FE_TOKEN"  # the child's page asks for the same
ICON = Path(__file__).resolve().parents[1] / "page" / "web" / "icons" / "icon-192.png"
OPENED = "opened"
THIS_COMPUTER = ("localhost", "127.0.0.1", "::1")  # the addresses at which nobody else can ask
WRONG_SECONDS = 1.0  # a wrong code is answered so late: codes can't be tried out


def main() -> None:
    """One run of the page that an adult has before them. Without the code, where one is set, there is no page."""
    st.set_page_config(page_title="EMOKIDS", page_icon=str(ICON), layout="wide")
    code = _one_form(os.environ.get(CODE_VARIABLE, ""))
    instead: Callable[[], None] | None = None
    if not code and st.get_option("server.address") not in THIS_COMPUTER:
        instead = _refuse
    elif code and st.session_state.get(OPENED) != code:
        instead = functools.partial(_ask, code)
    page = st.navigation(_pages(instead), position="hidden" if instead else "top")
    st.container(horizontal=True, horizontal_alignment="right").segmented_control(
        "언어 · Language",
        list(words.LANGUAGES),
        default="en" if words.is_english() else "ko",
        format_func=words.LANGUAGES.__getitem__,
        required=True,
        key=words.STATE,
        label_visibility="collapsed",
    )
    page.run()


def _pages(instead: Callable[[], None] | None) -> list[st.Page]:
    """The desk's pages; with `instead`, that at each of their addresses."""
    names = ("faces", "feedback", "children", "models")
    return [
        st.Page(
            instead or functools.partial(_show, name), title=word(f"{name}Page"), url_path=name, default=name == "faces"
        )
        for name in names
    ]


def _show(name: str) -> None:
    """A page, loaded when it is first asked for: the first one must not wait for the charts of another."""
    importlib.import_module(f"apps.desk.{name}_page").show()


def _refuse() -> None:
    """Other computers may ask, and nothing would keep a child or a stranger from the records."""
    st.title(word("codeTitle"), anchor=False)
    st.error(word("codeNeeded", name=CODE_VARIABLE))


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
