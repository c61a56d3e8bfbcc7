"""`losses.csv`: the losses and rates of every logged iteration, the same whether or not the run was ever stopped."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

from common import whole_files

COLUMNS = (
    "iteration",
    *("D/loss_real", "D/loss_fake", "D/loss_cls", "D/loss_gp"),
    *("G/loss_fake", "G/loss_cls", "G/loss_rec", "G/loss_pair", "G/loss_feature", "G/lr", "D/lr"),
)


class LossTable:
    """The table of a run that goes on after iteration `start`: rows beyond it, which will come again, are cut off."""

    def __init__(self, path: Path, start: int) -> None:
        self.path = path
        rows = [row for row in read(path) if int(row["iteration"]) <= start]
        text = _text([{name: name for name in COLUMNS}, *rows])
        whole_files.write_text(path, text)

    def add(self, i: int, values: Mapping[str, float]) -> None:
        """Append iteration `i`'s row; a loss that was not computed yet is left blank."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_text([{"iteration": str(i), **{name: f"{value:.6g}" for name, value in values.items()}}]))

    def settle(self) -> None:
        """Bring every row to the disk."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a table, none where there is no file; rows that are half written or spoilt by hand are left out."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    rows = csv.DictReader(io.StringIO(whole))
    return [{name: row.get(name) or "" for name in COLUMNS} for row in rows if _is_whole(row)]


def _is_whole(row: Mapping[str, str | None]) -> bool:
    try:
        int(row["iteration"] or "")
        [float(row.get(name) or "nan") for name in COLUMNS]  # a table from before a loss existed lacks its column
    except (KeyError, ValueError):
        return False
    return True


def _text(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n").writerows(rows)
    return text.getvalue()
