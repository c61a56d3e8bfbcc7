"""얼굴 만들기: a photo or a friend in, the same face with five emotions out, to look at, to keep and to print."""

from __future__ import annotations

import base64
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from apps.collected_photos import to_jpeg
from apps.emokids import look, play_again
from apps.emokids.camera_view import camera_view
from apps.emokids.cards_pdf import PICTURE_PIXELS
from apps.emokids.friend_faces import IDENTITIES, drawn_friend, drawn_picture, rendered_friends
from apps.emokids.settings import STRENGTHS, change, settings
from apps.emokids.studio import Faces, Studio, studio, studio_or_none
from apps.emokids.words import ORIGINAL, word
from apps.portrait import portrait
from imaging.photo import UnreadablePhoto

if TYPE_CHECKING:
    from face_detection import Face, Image

COLUMNS = 3
STATE = "child"  # where a visitor's `Child` lies
CLICK_SECONDS = 0.2  # at most until a click on "stop" is noticed
BEFORE = 6  # parts of the page before, at most, which Streamlit would leave standing while the faces are made


@dataclass
class Child:
    """Whose face is played with: a visitor's photo or a friend. It lives in this browser session only."""

    photo: Image | None = None
    found: list[Face] = field(default_factory=list)
    friend: int | None = None  # the number of a drawn one
    own: bool = True  # the visitor's own face
    making: Future[Faces] | None = None
    made: dict[str, Faces] = field(default_factory=dict)  # by strength


def faces() -> Faces | None:
    """The face that is played with, with every emotion as strong as was set, once made."""
    child: Child | None = st.session_state.get(STATE)
    strength = settings().strength
    if child is None:
        return None
    if child.friend is not None:
        return drawn_friend(child.friend, strength)
    if "very" in child.made and strength not in child.made:
        child.made[strength] = child.made["very"].softened()
    return child.made.get(strength)


def is_own() -> bool:
    """Whether it is the visitor's own."""
    child: Child | None = st.session_state.get(STATE)
    return bool(child and child.own)


def show() -> None:
    """The page."""
    child: Child | None = st.session_state.get(STATE)
    if child is None:
        welcome()
        return
    if child.making:
        wait_for(child, child.making)
    made = faces()
    if made:
        show_faces(made)
    else:
        choose_face(child)


# --- Whose face -----------------------------------------------------------------------------------------------


def welcome() -> None:
    """Ask for a photo or a friend."""
    look.title(word("startTitle"))
    with st.spinner(word("startLoading")):  # the first visitor waits for the networks
        workshop = studio_or_none()
    drawings_only = workshop is not None and workshop.choice.trained_on == "drawn" and not settings().photos_anyway
    photos = workshop is not None and not drawings_only
    source = ask_for_source() if photos else "friends"
    if source == "friends":
        show_friends(workshop)
    elif source == "take":
        take_photo()
    else:
        file = st.file_uploader(word("choose"), key="upload", label_visibility="collapsed")
        if file:
            take(studio(), file.getvalue())
    if photos:
        st.caption(word("privacyComputer"))
        if source == "choose":
            look.parade()
    else:
        st.caption(word("photosOff" if workshop else "friendsOnly"))


def ask_for_source() -> str:
    """Where the face comes from; the last way chosen, when a visitor wants another photo."""
    st.session_state.way = st.segmented_control(
        word("sourceLabel"),
        ("choose", "take", "friends"),
        default=st.session_state.get("way", "choose"),
        required=True,
        format_func=word,
        key="source",
        label_visibility="collapsed",
        width="stretch",
    )
    return st.session_state.way


def show_friends(workshop: Studio | None) -> None:
    """Friends to choose from."""
    st.header(word("friendsTitle"), anchor=False)
    rendered = rendered_friends(workshop.choice.trained_on) if workshop else []
    columns = look.choices(len(rendered) + len(IDENTITIES))
    for number, (path, column) in enumerate(zip(rendered, columns, strict=False), 1):
        with column:
            look.picture(path.read_bytes(), "")
            if st.button(word("friend", number=number), key=f"friend-{path.name}", width="stretch"):
                take_rendered(path)
    first = len(rendered) + 1
    for number, (identity, column) in enumerate(zip(IDENTITIES, columns[len(rendered) :], strict=True), first):
        with column:
            look.picture(drawn_picture(identity, ORIGINAL), "")
            if st.button(word("friend", number=number), key=f"friend-{identity}", width="stretch"):
                st.session_state[STATE] = Child(friend=identity, own=False)
                st.rerun()


def take_rendered(path: Path) -> None:
    """Play with a rendered person."""
    take(studio(), path.read_bytes(), own=False)


def take_photo() -> None:
    """A photo from the camera."""
    shot = camera_view(key="camera")
    if shot:
        take(studio(), base64.b64decode(shot))


def take(workshop: Studio, file: bytes, own: bool = True) -> None:
    """Make the file the visitor's photo, or say kindly why it can't be."""
    with st.spinner(word("searching")):
        try:
            photo = workshop.read(file)
        except UnreadablePhoto:
            st.info(word("unreadable"))
            return
        found = workshop.find_faces(photo)
    if not found:
        st.info(word("noFace"))
        return
    play_again.forget_uploads()
    child = st.session_state[STATE] = Child(photo, found, own=own)
    if not own:
        child.making = workshop.make_faces(photo, found[0])
    st.rerun()


def choose_face(child: Child) -> None:
    """ "This one?", or whose face it shall be, before anything is made."""
    look.title(word("sureTitle" if len(child.found) == 1 else "whoTitle"))
    assert child.photo is not None
    columns = look.choices(len(child.found))
    for index, (face, column) in enumerate(zip(child.found, columns, strict=True)):
        with column:
            look.picture(to_jpeg(portrait(child.photo, face, PICTURE_PIXELS)), word("who", number=index + 1))
            if st.button(word("thisFace"), key=f"face{index}", type="primary", width="stretch"):
                child.making = studio().make_faces(child.photo, face)
                st.rerun()
    if st.button(word("another"), key="other"):
        del st.session_state[STATE]
        st.rerun()


def wait_for(child: Child, making: Future[Faces]) -> None:
    """Say what happens until the faces are made. A click on "stop" ends this run of the page at the next message."""
    page = st.container()
    for _ in range(BEFORE):
        st.empty()
    with page:
        look.title(word("waitingTitle"))
        st.button(word("cancel"), key="cancel", on_click=stop)
        pulse = st.empty()
        with st.spinner(word("making")):
            while not wait([making], CLICK_SECONDS).done:
                pulse.empty()
    child.making, child.made = None, {"very": making.result()}
    st.rerun()


def stop() -> None:
    """The visitor does not want to wait."""
    child: Child = st.session_state[STATE]
    if child.making:
        child.making.cancel()
    child.making = None


# --- The faces ------------------------------------------------------------------------------------------------


def show_faces(made: Faces) -> None:
    """The six pictures, what can be done with them, and where to go next."""
    look.title(word("startTitle"))
    strength, mirror, guess = st.columns(3, vertical_alignment="bottom")
    strength.segmented_control(
        word("strength"),
        STRENGTHS,
        default=settings().strength,
        required=True,
        format_func=word,
        key="strength",
        on_change=lambda: change(strength=st.session_state["strength"]),
        label_visibility="collapsed",
        width="stretch",
    )
    if mirror.button(word("toMirror"), type="primary", width="stretch"):
        st.switch_page(st.session_state.pages["mirror"])
    if guess.button(word("guess"), width="stretch"):
        st.switch_page(st.session_state.pages["guess"])
    names = list(made.portraits)
    for start in range(0, len(names), COLUMNS):
        for name, column in zip(names[start : start + COLUMNS], st.columns(COLUMNS), strict=True):
            with column:
                show_picture(made, name)
    cards, again = st.columns(2)
    cards.download_button(
        word("saveCards"), made.cards, "emokids.pdf", "application/pdf", on_click="ignore", width="stretch"
    )
    with again:
        play_again.button()


def show_picture(made: Faces, name: str) -> None:
    """One picture: its words, a larger view, a file to keep."""
    look.picture(made.portraits[name], word(name))
    look.caption(name)
    enlarge, save = st.columns(2)
    if enlarge.button(word("enlarge"), key=f"enlarge-{name}", width="stretch"):
        enlarged(made, name)
    save.download_button(
        word("save"),
        made.photos[name],
        f"emokids-{name}.jpg",
        "image/jpeg",
        on_click="ignore",
        key=f"save-{name}",
        width="stretch",
    )


def enlarged(made: Faces, name: str) -> None:
    """The whole photo, as large as the window."""

    @st.dialog(word(name), width="large")
    def dialog() -> None:
        look.picture(made.photos[name], word(name))

    dialog()
