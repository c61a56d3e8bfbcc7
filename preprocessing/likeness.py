"""Pictures that are nearly the same: resized, recompressed or in other light. A perceptual hash tells.

Zauner's pHash (2010) in 256 bits: the signs of a photo's 16×16 lowest frequencies about their median. On 1,400 real
close-ups of one size, copies of half the size, of 96 pixels, in JPEG of quality 50, or brighter were at most 12 bits
away, and no other photo less than 56. The library that offers it (ImageHash) brings SciPy and PyWavelets along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

NEAR = 24  # bits of 256: less apart are one picture
SIDE = 64  # pixels: what the frequencies are computed from
LOWEST = 16  # frequencies along each axis
ROWS_AT_ONCE = 256

Entry = tuple[str, str, str]  # what is not divided (a person, or a photo of nobody known), split, likeness


def likeness(pixels: NDArray[np.uint8]) -> str:
    """The hash of uint8 RGB [H, W, 3] as 64 hex digits."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low = cv2.dct(grey)[:LOWEST, :LOWEST].ravel()
    low[0] = np.median(low[1:])  # the mean grey says nothing
    return np.packbits(low > np.median(low)).tobytes().hex()


def on_both_sides(entries: Iterable[Entry]) -> set[str]:
    """Who is to leave "val": those with a picture that is nearly one in "train", or nearly one of theirs who leave."""
    known = [entry for entry in entries if entry[2]]
    owners = [owner for owner, _, _ in known]
    hashes = np.array([list(bytes.fromhex(digits)) for _, _, digits in known], np.uint8).view(np.uint64)
    held_out = np.flatnonzero([split == "val" for _, split, _ in known])
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for start in range(0, len(held_out), ROWS_AT_ONCE):
        part = held_out[start : start + ROWS_AT_ONCE]
        rows, columns = np.nonzero(np.bitwise_count(hashes[part, None, 0] ^ hashes[None, :, 0]) <= NEAR)
        apart = np.bitwise_count(hashes[part[rows]] ^ hashes[columns]).sum(axis=1)
        for row, column in zip(part[rows[apart <= NEAR]], columns[apart <= NEAR], strict=True):
            neighbours[owners[column]].add(owners[row])
    trained = {owner for owner, split, _ in known if split == "train"}
    leaving: set[str] = set()
    waiting = [owner for owner in neighbours if owner in trained]
    while waiting:
        for owner in neighbours.get(waiting.pop(), ()):
            if owner not in trained and owner not in leaving:
                leaving.add(owner)
                waiting.append(owner)
    return leaving
