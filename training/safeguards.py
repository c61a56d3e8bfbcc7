"""One run at a time in one folder of checkpoints."""

from __future__ import annotations

from pathlib import Path

import filelock

from errors import UserError

PATIENCE = 8  # seconds: the loaders of a run that was killed hold its lock until they notice


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
            self._lock.acquire(timeout=PATIENCE)
        except filelock.Timeout as error:
            raise UserError(
                f"another run is training into {self.folder}: wait for it, stop it, or name another --model_save_dir"
            ) from error

    def release(self) -> None:
        """Let the next run in."""
        self._lock.release(force=True)
