"""Visitors of the Streamlit app who closed their window: everything of theirs is forgotten a minute later.

Left to itself, Streamlit forgets a visitor, photo and all, only when the next one comes; and it does not know what
else is open for them, such as the mirror. "Play again" closes that too, through the same door.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

GRACE_SECONDS = 60.0  # for a page that is loaded again, or a laptop that was shut for a moment
LOOK_SECONDS = 10.0


class Closing(Protocol):
    """What is open for a visitor."""

    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=Closing)

_last_seen: dict[str, float] = {}  # by session
_open: dict[str, Closing] = {}  # by session
_opening = threading.Lock()


class Sessions(Protocol):
    """What Streamlit's runtime offers about its sessions."""

    def is_active_session(self, session_id: str) -> bool: ...
    def close_session(self, session_id: str) -> None: ...


def this_session() -> str:
    """The session whose page runs now; empty outside Streamlit."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    visit = get_script_run_ctx()
    return visit.session_id if visit else ""


def note_visit() -> None:
    """The visitor whose page runs now is here."""
    _last_seen[this_session()] = time.monotonic()


def opened(open_one: Callable[[], Opened]) -> Opened:
    """What is open for the visitor whose page runs now, opened if need be; it is closed when they have left."""
    # Two runs of a page can overlap: Streamlit starts the next while the one before waits for a network to load.
    with _opening:
        session = this_session()
        if session not in _open:
            _open[session] = open_one()
        return cast(Opened, _open[session])


def close_for_this_visitor() -> None:
    """Close what is open for the visitor whose page runs now."""
    if this := _open.pop(this_session(), None):
        this.close()


def close_for_everybody() -> None:
    """Close what is open for any visitor: the app ends."""
    while _open:
        _open.popitem()[1].close()


async def forget_departed_visitors() -> None:
    """Look every few seconds, until cancelled."""
    from streamlit.runtime import get_instance

    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for left in look(get_instance(), time.monotonic()):
            await asyncio.to_thread(left.close)  # it may have to wait for a frame that is being looked at


def look(sessions: Sessions, now: float) -> list[Closing]:
    """Forget those who left more than `GRACE_SECONDS` before `now`; what is still open for them is returned."""
    closing: list[Closing] = []
    for session in list(_last_seen):
        if sessions.is_active_session(session):
            _last_seen[session] = now
        elif now - _last_seen[session] > GRACE_SECONDS:
            del _last_seen[session]
            sessions.close_session(session)
            if session in _open:
                closing.append(_open.pop(session))
    return closing
