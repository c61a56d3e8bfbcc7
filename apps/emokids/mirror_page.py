"""거울: the visitor's own face with an emotion, a live mirror beside it, and one thing to try at a time."""

from __future__ import annotations

import base64
import html
import os
import sys
import time
from typing import TYPE_CHECKING

import streamlit as st

from apps.emokids import look, play_again, visitors
from apps.emokids.camera_view import camera_refused, mirror_view
from apps.emokids.friend_faces import IDENTITIES, drawn_picture
from apps.emokids.make_faces_page import faces, is_own
from apps.emokids.mirror_server import LiveMirror
from apps.emokids.play import Play, Try
from apps.emokids.settings import settings
from apps.emokids.words import in_sentence, is_english, word
from common import pretrained_files
from common.errors import UserError

if TYPE_CHECKING:
    from apps.emokids.mirror import Judge

JUDGE_VARIABLE = "STARGAN_FE_JUDGE"


def show() -> None:
    """The page: the mirror, or what follows a turn."""
    play = st.session_state.setdefault("play", Play())
    if play.over:
        show_end(play)
    elif play.resting:
        show_rest(play)
    else:
        emotion = ask_for_emotion(play)
        if play.comparing and play.tries.get(emotion):
            show_comparison(play, emotion)
        else:
            show_mirror(play, emotion)


def ask_for_emotion(play: Play) -> str:
    """One of those the adult chose; the last one, when a visitor comes back to the page."""
    order = settings().order
    if st.session_state.get("emotion") not in order:
        st.session_state.emotion = order[0]
    st.session_state.target = st.session_state.emotion
    stars = {name: " ★" for name in order if play.has_star(name)}
    st.segmented_control(
        word("whichEmotion"),
        order,
        required=True,
        format_func=lambda name: word(name) + stars.get(name, ""),
        key="target",
        on_change=choose_emotion,
        label_visibility="collapsed",
        width="stretch",
    )
    return st.session_state.emotion


def choose_emotion() -> None:
    """The one just clicked. Streamlit keeps this function after the child has left, so it must not hold their tries."""
    st.session_state.emotion = st.session_state.target
    st.session_state.play.comparing = False


# --- The mirror -----------------------------------------------------------------------------------------------


def show_mirror(play: Play, emotion: str) -> None:
    """The face to make beside the camera's picture. What the child makes of it is kept by itself once it succeeds."""
    look.title(word("makeTitle", emotion=in_sentence(emotion)), emotion)
    live = visitors_mirror()
    if live:
        begin_where_new(live, play, emotion)
    tried = mirror_view("mirror", view_data(live, emotion))
    if tried and tried["emotion"] == emotion:
        closer = live is not None and live.closer
        play.add(emotion, Try(base64.b64decode(tried["picture"]), bool(tried["reached"]), closer))
        st.session_state.pop("turn", None)
        st.rerun()
    rest, finish = st.columns(2)
    if settings().break_button and rest.button(word("rest"), width="stretch"):
        play.resting = True
        st.rerun()
    finish_button(play, finish)
    if not faces():
        st.caption(word("drawnFace"))


def begin_where_new(live: LiveMirror, play: Play, emotion: str) -> None:
    """A new attempt where another emotion, face or difficulty was chosen, compared with the visitor's resting face."""
    own = faces() if is_own() else None
    chosen = settings()
    turn = emotion, own, chosen.difficulty, chosen.hold_seconds
    if st.session_state.get("turn") != turn:
        st.session_state.turn = turn
        live.begin(emotion, own.rest if own else None, chosen.difficulty, chosen.hold_seconds)
        if play.began is None:
            play.began = time.monotonic()


def visitors_mirror() -> LiveMirror | None:
    """This visitor's mirror; None, said on stderr, where it can't be had."""
    try:
        live = visitors.opened(lambda: LiveMirror(second_opinion()))
    except UserError as error:
        print(f"The page works without its mirror: {error}", file=sys.stderr)
        return None
    st.session_state.live = live
    return live


def model_picture(emotion: str) -> bytes:
    """The face to make, as a JPEG: the one that is played with, or a drawn one."""
    made = faces()
    return made.portraits[emotion] if made else drawn_picture(IDENTITIES[0], emotion, settings().strength)


def view_data(live: LiveMirror | None, emotion: str) -> dict[str, object]:
    """What mirror.js needs to know."""
    words = ("look", "me", "meter", "mirrorLoading", "noConnection", "noMirror", "shutter")
    return {
        "emotion": emotion,
        "picture": look.data_url(model_picture(emotion)),
        "address": live.address if live else None,
        "english": is_english(),
        "spoken": settings().spoken,
        "words": {
            **{key: word(key) for key in words},
            **camera_refused(),
            "picture": word(emotion),
        },
    }


# --- After a turn ---------------------------------------------------------------------------------------------


def show_comparison(play: Play, emotion: str) -> None:
    """The child's own face beside the one to make. Praise stays until the child goes on."""
    look.title(word(emotion), emotion)
    with st.container(key="beside"):
        show_pair(play, emotion)


def show_pair(play: Play, emotion: str) -> None:
    """Both faces, what is said of them, and the ways on."""
    tried = play.tries[emotion][-1]
    pictures = (
        (model_picture(emotion), word(emotion), word("look")),
        (tried.picture, word("me"), word("me")),
    )
    st.html(f'<div class="emokids-pair">{"".join(figure(*picture) for picture in pictures)}</div>')
    praise = word("closerTitle" if tried.closer else "compareTitle")
    if tried.reached:
        praise = f"{look.symbol('star')} {word('reachedTitle')}"
    st.html(f'<p class="emokids-praise" role="status">{praise}</p>')
    keep, again, finish = st.columns(3)
    if keep.button(word("keep"), type="primary", width="stretch"):
        go_on(play, emotion)
    if again.button(word("again"), width="stretch"):
        play.try_again(emotion)
        st.rerun()
    finish_button(play, finish)


def figure(picture: bytes, alt: str, caption: str, star: bool = False) -> str:
    """A picture with words below, as HTML."""
    star_too = look.symbol("star", word("star")) + " " if star else ""
    image = f'<img class="face" alt="{html.escape(alt)}" src="{look.data_url(picture)}">'
    return f"<figure>{image}<figcaption>{star_too}{caption}</figcaption></figure>"


def go_on(play: Play, emotion: str) -> None:
    """To the next turn, or to the end when all are through or the time is up."""
    chosen = settings()
    following = play.next(emotion, chosen.order, chosen.rounds)
    play.comparing = False
    if following is None or play.time_is_up(time.monotonic(), chosen.minutes):
        play.over = True
    else:
        st.session_state.emotion = following
    st.rerun()


def finish_button(play: Play, column: st.delta_generator.DeltaGenerator) -> None:
    """The way to the end, at any time."""
    if column.button(word("finish"), width="stretch"):
        play.over, play.comparing = True, False
        st.session_state.pop("turn", None)
        st.rerun()


def show_rest(play: Play) -> None:
    """A break, with the camera off."""
    look.title(word("restTitle"))
    st.write(word("restText"))
    if st.button(word("restDone"), type="primary"):
        play.resting = False
        st.rerun()


def show_end(play: Play) -> None:
    """The child's own faces, a star for each that it reached, and then it is over."""
    look.title(word("endTitle"))
    best = [(name, tried) for name in settings().order if (tried := play.best(name))]
    mine = "".join(
        figure(tried.picture, word("mineOf", emotion=word(name).lower()), word(name), tried.reached)
        for name, tried in best
    )
    st.html(f'<div class="emokids-mine">{mine}</div>')
    st.write(word("endText" if best else "endNothing"))
    again, *_ = st.columns(3)
    with again:
        play_again.button()


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
