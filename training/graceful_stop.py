"""What asks a run to end after its iteration: SIGINT, SIGTERM, or its time; a second SIGINT ends it at once."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType


class GracefulStop:
    """A context in which `asked` turns into the number of the signal that asked the run to stop."""

    def __init__(self, max_minutes: float | None = None) -> None:
        self.asked: int | None = None
        self.seconds = None if max_minutes is None else 60 * max_minutes
        self.started = time.monotonic()

    def __enter__(self) -> GracefulStop:
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def time_is_up(self, reserve: float = 0) -> bool:
        """Whether less than `reserve` seconds of the allowed minutes are left."""
        return self.seconds is not None and time.monotonic() - self.started + reserve >= self.seconds

    def _ask(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.asked = number
        print("\nstopping after this iteration ...", file=sys.stderr, flush=True)
