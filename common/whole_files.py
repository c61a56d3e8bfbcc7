"""Files written whole: under a temporary name first, so that a failure leaves the file before as it was.

And what is said, or tried again, where a file can't be written.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import RunStopped, UserError

# The system tells it only by changing it, which other threads would notice; so once, before there are any.
UMASK = os.umask(0o077)
os.umask(UMASK)

# Nothing is wrong with the disk: a file stands where a folder should, or the place is not the user's.
_USERS = frozenset((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS))

PAUSES = (5, 15, 40)  # seconds between tries

# Long enough for somebody to make room or raise a quota, or for a network disk to come back.
_MAY_PASS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY),
    *(errno.EHOSTDOWN, errno.ENOTCONN),
}


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
    """Flush a written temporary file to the disk and give it the permissions of a file the user makes."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o666 & ~UMASK)


def settle_folder(folder: Path) -> None:
    """Flush renames in `folder` to the disk."""
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


def write_text(path: Path, text: str) -> None:
    """The same with a text, in UTF-8; names of files that are not UTF-8 come back as they were."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", errors="surrogateescape"))


def is_users_mistake(error: OSError) -> bool:
    """Whether another name would help, and waiting or making room would not."""
    return error.errno in _USERS


def reason(error: OSError, what: str) -> str:
    """Why writing `what` failed; names the file only where `what` does not."""
    why = error.strerror or str(error)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        why = "a file is in the place of a folder"
    return why if not error.filename or str(error.filename) in what else f"{why}: {error.filename}"


@contextmanager
def unwritable_reported(what: str) -> Iterator[None]:
    """Report in one sentence that `what`, a flag and its folder, can't be written."""
    try:
        yield
    except OSError as error:
        why = f"{what} could not be written ({reason(error, what)})"
        if is_users_mistake(error):
            raise UserError(f"{why}: name another, or repair that one") from error
        raise RunStopped(f"{why}: free some space or repair the disk, then repeat the command") from error


def retry_writing(
    write: Callable[[], Any], what: str, say: Callable[[str], None], hurried: Callable[[], bool] = lambda: False
) -> None:
    """Call `write`, again after each of `PAUSES` where the trouble may pass; else `RunStopped`.

    `UserError` where it is no trouble of the disk: `what` is a file, or not to be written by this user.
    `hurried()` ends the wait early: after SIGTERM about 30 s remain.
    """
    for pause in (*PAUSES, None):
        try:
            write()
            return
        except OSError as error:
            why = reason(error, what)
            if is_users_mistake(error):
                raise UserError(f"{what} could not be written ({why}): name another, or repair that one") from error
            if pause is None or error.errno not in _MAY_PASS or hurried():
                raise RunStopped(
                    f"{what} could not be written ({why}): everything saved before is whole; repair the disk, then "
                    "the same command with --resume_iters latest"
                ) from error
            say(f"{what} could not be written ({why}): trying again in {pause} s")
        until = time.monotonic() + pause
        while time.monotonic() < until and not hurried():
            time.sleep(0.2)
