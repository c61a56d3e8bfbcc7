"""What keeps a long run safe: one run in a folder, a clean stop, NaN noticed.

- `RunLock`: one run at a time in one folder of checkpoints.
- `GracefulStop`: SIGINT, SIGTERM or its time ask a run to end after its iteration; a second SIGINT ends it at once.
- `LossWatch`: the losses, read every `log_step` iterations so that no other waits for the GPU, NaN and infinity found.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import filelock
import torch
from torch import Tensor

from common.errors import UserError
from losses import Parts

LOCK_TIMEOUT = 8  # seconds: the loaders of a run that was killed hold its lock until they notice


class RunLock:
    """A lock the system gives back when the process ends, however it ends; taken more than once, held once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = filelock.FileLock(folder / ".lock", thread_local=False)

    def acquire(self) -> None:
        """Raise `UserError` where another process trains into the folder."""
        if self._lock.is_locked:
            return
        try:
            self._lock.acquire(timeout=LOCK_TIMEOUT)
        except filelock.Timeout as error:
            raise UserError(
                f"another run is training into {self.folder}: wait for it, stop it, or name another --model_save_dir"
            ) from error

    def release(self) -> None:
        """Let the next run in."""
        self._lock.release(force=True)


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


class NotFinite(Exception):
    """A loss or weight became NaN or infinite."""

    def __init__(self, what: str, i: int, value: float = float("nan")) -> None:
        super().__init__(f"{what} became {value} at iteration {i}")


class LossWatch:
    """Remembers the losses since the last look, on their device, and looks at all of them together.

    `mean` takes the mean over the processes of a run: NaN or infinity in one of them is found in all.
    """

    def __init__(self, mean: Callable[[Sequence[float]], Sequence[float]] = list) -> None:
        self._mean = mean
        self._seen: list[tuple[int, str]] = []
        self._values: list[Tensor] = []

    def add(self, i: int, parts: Parts) -> None:
        """Remember iteration `i`'s losses; nothing is read yet."""
        self._seen += [(i, name) for name in parts]
        self._values += [value.detach().float() for value in parts.values()]

    def read(self) -> dict[str, float]:
        """The last value of each loss since the last look; raises `NotFinite` for the first that is NaN or infinite."""
        seen, values = self._seen, self._values
        self._seen, self._values = [], []
        if not values:
            return {}
        latest = {}
        for (i, name), value in zip(seen, self._mean(torch.stack(values).tolist()), strict=True):
            if value - value != 0:  # only of NaN and the infinities
                raise NotFinite(name, i, value)
            latest[name] = value
        return latest
