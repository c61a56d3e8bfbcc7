"""The phone page's look in Streamlit: its symbols of the emotions, and styles that no setting reaches."""

from __future__ import annotations

import base64
import functools
import re
from pathlib import Path

import streamlit as st

from apps.emokids.words import is_english, word

WEB = Path(__file__).resolve().parent.parent / "phone" / "web"
ICON = WEB / "icons" / "icon-192.png"

STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 1000px; padding: 4.2rem 1rem 2rem; }
[data-testid="stMain"] * { word-break: keep-all; overflow-wrap: break-word; }
[data-testid="stMain"] button { min-height: 48px; }
:focus-visible { outline: 4px solid #b3591a !important; outline-offset: 2px; }
.st-key-language { position: fixed; top: 0.35rem; right: 1rem; z-index: 1000000; width: auto; }
.emokids-words { display: flex; flex-wrap: wrap; gap: 0.3rem 0.6rem; align-items: center; margin: 0; }
h1.emokids-words { flex-wrap: nowrap; padding: 0; font-size: 1.8rem; }
.emokids-words img { flex: none; width: 2rem; }
.emokids-picture { display: block; width: 100%; border-radius: 20px; }
h1.emokids-words img { width: 3rem; }
.emokids-parade { display: flex; flex-wrap: wrap; gap: 0.8rem; justify-content: center; padding: 2rem 0; }
.emokids-parade img { width: 5.6rem; }
[data-testid="stCaptionContainer"] { color: #3d4f55; opacity: 1; }
[data-testid="stElementContainer"]:has(script) { position: absolute; }
/* Streamlit speaks English in these, whatever the page's language. */
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"],
[data-testid="stCameraInputButton"] { font-size: 0 !important; }
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"]::after { content: "UPLOAD"; }
[data-testid="stCameraInputButton"]::after { content: "SHUTTER"; }
[data-testid="stCameraInputButton"]:has(svg)::after { content: "RETAKE"; }
[data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"]::after,
[data-testid="stCameraInputButton"]::after { font-size: 1rem; }
[data-testid="stFileUploaderDropzoneInstructions"] { display: none; }
</style>"""


def style() -> None:
    """Give the page its look, and tell screen readers its language."""
    words = {"UPLOAD": word("choose"), "SHUTTER": word("shutter"), "RETAKE": word("retake")}
    st.html(functools.reduce(lambda style, name: style.replace(name, words[name]), words, STYLE))
    language = "en" if is_english() else "ko"
    st.html(f'<script>document.documentElement.lang = "{language}";</script>', unsafe_allow_javascript=True)


def title(text: str, emotion: str | None = None) -> None:
    """The page's heading, with an emotion's symbol."""
    st.html(f'<h1 class="emokids-words">{symbol(emotion) if emotion else ""}<span>{text}</span></h1>')


def caption(korean: str, english: str, emotion: str) -> None:
    """The words below a picture."""
    st.html(f'<div class="emokids-words">{symbol(emotion)}<strong>{korean}</strong><span>{english}</span></div>')


def picture(jpeg: bytes, alt: str) -> None:
    """A picture as wide as its column. (`st.image` has no alternative text before Streamlit 1.67.)"""
    source = base64.b64encode(jpeg).decode("ascii")
    st.html(f'<img class="emokids-picture" alt="{alt}" src="data:image/jpeg;base64,{source}">')


def parade() -> None:
    """The five emotions in a row."""
    faces = "".join(symbol(name) for name in ("happy", "surprised", "sadness", "angry", "fearful"))
    st.html(f'<div class="emokids-parade">{faces}</div>')


@functools.cache
def symbol(emotion: str) -> str:
    """The emotion's symbol on its soft colour, as on the phone's page; a word always stands beside it."""
    page, sheet = ((WEB / name).read_text(encoding="utf-8") for name in ("index.html", "style.css"))
    drawing = re.search(rf'<symbol id="s-{emotion}" viewBox="0 0 48 48">(.*?)</symbol>', page, re.DOTALL)
    colour = re.search(rf"\.face\.{emotion} {{ background: (#\w+)", sheet)
    assert drawing
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48" fill="none" stroke="#23343a" stroke-width="3" '
        'stroke-linecap="round" stroke-linejoin="round">'
        f'<circle cx="24" cy="24" r="24" stroke="none" fill="{colour[1] if colour else "#e8e4d8"}"/>{drawing[1]}</svg>'
    )
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
