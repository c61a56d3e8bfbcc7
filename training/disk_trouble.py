"""A disk that is full or gone for a while: say so, wait where waiting helps, and give up with one sentence."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from errors import RunStopped

PAUSES = (5, 15, 40)  # seconds between tries

# Somebody makes room, a quota is raised, a network disk comes back.
_MAY_PASS = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "EBUSY", "EHOSTDOWN", "ENOTCONN")
    if hasattr(errno, name)
)


def patiently(
    write: Callable[[], Any], what: str, say: Callable[[str], None], hurried: Callable[[], bool] = lambda: False
) -> None:
    """Call `write`, again after each of `PAUSES` where the trouble may pass; else `RunStopped`.

    `hurried()` ends the waiting: a batch scheduler that asked the run to stop gives it 30 seconds.
    """
    for pause in (*PAUSES, None):
        try:
            write()
            return
        except OSError as error:
            if pause is None or error.errno not in _MAY_PASS or hurried():
                raise RunStopped(
                    f"{what} could not be written ({error}): everything saved before is whole; mend the disk, then "
                    "the same command with --resume_iters latest"
                ) from error
            say(f"{what} could not be written ({error}): trying again in {pause} s")
        until = time.monotonic() + pause
        while time.monotonic() < until and not hurried():
            time.sleep(0.2)
