"""Files written whole: under a temporary name first, so that a failure leaves the file before as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """An empty file that may be renamed to `path`; whatever was not renamed is gone afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def settle(temporary: Path) -> None:
    """Flush a written temporary file to the disk and give it the permissions of an ordinary file."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o644)


def settle_folder(folder: Path) -> None:
    """Flush renames in `folder` to the disk, where the system lets a folder be flushed."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Call `write(temporary_path)`, flush it to disk, then rename it to `path`: never a half-written file."""
    with temporary_beside(path) as temporary:
        write(temporary)
        settle(temporary)
        temporary.replace(path)
    settle_folder(path.parent)
