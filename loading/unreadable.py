"""Images that can't be read: each is reported once; too many of them stop the run."""

from __future__ import annotations

from collections.abc import Callable

from common.errors import RunStopped
from imaging.image_folder import LabelledImages

Broken = list[tuple[int, str]]  # index of an image that could not be read, and why

TOLERATED = 0.1  # share of the images that may turn out unreadable before a run stops


class Unreadable:
    """The images that could not be read so far."""

    def __init__(self, images: LabelledImages, say: Callable[[str], None]) -> None:
        self.images = images
        self.say = say
        self.found: set[int] = set()

    def add(self, broken: Broken) -> None:
        """Name new ones; raise `RunStopped` with the list when they are more than `TOLERATED` of the images."""
        for index, reason in broken:
            if index not in self.found:
                self.found.add(index)
                self.say(f"unreadable image {len(self.found)}, replaced by the next one: {reason}")
        if len(self.found) > TOLERATED * len(self.images.paths):
            names = ", ".join(self.images.paths[index] for index in sorted(self.found))
            raise RunStopped(
                f"{len(self.found)} of {len(self.images.paths)} images can't be read, more than {TOLERATED:.0%}: "
                f"repair the data, then the same command with --resume_iters latest; they are {names}"
            )
