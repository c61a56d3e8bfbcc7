"""SIGINT and SIGTERM ask a run to stop at the end of its iteration; a second SIGINT stops it at once."""

from __future__ import annotations

import signal
import sys
from types import FrameType


class GracefulStop:
    """A context in which `asked` turns into the number of the signal that asked the run to stop."""

    def __init__(self) -> None:
        self.asked: int | None = None

    def __enter__(self) -> GracefulStop:
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.asked = number
        print("\nstopping after this iteration ...", file=sys.stderr, flush=True)
