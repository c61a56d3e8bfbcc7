"""Progress of long work: how much is done, how fast, how long it will take."""

from __future__ import annotations

import io
import sys

from tqdm import tqdm


class _Lines(tqdm):
    """Where there is no terminal, as in a log file: a plain line now and then."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Print where things stand."""
        print(msg or self, file=sys.stderr, flush=True)


def progress_bar(total: int, unit: str) -> tqdm:
    """A bar on a terminal, else a line every half minute; a context manager to `update(n)`."""
    if sys.stderr.isatty():
        return tqdm(total=total, unit=f" {unit}", mininterval=1, smoothing=0.05)
    line = f"{{n_fmt}} of {{total_fmt}} {unit}, {{rate_fmt}}, {{remaining}} left"
    unprinted = io.StringIO()  # the control characters with which tqdm would clear its bar
    return _Lines(
        total=total, unit=f" {unit}", mininterval=30, smoothing=0.05, bar_format=line, file=unprinted, leave=False
    )
