"""Whether translations still show the same person: compared with their own face, and with everybody else's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from common.errors import UserError
from face_identity import Alignment, IdentityNetwork

OTHERS = 2000  # other faces that a translation is compared with, at most


class SamePerson:
    """The real faces `paths`, measured once, and translations compared with them. `close()` it.

    Where the face recognition network can't be had, `problem` says why, and nothing is measured.
    """

    def __init__(self, paths: Sequence[str], device: torch.device) -> None:
        self.problem = ""
        self._network: IdentityNetwork | None = None
        try:
            self._network = IdentityNetwork.load(device)
        except UserError as error:
            self.problem = str(error)
        self._persons = np.unique([person_of(path) for path in paths], return_inverse=True)[1]
        self._others = np.random.default_rng(0).permutation(len(paths))[:OTHERS]
        self._alignments: list[Alignment] = []
        self._reals = np.empty((0, 128), np.float32)

    def add_reals(self, images: NDArray[np.uint8]) -> None:
        """Measure the next of the real faces, uint8 RGB [N, H, W, 3]."""
        if self._network:
            alignments = self._network.align(images)
            self._alignments += alignments
            self._reals = np.concatenate([self._reals, self._network.descriptors(images, alignments)])

    def compare(self, first: int, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Distances of translations to their own face and to the nearest of other persons: [N, 2].

        They were made from the real faces number `first` and following. NaN where a face was not found.
        """
        if not self._network:
            return np.full((len(images), 2), np.nan, np.float32)
        rows = slice(first, first + len(images))
        fakes = self._network.descriptors(images, self._alignments[rows])
        mine = np.linalg.norm(fakes - self._reals[rows], axis=1)
        distances = np.linalg.norm(fakes[:, None] - self._reals[self._others], axis=2)
        same = self._persons[rows, None] == self._persons[self._others]
        others = np.where(same | np.isnan(distances), np.inf, distances).min(axis=1)
        return np.column_stack([mine, np.where(np.isinf(others), np.nan, others)])

    def close(self) -> None:
        """Free the networks."""
        if self._network:
            self._network.close()


def summary(compared: NDArray[np.float32]) -> dict[str, float]:
    """What `compare` found, in numbers for a table; empty where nothing was measured."""
    mine, other = compared[~np.isnan(compared).any(axis=1)].T
    if not len(mine):
        return {}
    return {
        "own face is nearest": float((mine < other).mean()),
        "distance to own face": float(mine.mean()),
        "to nearest other person": float(other.mean()),
    }


def person_of(path: str) -> str:
    """Who is on a face: the code that AI Hub's file names begin with, else the name without preprocessing's number.

    Files of one name in two emotions' folders may show one person: they do not count as each other's strangers.
    """
    name = re.sub(r"-[0-9a-f]{16}$", "", Path(path).stem)
    code = re.match(r"[0-9a-f]{32,60}", name)
    return code[0] if code else name
