"""The phone page's look in Streamlit: its symbols of the emotions, and styles that no setting reaches."""

from __future__ import annotations

import base64
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from apps.emokids.settings import COOKIE, FIRST_ORDER, settings, to_cookie
from apps.emokids.words import FACES, is_english, word

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

ROOT = Path(__file__).resolve().parent
ICONS = ROOT.parent / "page" / "web" / "icons"  # both apps show the same symbols
ICON = ICONS / "icon-192.png"
VIEW = ROOT / "mirror_view"
YEAR = 365 * 24 * 3600  # seconds

# Streamlit's own English, and our word for it.
STREAMLITS_ENGLISH = {
    "Upload": "choose",
    "Browse files": "choose",
    "Add files": "another",
    "Close": "close",
    "Skip to main content": "skip",
    "App pages": "pages",
    "Remove ": "removeStart",
    "Help for ": "helpStart",
    "Selected values": "whichEmotions",
    "Clear all": "clearChoice",
    "Clear value": "clearValue",
    "Open": "openList",
    "Sidebar": "pages",
    "file upload": "choose",
    "Expand sidebar": "openMenu",
    "Collapse sidebar": "closeMenu",
    "Connection error": "stopped",
    "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:": (
        "stoppedText"
    ),
}


def style() -> None:
    """Give the page its look, its language, and the browser what it is to remember."""
    st.html(f"<style>{_view('page.css')}</style>")
    page = {
        "language": "en" if is_english() else "ko",
        "cookie": f"{COOKIE}={to_cookie(settings())}; path=/; max-age={YEAR}; samesite=strict",
        "words": {english: word(key) for english, key in STREAMLITS_ENGLISH.items()},
    }
    script = _view("hold.js") + _view("page.js").replace("PAGE", json.dumps(page), 1)
    st.html(f"<script>{{{script}}}</script>", unsafe_allow_javascript=True)


@functools.cache
def _view(name: str) -> str:
    return (VIEW / name).read_text(encoding="utf-8")


def title(text: str, emotion: str | None = None) -> None:
    """The page's heading, with an emotion's symbol."""
    st.html(f'<h1 class="emokids-words">{symbol(emotion) if emotion else ""}<span>{text}</span></h1>')


def caption(emotion: str) -> None:
    """The words below a picture, in both languages."""
    korean, english = FACES[emotion]
    words = f'<strong lang="ko">{korean}</strong><span lang="en">{english}</span>'
    st.html(f'<div class="emokids-words">{symbol(emotion)}{words}</div>')


def picture(jpeg: bytes, alt: str) -> None:
    """A picture as wide as its column. (`st.image` has no alternative text before Streamlit 1.67.)"""
    st.html(f'<img class="emokids-picture" alt="{alt}" src="{data_url(jpeg)}">')


def choices(number: int) -> list[DeltaGenerator]:
    """Places for what is chosen from: three in a row, or two on a phone, and as many rows as it takes (page.css)."""
    return st.container(key="choices").columns(number)


def data_url(jpeg: bytes) -> str:
    """A JPEG file as an address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def parade() -> None:
    """The five emotions in a row."""
    st.html(f'<div class="emokids-parade">{"".join(symbol(name) for name in FIRST_ORDER)}</div>')


@functools.cache
def symbol(name: str, words: str = "") -> str:
    """The symbol of an emotion, or another of the phone's icons; without `words`, they always stand beside it."""
    svg = base64.b64encode((ICONS / f"{name}.svg").read_bytes()).decode("ascii")
    kind = ' class="star"' if name == "star" else ""
    return f'<img alt="{words}"{kind} src="data:image/svg+xml;base64,{svg}">'
