"""Make faces: a photo in, every face in it with five emotions out, to look at, to keep and to print."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import streamlit as st

from apps.desk.photo_input import ask_for_photo, studio_or_why
from apps.desk.words import FACES, emotion_word, reason_word, word

if TYPE_CHECKING:
    from apps.desk.studio import Made, MadeFace, Studio

STATE = "made"  # (what identifies the photo, what came of it by strength); the photo itself is not kept
STRENGTHS = (0.5, 1.0, 1.4)


def show() -> None:
    """The page."""
    st.title(word("facesPage"), anchor=False)
    st.write(word("facesText"))
    file = ask_for_photo("faces")
    studio = studio_or_why()  # while the adult looks for a photo: all above is on the screen already
    if studio is None or file is None:
        st.session_state.pop(STATE, None)
        return
    from imaging.photo import UnreadablePhoto

    strength = st.segmented_control(
        word("strength"), STRENGTHS, default=1.0, required=True, format_func="{:.0%}".format, key="strength"
    )
    try:
        made = _made(studio, file, strength)
    except UnreadablePhoto:
        st.error(word("unreadable"))
        return
    if studio.choice.trained_on == "drawn":
        st.warning(word("drawnOnly"))
    if not (made.faces or made.left_out):
        st.warning(word("noFace"))
    for number, face in enumerate(made.faces, 1):
        _show_face(number, face)
    if made.left_out:
        _show_left_out(made)
    if made.faces:
        st.download_button(word("saveAll"), zipped(made), "emokids.zip", "application/zip", on_click="ignore")


def _made(studio: Studio, file: bytes, strength: float) -> Made:
    """What comes of the photo; made once."""
    name = hashlib.sha256(file).hexdigest()
    kept: tuple[str, dict[float, Made]] = st.session_state.get(STATE) or ("", {})
    if kept[0] != name:
        kept = (name, {})
    if strength not in kept[1]:
        with st.spinner(word("making")):
            kept[1][strength] = studio.make(file, strength)
    st.session_state[STATE] = kept
    return kept[1][strength]


def _show_face(number: int, face: MadeFace) -> None:
    """A face in its versions, each to save, and its cards."""
    from apps.desk.cards_pdf import Card, cards_pdf

    st.header(word("face", number=number), anchor=False)
    if face.restless:
        st.info(word("notCalm", shows=", ".join(map(reason_word, face.restless))))
    for name, column in zip(face.portraits, st.columns(len(face.portraits)), strict=True):
        with column:
            _show_picture(number, face, name)
    cards = cards_pdf([Card(picture, *FACES[name]) for name, picture in face.to_show.items()])
    st.download_button(
        word("saveCards"), cards, f"emokids-{number}.pdf", "application/pdf", key=f"cards{number}", on_click="ignore"
    )


def _show_picture(number: int, face: MadeFace, name: str) -> None:
    """One version of a face, and what is to be known about it; one that failed can't be saved."""
    picture, check = face.portraits[name], face.checks.get(name)
    st.image(picture, width="stretch", alt=emotion_word(name))
    st.markdown(f"**{emotion_word(name)}**", text_alignment="center")
    if check and check.state == "failed":
        st.warning(word("failed", reason=reason_word(check.reason)))
        return
    if check and check.state == "weak":
        st.info(word("weak", reason=reason_word(check.reason)))
    file = f"emokids-{number}-{name}.jpg"
    label = word("save")
    st.download_button(label, picture, file, "image/jpeg", key=file, on_click="ignore", width="stretch")


def _show_left_out(made: Made) -> None:
    """Faces that were left as they are, and why."""
    st.header(word("leftOut"), anchor=False)
    for picture in made.left_out:
        head, why = st.columns((1, 5), vertical_alignment="center")
        head.image(picture, width="stretch", alt=word("leftOut"))
        why.write(word("noMesh"))


def zipped(made: Made) -> bytes:
    """All pictures that a child may see: the whole photo and each head, by name."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        shown = [name for name in made.photos if all(name in face.to_show for face in made.faces)]
        for name, picture in ((name, made.photos[name]) for name in shown):
            packed.writestr(f"photo/{name}.jpg", picture)
        for number, face in enumerate(made.faces, 1):
            for name, picture in face.to_show.items():
                packed.writestr(f"face-{number}/{name}.jpg", picture)
    return file.getvalue()
