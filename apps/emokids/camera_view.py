"""The browser's halves of mirror and camera (`mirror_view/`), mounted in a Streamlit page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from apps.emokids.words import word

VIEW = Path(__file__).resolve().parent / "mirror_view"
ARROW = VIEW.parents[1] / "page" / "web" / "arrow.js"  # both mirrors point at the same places


def camera_view(key: str) -> str | None:
    """The camera with a shutter and a self-timer; the photo just taken, a JPEG in base64."""
    words = {"shutter": word("shutter"), "timer": word("timer"), **camera_refused()}
    return _component("camera")(key=key, data=words, on_photo_change=_nothing).photo


def mirror_view(key: str, data: dict[str, object]) -> dict[str, Any] | None:
    """The mirror; the try just made: its `picture` (a JPEG in base64), its `emotion`, whether it was `reached`."""
    arrow = ARROW.read_text(encoding="utf-8")
    return _component("mirror", arrow)(key=key, data=data, on_tried_change=_nothing).tried


def keeper(key: str, data: dict[str, object], on_handed: Callable[[], None]) -> None:
    """The page's memory of a visit; `on_handed` is called where the page hands one back."""
    st.components.v2.component("keep", js=_text("keep.js"))(key=key, data=data, on_handed_change=on_handed)


def camera_refused() -> dict[str, str]:
    """What is said where the camera can't be used: to the child, and to the adult who can change it."""
    adults = f"{word('forAdults')}: {word('cameraForAdults')}"
    return {"cameraRefused": f"{word('cameraTitleClosed')}.", "cameraForAdults": adults}


def _component(name: str, script: str = "") -> Callable[..., Any]:
    css, js = (_text("shared.css") + _text(f"{name}.css"), script + _text("video.js") + _text(f"{name}.js"))
    return st.components.v2.component(name, html=_text(f"{name}.html"), css=css, js=js)


def _text(file: str) -> str:
    return (VIEW / file).read_text(encoding="utf-8")


def _nothing() -> None:
    """Streamlit wants somebody to call before it hands over a value."""
