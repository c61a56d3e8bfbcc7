"""Make faces: a photo in, every face in it with five emotions out, to look at, to keep and to print."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO

import streamlit as st

from apps.desk.cards_pdf import Card, cards_pdf
from apps.desk.photo_input import ask_for_photo, studio_or_why
from apps.desk.studio import Made, MadeFace, Studio
from apps.desk.words import FACES, emotion_word, word
from imaging.photo import UnreadablePhoto

STATE = "made"  # (what identifies the photo, what came of it); the photo itself is not kept


def show() -> None:
    """The page."""
    st.title(word("facesPage"), anchor=False)
    st.write(word("facesText"))
    file = ask_for_photo("faces")
    workshop = studio_or_why()  # while the adult looks for a photo: all above is on the screen already
    if workshop is None or file is None:
        st.session_state.pop(STATE, None)
        return
    try:
        made = _made(workshop, file)
    except UnreadablePhoto:
        st.error(word("unreadable"))
        return
    if workshop.choice.trained_on == "drawn":
        st.warning(word("drawnOnly"))
    if not (made.faces or made.left_out):
        st.warning(word("noFace"))
    for number, face in enumerate(made.faces, 1):
        _show_face(number, face)
    if made.left_out:
        _show_left_out(made)
    if made.faces:
        st.download_button(word("saveAll"), zipped(made), "emokids.zip", "application/zip", on_click="ignore")


def _made(workshop: Studio, file: bytes) -> Made:
    """What comes of the photo; made once."""
    name = hashlib.sha256(file).hexdigest()
    kept: tuple[str, Made] | None = st.session_state.get(STATE)
    if kept is None or kept[0] != name:
        with st.spinner(word("making")):
            kept = st.session_state[STATE] = (name, workshop.make(file))
    return kept[1]


def _show_face(number: int, face: MadeFace) -> None:
    """A face in its six versions, each to save, and its cards."""
    st.header(word("face", number=number), anchor=False)
    for (name, picture), column in zip(face.portraits.items(), st.columns(len(face.portraits)), strict=True):
        with column:
            st.image(picture, width="stretch")
            st.markdown(emotion_word(name), text_alignment="center")
            file = f"emokids-{number}-{name}.jpg"
            st.download_button(
                word("save"), picture, file, "image/jpeg", key=file, on_click="ignore", width="stretch",
                help=emotion_word(name),
            )  # fmt: skip
    cards = cards_pdf([Card(picture, *FACES[name]) for name, picture in face.portraits.items()])
    st.download_button(
        word("saveCards"), cards, f"emokids-{number}.pdf", "application/pdf", key=f"cards{number}", on_click="ignore"
    )


def _show_left_out(made: Made) -> None:
    """Faces that were left as they are, and why."""
    st.header(word("leftOut"), anchor=False)
    for picture in made.left_out:
        head, why = st.columns((1, 5), vertical_alignment="center")
        head.image(picture, width="stretch")
        why.write(word("noMesh"))


def zipped(made: Made) -> bytes:
    """All pictures: the whole photo and each head, by name."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, picture in made.photos.items():
            packed.writestr(f"photo/{name}.jpg", picture)
        for number, face in enumerate(made.faces, 1):
            for name, picture in face.portraits.items():
                packed.writestr(f"face-{number}/{name}.jpg", picture)
    return file.getvalue()
