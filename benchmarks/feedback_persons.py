"""Who is who among real faces: they are divided into halves and folds by person, not by picture.

Nothing says who is in `faces`. dlib's face recognition network and average-linkage clustering do: several frames of one
film, or photos of one politician, then never lie on both sides.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.cluster import hierarchy

from face_identity import IdentityNetwork

SAME = 0.55  # mean distance of descriptors below which two groups are one person


def persons(pictures: Iterable[tuple[str, np.ndarray]], kept: Path | None) -> dict[str, str]:
    """The person on each picture, (path, pixels), by the path: named after their first picture."""
    files, descriptors = read_descriptors(pictures, kept)
    known = ~np.isnan(descriptors).any(axis=1)
    groups = hierarchy.fcluster(hierarchy.linkage(descriptors[known], "average"), SAME, "distance")
    first: dict[int, str] = {}
    found = {file: file for file in files}
    for file, group in zip(np.array(files)[known].tolist(), groups.tolist(), strict=True):
        found[file] = first.setdefault(group, file)
    return found


def read_descriptors(pictures: Iterable[tuple[str, np.ndarray]], kept: Path | None) -> tuple[list[str], np.ndarray]:
    """dlib's 128 numbers of each picture; NaN where no face was found."""
    if kept and kept.exists():
        with np.load(kept) as content:
            return content["files"].tolist(), content["descriptors"]
    files, rows = [], []
    with IdentityNetwork.load() as network:
        for file, picture in pictures:
            files.append(file)
            rows.append(network.descriptors(picture[None])[0])
    if kept:
        np.savez(kept, files=files, descriptors=np.array(rows))
    return files, np.array(rows)


def number_of(person: str, parts: int, salt: str = "") -> int:
    """Which of so many parts a person is in: by a hash of their name."""
    return zlib.crc32(f"{salt}{person}".encode()) % parts
