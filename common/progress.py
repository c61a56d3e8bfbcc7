"""Progress of long work: how much is done, how fast, how long it will take."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Protocol, TypeVar

from tqdm import tqdm

Item = TypeVar("Item", covariant=True)


class Counted(Protocol[Item]):
    """What has a length and can be gone through."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Item]: ...


class _Lines(tqdm):
    """Where there is no terminal, as in a log file: a plain line now and then."""

    printed: float = 0  # how much was done when the last line was

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Print where things stand, once there is something new to tell."""
        # "" is tqdm's way to clear a bar that is not to be left
        if msg != "" and self.n > max(self.initial, self.printed):
            self.printed = self.n
            print(msg or self, file=sys.stderr, flush=True)


def progress_bar(total: int, unit: str, what: str = "", leave: bool = True) -> tqdm:
    """A bar on a terminal, else a line every half minute; a context manager to `update(n)`.

    `unit` is what is counted, as "photos"; `what` is done with them, where that is not plain. What is not to
    `leave` anything has no last line, and a bar vanishes.
    """
    if sys.stderr.isatty():
        return tqdm(total=total, unit=f" {unit}", desc=what or None, mininterval=1, smoothing=0.05, leave=leave)
    before = f"{what}: " if what else ""
    line = f"{before}{{n_fmt}} of {{total_fmt}} {unit}, {{rate_fmt}}, {{remaining}} left"
    unprinted = io.StringIO()  # the control characters with which tqdm would clear its bar
    return _Lines(
        total=total, unit=f" {unit}", mininterval=30, smoothing=0.05, bar_format=line, file=unprinted, leave=leave
    )


def tracked(items: Counted[Item], unit: str, what: str = "", leave: bool = True) -> Iterator[Item]:
    """The items one after the other, with a `progress_bar`."""
    with progress_bar(len(items), unit, what, leave) as progress:
        for item in items:
            yield item
            progress.update()
