"""Files that are the same picture, bit by bit, under several names: copied folders are common in public data sets."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from imaging.photo import UnreadablePhoto
from preprocessing.input_files import Source

SAMPLE = 4096  # bytes: photos of one length differ in some such part near the middle

Key = TypeVar("Key")


def same_content(walk: Callable[[], Iterable[Source]]) -> dict[str, str]:
    """Name and digest of each file whose content another one has, too.

    Only files of one length are opened, and only those that agree in the middle are read whole. `walk` lists the files
    each time it is called, in any order.
    """
    lengths = Counter(source.length for source in walk() if not source.problem)
    alike = [source for source in walk() if not source.problem and lengths[source.length] > 1 and source.length > 0]
    suspects = _with_company(alike, lambda source: (source.length, _middle(source)))
    digests = {source.name: digest for source in suspects if (digest := _digest(source))}
    common = Counter(digests.values())
    return {name: digest for name, digest in digests.items() if common[digest] > 1}


def left_out_copies(files: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Why each copy is left out, by its name, given (picture, order, name, emotion) of the files that would be used.

    Of several with one emotion the first is kept; of several with two or more emotions none.
    """
    groups: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for picture, *file in files:
        groups[picture].append((file[0], file[1], file[2]))
    reasons: dict[str, str] = {}
    for group in groups.values():
        group.sort()
        emotions = sorted({emotion for _, _, emotion in group})
        if len(emotions) > 1:
            names = [name for _, name, _ in group]
            reason = f"the same picture has two emotions ({' and '.join(emotions)}: {', '.join(names)})"
            reasons |= dict.fromkeys(names, reason)
        else:
            reasons |= {name: f"a copy of another picture ({group[0][1]})" for _, name, _ in group[1:]}
    return reasons


def _with_company(sources: Iterable[Source], key: Callable[[Source], Key | None]) -> list[Source]:
    """The sources whose key another one has, too."""
    groups: defaultdict[Key, list[Source]] = defaultdict(list)
    for source in sources:
        if (value := key(source)) is not None:
            groups[value].append(source)
    return [source for group in groups.values() if len(group) > 1 for source in group]


def _middle(source: Source) -> bytes | None:
    """A few bytes of it; None where it can't be read, which is said when its turn comes."""
    try:
        if source.member is not None:
            data = source.read()
            return data[len(data) // 2 :][:SAMPLE]
        with Path(source.path).open("rb") as file:
            file.seek(source.length // 2)
            return file.read(SAMPLE)
    except (OSError, UnreadablePhoto):
        return None


def _digest(source: Source) -> str | None:
    try:
        return hashlib.sha256(source.read()).hexdigest()[:32]
    except UnreadablePhoto:
        return None
