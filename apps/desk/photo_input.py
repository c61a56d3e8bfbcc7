"""Where a photo comes from, and the studio that looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from apps.desk.words import word
from common.errors import UserError

if TYPE_CHECKING:
    from apps.desk.studio import Studio


def ask_for_photo(key: str) -> bytes | None:
    """A photo from the disk or the camera."""
    way = st.segmented_control(
        word("source"),
        ("photo", "camera"),
        default="photo",
        required=True,
        format_func=word,
        key=f"{key}-way",
        label_visibility="collapsed",
    )
    ask = st.camera_input if way == "camera" else st.file_uploader
    file = ask(word(way), key=f"{key}-{way}")
    return file.getvalue() if file else None


def studio_or_why() -> Studio | None:
    """The studio; None, and the page says why, where there is no generator. The first call loads it: ask last."""
    try:
        with st.spinner(word("loading")):
            from apps.desk.studio import studio  # torch and others: the page is on the screen before

            return studio()
    except UserError as error:
        st.error(f"{word('modelnone')}\n\n`{error}`")
        return None
