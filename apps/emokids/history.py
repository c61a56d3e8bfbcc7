"""A therapist's records over several days: per pseudonym a local CSV file with the numbers of each attempt, no picture.

Nothing is written unless somebody asks for it.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from pathlib import Path

from apps.emokids.practice import CSV_COLUMNS, Practice
from common.whole_files import write_atomically

FOLDER = Path("data/emokids")
PSEUDONYM = re.compile(r"\w[\w -]{0,29}")  # letters of any script; nothing that means another folder


def is_pseudonym(text: str) -> bool:
    """Whether it can name a record."""
    return bool(PSEUDONYM.fullmatch(text)) and text == text.strip()


def pseudonyms(folder: Path) -> list[str]:
    """Those of whom there are records, sorted."""
    return sorted(path.stem for path in folder.glob("*.csv"))


def keep(pseudonym: str, practice: Practice, folder: Path) -> None:
    """Add the attempts that the record does not hold yet. Raises `OSError` where it can't be written."""
    rows = load(pseudonym, folder) if pseudonym in pseudonyms(folder) else []
    known = {row["began"] for row in rows}
    new = [dict(zip(CSV_COLUMNS, entry.row(), strict=True)) for entry in practice.entries]
    rows += [row for row in new if row["began"] not in known]
    file = io.StringIO()
    table = csv.DictWriter(file, CSV_COLUMNS)
    table.writeheader()
    table.writerows(rows)
    folder.mkdir(parents=True, exist_ok=True)
    content = file.getvalue().encode("utf-8-sig")
    write_atomically(_path(pseudonym, folder), functools.partial(Path.write_bytes, data=content))


def load(pseudonym: str, folder: Path) -> list[dict[str, str]]:
    """All attempts of a record, oldest first, by column. Raises `OSError` or `ValueError` for one that is damaged."""
    text = _path(pseudonym, folder).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    if any(set(row) != set(CSV_COLUMNS) or None in row.values() for row in rows):
        raise ValueError(f"{_path(pseudonym, folder)} is damaged: its columns should be {', '.join(CSV_COLUMNS)}")
    return rows


def delete(pseudonym: str, folder: Path) -> None:
    """Delete a record for good."""
    _path(pseudonym, folder).unlink(missing_ok=True)


def _path(pseudonym: str, folder: Path) -> Path:
    if not is_pseudonym(pseudonym):
        raise ValueError(f"{pseudonym!r} is no pseudonym")
    return folder / f"{pseudonym}.csv"
