"""감정 생성: a photo in, the same face with five emotions out, to look at, to keep and to print."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from apps.collected_photos import to_jpeg
from apps.emokids import look
from apps.emokids.studio import Faces, Studio, portrait, studio
from apps.emokids.words import both_words, emotion_word, word
from common.errors import UserError
from imaging.photo import UnreadablePhoto

if TYPE_CHECKING:
    from face_detection import Face
    from imaging.face_geometry import Image

COLUMNS = 3
STATE = "child"  # where a visitor's `Child` lies


@dataclass
class Child:
    """A visitor's photo and what was made of it. It lives in this browser session only."""

    photo: Image
    found: list[Face]
    chosen: int | None  # which of the faces found
    faces: Faces | None = None


def own_faces() -> Faces | None:
    """The visitor's own face with every emotion, once made."""
    child = st.session_state.get(STATE)
    return child.faces if child else None


def show() -> None:
    """The page."""
    look.title(word("startTitle"))
    try:
        if STATE in st.session_state:
            show_child(st.session_state[STATE])
        else:
            welcome()
    except UserError as error:
        print(f"No pictures can be generated: {error}", file=sys.stderr)
        st.info(word("noModel"))


def welcome() -> None:
    """Ask for a photo."""
    st.write(word("startText"))
    file = ask_for_photo()
    st.caption(word("onlyHere"))
    if file is None:
        look.parade()
    else:
        with st.spinner(word("reading")):
            take(studio(), file.getvalue())


def show_child(child: Child) -> None:
    """The photo's faces, and what was made of the one that was chosen."""
    if len(child.found) > 1:
        choose_face(child)
    if child.chosen is not None and child.faces is None:
        with st.spinner(word("waitingTitle")):
            child.faces = studio().make_faces(child.photo, child.found[child.chosen])
    if child.faces:
        show_faces(child.faces)
    else:
        start_over_button()


def ask_for_photo():
    """A file from the disk or the camera, or None."""
    source = st.segmented_control(
        word("sourceLabel"),
        ("choose", "take"),
        default="choose",
        required=True,
        format_func=word,
        key="source",
        label_visibility="collapsed",
    )
    if source == "take":
        return st.camera_input(word("take"), key="camera", label_visibility="collapsed")
    return st.file_uploader(word("choose"), key="upload", label_visibility="collapsed")


def take(workshop: Studio, file: bytes) -> None:
    """Make the file the visitor's photo, or say kindly why it can't be."""
    try:
        photo = workshop.read(file)
    except UnreadablePhoto:
        st.info(word("unreadable"))
        return
    found = workshop.find_faces(photo)
    if not found:
        st.info(word("noFace"))
        return
    st.session_state[STATE] = Child(photo, found, chosen=0 if len(found) == 1 else None)
    st.rerun()


def choose_face(child: Child) -> None:
    """Ask whose face it shall be."""
    st.subheader(word("whoseFace"))
    columns = st.columns(max(len(child.found), 4))
    for index, (face, column) in enumerate(zip(child.found, columns, strict=False)):
        with column:
            look.picture(to_jpeg(portrait(child.photo, face)), f"{index + 1}")
            chosen = index == child.chosen
            if st.button(
                word("thisFace"), key=f"face{index}", type="primary" if chosen else "secondary", width="stretch"
            ):
                child.chosen, child.faces = index, None
                st.rerun()


def show_faces(faces: Faces) -> None:
    """The six pictures, what can be done with them, and where to go next."""
    names = list(faces.portraits)
    for start in range(0, len(names), COLUMNS):
        for name, column in zip(names[start : start + COLUMNS], st.columns(COLUMNS), strict=True):
            with column:
                show_picture(faces, name)
    st.caption(word("took", seconds=faces.seconds))
    cards, mirror, again = st.columns((2, 1, 1))
    cards.download_button(
        word("saveCards"),
        faces.cards,
        "emokids.pdf",
        "application/pdf",
        on_click="ignore",
        type="primary",
        width="stretch",
    )
    if mirror.button(word("toMirror"), width="stretch"):
        st.switch_page(st.session_state.mirror_page)
    with again:
        start_over_button()


def show_picture(faces: Faces, name: str) -> None:
    """One picture: its words, a larger view, a file to keep."""
    look.picture(faces.portraits[name], word("faceOf", emotion=emotion_word(name)))
    look.caption(*both_words(name), name)
    enlarge, save = st.columns(2)
    if enlarge.button(word("enlarge"), key=f"enlarge-{name}", width="stretch"):
        enlarged(faces, name)
    save.download_button(
        word("save"),
        faces.photos[name],
        f"emokids-{name}.jpg",
        "image/jpeg",
        on_click="ignore",
        key=f"save-{name}",
        width="stretch",
    )


@st.dialog(" ", width="large")
def enlarged(faces: Faces, name: str) -> None:
    """The whole photo, as large as the window."""
    look.caption(*both_words(name), name)
    look.picture(faces.photos[name], word("faceOf", emotion=emotion_word(name)))


def start_over_button() -> None:
    """Forget the photo and everything made of it."""
    if st.button(word("startOver"), width="stretch"):
        del st.session_state[STATE]
        st.rerun()
