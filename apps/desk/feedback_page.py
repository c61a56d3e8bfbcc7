"""Feedback: the child's mirror, and how near a picture comes to each emotion, with what would bring it nearer."""

from __future__ import annotations

import streamlit as st

from apps import expression_rules
from apps.desk import mirror_files
from apps.desk.photo_input import ask_for_photo, studio_or_why
from apps.desk.studio import Studio
from apps.desk.words import emotion_word, is_english, word
from apps.learned_feedback import Blendshapes
from common import emotions
from imaging.photo import UnreadablePhoto

HEIGHT = 560  # pixels of the mirror's frame


def show() -> None:
    """The page."""
    st.title(word("feedbackPage"), anchor=False)
    mirror, picture = st.tabs([word("mirror"), word("picture")])
    with mirror:
        st.write(word("feedbackText"))
        language = "en" if is_english() else "ko"
        st.iframe(f"{mirror_files.ADDRESS}/desk.html?lang={language}", height=HEIGHT, alt=word("mirror"))
    with picture:
        st.write(word("pictureText"))
        file = ask_for_photo("feedback")
        if file and (studio := studio_or_why()):
            _judge(studio, file)


def _judge(studio: Studio, file: bytes) -> None:
    """Five meters of a picture."""
    try:
        seen = studio.look(file)
    except UnreadablePhoto:
        st.error(word("unreadable"))
        return
    if seen is None:
        st.warning(word("noFace"))
        return
    picture, meters = st.columns((1, 2))
    picture.image(seen.portrait, width="stretch", alt=word("picture"))
    with meters:
        _show_meters(seen.blendshapes)


def _show_meters(face: Blendshapes) -> None:
    """The nearest emotion first."""
    nearness = {name: expression_rules.meter(name, face) for name in emotions.FIVE}
    for name in sorted(nearness, key=nearness.__getitem__, reverse=True):
        meter = nearness[name]
        reached = f" · {word('reachedMark')}" if meter >= expression_rules.REACHED else ""
        st.progress(meter, word("nearTo", emotion=emotion_word(name), percent=round(100 * meter)) + reached)
        if not reached:
            rule = expression_rules.hint(name, face)
            st.write(rule.english if is_english() else rule.korean)
