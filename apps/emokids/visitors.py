"""Visitors of the Streamlit app who closed their window: everything of theirs is forgotten a minute later.

Left to itself, Streamlit forgets a visitor, photo and all, only when the next one comes.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

GRACE_SECONDS = 60.0  # for a page that is loaded again, or a laptop that was shut for a moment
LOOK_SECONDS = 10.0

_last_seen: dict[str, float] = {}  # by session


class Sessions(Protocol):
    """What Streamlit's runtime offers about its sessions."""

    def is_active_session(self, session_id: str) -> bool: ...
    def close_session(self, session_id: str) -> None: ...


def note_visit() -> None:
    """The visitor whose page runs now is here."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    visit = get_script_run_ctx()
    if visit:
        _last_seen[visit.session_id] = time.monotonic()


async def forget_departed_visitors() -> None:
    """Look every few seconds, until cancelled."""
    from streamlit.runtime import get_instance

    while True:
        await asyncio.sleep(LOOK_SECONDS)
        look(get_instance(), time.monotonic())


def look(sessions: Sessions, now: float) -> None:
    """Forget those who left more than `GRACE_SECONDS` before `now`."""
    for session in list(_last_seen):
        if sessions.is_active_session(session):
            _last_seen[session] = now
        elif now - _last_seen[session] > GRACE_SECONDS:
            del _last_seen[session]
            sessions.close_session(session)
