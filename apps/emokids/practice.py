"""What a visitor practised before the mirror, for the therapist: attempts and their numbers, no picture."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from apps.emokids.mirror import Attempt

COUNTS_FROM_SECONDS = 2.0  # a look at the mirror that was shorter is no attempt, unless the face was reached
CSV_COLUMNS = ("began", "emotion", "seconds", "seconds_to_reach", "best_score")


@dataclass
class Entry:
    """An attempt and when it began, in local time."""

    began: datetime
    attempt: Attempt

    def row(self) -> tuple[str, ...]:
        """Its values for `CSV_COLUMNS`."""
        attempt = self.attempt
        reached = "" if attempt.seconds_to_reach is None else f"{attempt.seconds_to_reach:.1f}"
        began = self.began.isoformat(timespec="seconds")
        return began, attempt.emotion, f"{attempt.seconds:.1f}", reached, f"{attempt.best:.2f}"


class Practice:
    """The attempts of one visitor, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.begin()

    def begin(self) -> None:
        """What is noted from now on belongs to a new attempt."""
        self._running: Entry | None = None
        self._counts = False

    def note(self, attempt: Attempt) -> None:
        """The running attempt's numbers so far. It counts after two seconds before the mirror, or once it succeeds."""
        if self._running is None:
            self._running = Entry(datetime.now().astimezone(), attempt)
        self._running.attempt = attempt
        enough = attempt.seconds >= COUNTS_FROM_SECONDS or attempt.seconds_to_reach is not None
        if enough and not self._counts:
            self._counts = True
            self.entries.append(self._running)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.begin()

    def csv(self) -> bytes:
        """A table for a spreadsheet, in UTF-8 with the mark by which Excel knows it."""
        file = StringIO()
        table = csv.writer(file)
        table.writerow(CSV_COLUMNS)
        table.writerows(entry.row() for entry in self.entries)
        return file.getvalue().encode("utf-8-sig")
