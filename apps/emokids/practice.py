"""What a visitor practised before the mirror, for the therapist: attempts and their numbers, no picture."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from apps.emokids.coach import Attempt

CSV_COLUMNS = ("began", "emotion", "seconds", "seconds_to_reach", "best_score")


@dataclass
class Entry:
    """An attempt and when it began, in local time."""

    began: datetime
    attempt: Attempt


class Practice:
    """The attempts of one visitor, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._running: Entry | None = None

    def begin(self) -> None:
        """What is noted from now on belongs to a new attempt."""
        self._running = None

    def note(self, attempt: Attempt) -> None:
        """The running attempt's numbers so far. It counts once a face has been looked at for a moment."""
        if self._running is not None:
            self._running.attempt = attempt
        elif attempt.seconds:
            self._running = Entry(datetime.now().astimezone(), attempt)
            self.entries.append(self._running)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._running = None

    def csv(self) -> bytes:
        """A table for a spreadsheet, in UTF-8 with the mark by which Excel knows it."""
        file = StringIO()
        table = csv.writer(file)
        table.writerow(CSV_COLUMNS)
        for entry in self.entries:
            attempt = entry.attempt
            reached = "" if attempt.seconds_to_reach is None else f"{attempt.seconds_to_reach:.1f}"
            began = entry.began.isoformat(timespec="seconds")
            table.writerow((began, attempt.emotion, f"{attempt.seconds:.1f}", reached, f"{attempt.best:.2f}"))
        return file.getvalue().encode("utf-8-sig")
