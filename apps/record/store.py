"""The file of the record: `data/record.sqlite3`, readable by its owner only, made with the first child.

Each call opens the file, does its work in one transaction and closes it: two servers may share it, and whoever is
killed leaves what was there before. Children whose consent has run out go with the first call after that day.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, astuple, fields
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from apps.record import schema
from apps.record.entries import Attempt, Child, Consent, Goal, Guess, Mark, Session, Settings, pseudonym_of
from common.emotions import fold
from common.errors import UserError

PATH = Path("data/record.sqlite3")
WAIT = 10.0  # seconds for the other server's transaction

Entry = TypeVar("Entry", Attempt, Guess, Mark, Consent)


class NoSuchChild(LookupError):
    """The child is not, or no longer, in the record."""


class PseudonymTaken(ValueError):
    """Another child has this pseudonym."""


def now() -> datetime:
    """The time, with this machine's time zone."""
    return datetime.now().astimezone()


class Record:
    """The record in a file. All methods raise `UserError` where the file can't be used."""

    def __init__(self, path: Path = PATH, clock: Callable[[], datetime] = now) -> None:
        self.path, self.clock = path, clock

    # --- Children ---------------------------------------------------------------------------------------------

    def children(self) -> list[Child]:
        """All children, by pseudonym. Without a file there are none."""
        if not self.path.exists():
            return []
        with self._open() as db:
            found = [_child(db, *row) for row in db.execute("SELECT id, pseudonym, settings, goal FROM children")]
        return sorted(found, key=lambda child: fold(child.pseudonym))

    def child(self, child_id: str) -> Child:
        """One child. Raises `NoSuchChild`."""
        for child in self.children():
            if child.id == child_id:
                return child
        raise NoSuchChild(child_id)

    def add(self, pseudonym: str, consent: Consent, settings: Settings | None = None, goal: Goal | None = None) -> str:
        """A new child; its id. Nothing is kept of anybody without a consent. Raises `PseudonymTaken`."""
        name, child_id = pseudonym_of(pseudonym), secrets.token_urlsafe(12)
        with self._open() as db:
            _check_free(db, name, child_id)
            values = (child_id, name, _json(settings or Settings()), _json(goal or Goal()))
            db.execute("INSERT INTO children VALUES (?, ?, ?, ?)", values)
            _insert(db, "consents", {"child": child_id, **_columns(consent)})
        return child_id

    def change(
        self, child_id: str, *, pseudonym: str = "", settings: Settings | None = None, goal: Goal | None = None
    ) -> None:
        """Set what is given. Raises `NoSuchChild`, `PseudonymTaken`."""
        name = pseudonym_of(pseudonym) if pseudonym else ""
        new = {"pseudonym": name, "settings": settings and _json(settings), "goal": goal and _json(goal)}
        with self._open_for(child_id) as db:
            _check_free(db, name, child_id)
            for column, value in new.items():
                if value:
                    db.execute(f"UPDATE children SET {column} = ? WHERE id = ?", (value, child_id))

    def agree(self, child_id: str, consent: Consent) -> None:
        """A new consent takes the place of the one before, which stays to be looked up. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            _insert(db, "consents", {"child": child_id, **_columns(consent)})

    def consents(self, child_id: str) -> list[Consent]:
        """All consents of a child, oldest first. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            return _entries(db, Consent, "SELECT * FROM consents WHERE child = ? ORDER BY rowid", child_id)

    def delete(self, child_id: str) -> None:
        """Consent is withdrawn, and everything of the child goes for good. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            db.execute("DELETE FROM children WHERE id = ?", (child_id,))
        self._rewrite()

    # --- What was practised -----------------------------------------------------------------------------------

    def keep(self, child_id: str, session: Session) -> None:
        """Add a session, or what is new in it: the same may be sent as often as one likes, whole or in parts.

        What was not agreed to is left out. Raises `NoSuchChild`, and `ValueError` for another child's session.
        """
        with self._open_for(child_id) as db:
            agreed = _consent(db, child_id).what
            began = _columns(session.began)
            db.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?, ?)", (session.id, child_id, began))
            owner = db.execute("SELECT child FROM sessions WHERE id = ?", (session.id,)).fetchone()
            if owner != (child_id,):
                raise ValueError(f"session {session.id} is another child's")
            for attempt in session.attempts if "attempts" in agreed else ():
                _put(db, "attempts", session.id, attempt, "excluded.seconds >= attempts.seconds")
            for guess in session.guesses if "guesses" in agreed else ():
                _put(db, "guesses", session.id, guess, "length(excluded.choices) >= length(guesses.choices)")

    def sessions(self, child_id: str) -> list[Session]:
        """All sessions of a child, oldest first. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            ordered = "SELECT * FROM {} WHERE session = ? ORDER BY began, rowid"
            rows = db.execute("SELECT id, began FROM sessions WHERE child = ? ORDER BY began", (child_id,)).fetchall()
            return [
                Session(
                    number,
                    datetime.fromisoformat(began),
                    tuple(_entries(db, Attempt, ordered.format("attempts"), number)),
                    tuple(_entries(db, Guess, ordered.format("guesses"), number)),
                )
                for number, began in rows
            ]

    def mark(self, child_id: str, mark: Mark) -> None:
        """Add a note or a phase. Raises `NoSuchChild`, and `ValueError` where notes were not agreed to."""
        with self._open_for(child_id) as db:
            if not mark.phase and "notes" not in _consent(db, child_id).what:
                raise ValueError("notes were not agreed to")
            _insert(db, "marks", {**_columns(mark), "child": child_id, "id": secrets.token_urlsafe(12)})

    def marks(self, child_id: str) -> list[Mark]:
        """Notes and phases, by day. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            return _entries(db, Mark, "SELECT * FROM marks WHERE child = ? ORDER BY day, rowid", child_id)

    def unmark(self, child_id: str, mark_id: str) -> None:
        """Take a note or a phase away. Raises `NoSuchChild`."""
        with self._open_for(child_id) as db:
            db.execute("DELETE FROM marks WHERE child = ? AND id = ?", (child_id, mark_id))

    # --- The file ---------------------------------------------------------------------------------------------

    @contextmanager
    def _open_for(self, child_id: str) -> Iterator[sqlite3.Connection]:
        """A transaction about this child."""
        if not self.path.exists():
            raise NoSuchChild(child_id)
        with self._open() as db:
            if not db.execute("SELECT 1 FROM children WHERE id = ?", (child_id,)).fetchone():
                raise NoSuchChild(child_id)
            yield db

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction on the file as this version knows it, without those whose consent has run out."""
        if self._forget_expired():
            self._rewrite()
        with self._transaction() as db:
            yield db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                schema.renew(db)
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)) as db:
                db.execute("PRAGMA secure_delete = ON")
                # No write-ahead log: its file would go on holding what was deleted. The journal is gone with its
                # transaction, and EXTRA makes sure of that on the disk, too.
                db.execute("PRAGMA journal_mode = DELETE")
                db.execute("PRAGMA synchronous = EXTRA")
                db.execute("PRAGMA temp_store = MEMORY")
                db.execute("PRAGMA foreign_keys = ON")
                yield db
        except (OSError, sqlite3.DatabaseError, schema.Unknown) as error:
            raise UserError(f"the record {self.path} can't be used ({error}): repair it, or move it away") from error

    def _forget_expired(self) -> bool:
        """Delete children whose consent has run out; whether there were any."""
        today = self.clock().date().isoformat()
        with self._transaction() as db:
            last = "SELECT until FROM consents WHERE child = children.id ORDER BY rowid DESC LIMIT 1"
            return db.execute(f"DELETE FROM children WHERE ({last}) < ?", (today,)).rowcount > 0

    def _rewrite(self) -> None:
        """Write the file anew: what was deleted is overwritten with zeros already, now its length tells nothing."""
        with self._connection() as db:
            db.execute("VACUUM")


# --- Rows -----------------------------------------------------------------------------------------------------


def _columns(value: Any) -> Any:
    """A value as SQLite keeps it; of a dataclass, the values by column."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(value)
    if hasattr(value, "__dataclass_fields__"):
        names = [each.name for each in fields(value)]
        return dict(zip(names, map(_columns, astuple(value)), strict=True))
    return value


def _json(value: Settings | Goal) -> str:
    return json.dumps(asdict(value))


def _of_json(cls: type[Settings] | type[Goal], text: str) -> Any:
    """Settings or a goal; what another version wrote and this one does not know is left out."""
    known = {each.name for each in fields(cls)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    return TypeAdapter(cls).validate_python(values)


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def _put(db: sqlite3.Connection, table: str, session_id: str, entry: Attempt | Guess, newer: str) -> None:
    """Add an entry, or renew the one of this id if it is the same session's, and older."""
    row = {**_columns(entry), "session": session_id}
    renewed = ", ".join(f"{name} = excluded.{name}" for name in row if name not in ("id", "session"))
    db.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        f" ON CONFLICT (id) DO UPDATE SET {renewed} WHERE {table}.session = excluded.session AND {newer}",
        tuple(row.values()),
    )


def _entries(db: sqlite3.Connection, cls: type[Entry], query: str, key: str) -> list[Entry]:
    """The rows of a query as dataclasses."""
    read = TypeAdapter(cls)
    known = {each.name for each in fields(cls)}
    rows = db.execute(query, (key,))
    names = [column[0] for column in rows.description]
    found = []
    for row in rows:
        values = {name: value for name, value in zip(names, row, strict=True) if name in known}
        for name in {"what", "choices"} & set(values):
            values[name] = tuple(filter(None, values[name].split(",")))
        found.append(read.validate_python(values))
    return found


def _consent(db: sqlite3.Connection, child_id: str) -> Consent:
    """The one that holds: the last."""
    return _entries(db, Consent, "SELECT * FROM consents WHERE child = ? ORDER BY rowid DESC LIMIT 1", child_id)[0]


def _child(db: sqlite3.Connection, child_id: str, pseudonym: str, settings: str, goal: str) -> Child:
    return Child(child_id, pseudonym, _of_json(Settings, settings), _of_json(Goal, goal), _consent(db, child_id))


def _check_free(db: sqlite3.Connection, name: str, child_id: str) -> None:
    """Raise `PseudonymTaken` where another child has the name."""
    taken = db.execute("SELECT pseudonym FROM children WHERE id != ?", (child_id,))
    if name and fold(name) in {fold(each) for (each,) in taken}:
        raise PseudonymTaken(name)
