"""A visit in the memory of the browser's page, so that a child goes on where it was when the program was started again.

The page gets it with each run, hands it to a session that does not know it, and forgets it with "play again".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import streamlit as st
from pydantic import ConfigDict, TypeAdapter

from apps.collected_photos import to_jpeg
from apps.emokids import guess_page, make_faces_page, mirror_page, visitors
from apps.emokids.camera_view import keeper
from apps.emokids.guess_page import Guess
from apps.emokids.make_faces_page import Child
from apps.emokids.play import Play
from apps.emokids.practice import Entry
from apps.emokids.studio import LONGEST, Faces, studio
from common.errors import UserError
from imaging.photo import Photo, UnreadablePhoto

KEY = "kept-visit"
TAKEN = "taken-visit"  # the session whose visit this one goes on with
QUALITY = 95  # JPEG quality of a photo whose faces are still to be made
JPEG = b"\xff\xd8\xff"


@dataclass
class Kept:
    """A visit as JSON holds it."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    photo: bytes | None = None  # until faces were made of it
    friend: int | None = None
    own: bool = True
    made: Faces | None = None  # with strong emotions
    play: Play = field(default_factory=Play)
    emotion: str | None = None
    record: list[Entry] = field(default_factory=list)
    guess: Guess | None = None

    def pictures(self) -> Iterator[bytes]:
        """All of them but the photo."""
        if self.made:
            yield from (*self.made.photos.values(), *self.made.portraits.values())
        for tries in self.play.tries.values():
            yield from (tried.picture for tried in tries)


AS_JSON = TypeAdapter(Kept)


def keep() -> None:
    """Have the page keep the visit as it is now."""
    taken = st.session_state.get(TAKEN)
    keeper(KEY, {"session": visitors.this_session(), "visit": this_visit(), "taken": taken}, take_back)


def this_visit() -> str | None:
    """The visit of the child whose page runs now; None before it began."""
    state = st.session_state
    child: Child | None = state.get(make_faces_page.STATE)
    live, play, guess = state.get("live"), state.get("play"), state.get(guess_page.STATE)
    if not (child or live or play or guess):
        return None
    kept = Kept(play=play or Play(), emotion=state.get("emotion"), guess=guess)
    if live:
        kept.record = live.practice.entries
    if child:
        kept.friend, kept.own, kept.made = child.friend, child.own, child.made.get("very")
        if child.photo is not None and not kept.made:
            kept.photo = to_jpeg(child.photo, QUALITY)
    return AS_JSON.dump_json(kept).decode()


def take_back() -> None:
    """Go on with what the page hands back; it does so more than once while the session is busy."""
    handed = st.session_state[KEY].handed
    if handed["session"] == st.session_state.get(TAKEN):
        return
    st.session_state[TAKEN] = handed["session"]
    try:
        kept = AS_JSON.validate_json(handed["visit"])
        for picture in kept.pictures():
            check(picture)
        child = child_of(kept)
    except (ValueError, UnreadablePhoto, UserError) as error:
        print(f"What the page kept of a visit can't be used: {error}", file=sys.stderr)
        return
    go_on(kept, child)


def check(picture: bytes) -> None:
    """Raise `UnreadablePhoto` for anything but a JPEG as the app makes them: a page can hand over what it likes."""
    if not picture.startswith(JPEG):
        raise UnreadablePhoto("not a JPEG")
    opened = Photo(BytesIO(picture))
    if max(opened.width, opened.height) > LONGEST:
        raise UnreadablePhoto("too large")


def child_of(kept: Kept) -> Child | None:
    """Whose face is played with. Where its faces were not made yet, they are looked for in the photo again."""
    if kept.photo:
        photo = studio().read(kept.photo)
        return Child(photo, studio().find_faces(photo), own=kept.own)
    if kept.made or kept.friend is not None:
        return Child(friend=kept.friend, own=kept.own, made={"very": kept.made} if kept.made else {})
    return None


def go_on(kept: Kept, child: Child | None) -> None:
    """Put everything back in its place."""
    found = {make_faces_page.STATE: child, "emotion": kept.emotion, guess_page.STATE: kept.guess}
    for name, value in found.items():
        if value is not None:
            st.session_state[name] = value
    st.session_state.play = kept.play
    live = mirror_page.visitors_mirror() if kept.record else None
    if live:
        live.practice.entries[:] = kept.record
