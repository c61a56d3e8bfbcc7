"""감정 피드백: the visitor's own face with an emotion, a live mirror beside it, and one thing to try at a time."""

from __future__ import annotations

import base64
import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from apps.collected_photos import to_jpeg
from apps.emokids import look
from apps.emokids.make_faces_page import own_faces
from apps.emokids.mirror_server import LiveMirror
from apps.emokids.words import emotion_word, is_english, turn_title, word
from common import emotions, pretrained_files
from common.errors import UserError
from imaging.draw_faces import draw_face

if TYPE_CHECKING:
    from apps.emokids.mirror import Judge
    from apps.emokids.studio import Faces

VIEW = Path(__file__).resolve().parent / "mirror_view"
JUDGE_VARIABLE = "STARGAN_FE_JUDGE"
FIRST = "happy"  # the easiest, and the one children like best
DRAWN_CHILD = 26  # whose drawn face stands in until there is the visitor's own


def show() -> None:
    """The page."""
    emotion = ask_for_emotion()
    look.title(turn_title(emotion), emotion)
    faces = own_faces()
    live = visitors_mirror()
    if live and st.session_state.get("turn") != (emotion, faces):
        begin(live, emotion, faces)
    mirror_view(key="mirror", data=view_data(live, emotion, faces))
    if live and st.button(word("oneMore"), width="stretch"):
        begin(live, emotion, faces)
    if not faces:
        st.caption(word("drawnFace"))


def ask_for_emotion() -> str:
    """One of the five; the last one chosen, when a visitor comes back to the page."""
    if "target" not in st.session_state:
        st.session_state.target = st.session_state.get("emotion", FIRST)
    st.session_state.emotion = st.segmented_control(
        word("whichEmotion"),
        emotions.FIVE,
        required=True,
        format_func=emotion_word,
        key="target",
        label_visibility="collapsed",
        width="stretch",
    )
    return st.session_state.emotion


def begin(live: LiveMirror, emotion: str, faces: Faces | None) -> None:
    """A new attempt, compared with the visitor's own resting face where it is known."""
    st.session_state.turn = emotion, faces
    live.begin(emotion, faces.rest if faces else None)


def visitors_mirror() -> LiveMirror | None:
    """This visitor's mirror; None, said on stderr, where it can't be had."""
    if "live" not in st.session_state:
        try:
            st.session_state.live = LiveMirror(second_opinion())
        except UserError as error:
            print(f"The page works without its mirror: {error}", file=sys.stderr)
            return None
    return st.session_state.live


def view_data(live: LiveMirror | None, emotion: str, faces: Faces | None) -> dict[str, object]:
    """What mirror.js needs to know."""
    picture = faces.portraits[emotion] if faces else drawn_face(emotion)
    name = emotion_word(emotion)
    words = {key: word(key) for key in ("look", "me", "meter", "mirrorLoading", "cameraRefused", "offline", "noMirror")}
    return {
        "picture": "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii"),
        "address": live.address if live else None,
        "english": is_english(),
        "words": {**words, "picture": word("faceOf", emotion=name) if faces else name},
    }


def mirror_view(**arguments):
    """Mount the browser's part of the mirror."""
    html, css, js = ((VIEW / f"mirror.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("mirror", html=html, css=css, js=js)(**arguments)


@functools.cache
def drawn_face(emotion: str) -> bytes:
    """A drawn face with the emotion, as a JPEG."""
    return to_jpeg(draw_face(DRAWN_CHILD, emotion, size=640))


@st.cache_resource(show_spinner=False)
def second_opinion() -> Judge | None:
    """The emotion judge that STARGAN_FE_JUDGE names, or the published one where it is at hand; it is not fetched."""
    path = os.environ.get(JUDGE_VARIABLE) or pretrained_files.at_hand("enet_b2_7")
    if not path:
        return None
    from apps.emokids import mirror
    from emotion_recognition import EmotionRecognizer

    try:
        return mirror.second_opinion(EmotionRecognizer.load(path, images_at_once=1))
    except UserError as error:
        print(f"The mirror asks no judge: {error}", file=sys.stderr)
        return None
