"""The tables of the record, a step for each version; a file of an older version is taken through those it lacks."""

from __future__ import annotations

import sqlite3

APPLICATION = 0x5347_4645  # "SGFE": marks the file as ours

_CHILD = "child TEXT NOT NULL REFERENCES children ON DELETE CASCADE"
_SESSION = "session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE"

# Times are ISO 8601 in UTC, days are local; settings and goal are JSON, lists have commas between their words.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE children (id TEXT PRIMARY KEY, pseudonym TEXT NOT NULL, settings TEXT NOT NULL,"
        " goal TEXT NOT NULL)",
        f"CREATE TABLE consents ({_CHILD}, given TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
        " child_agreed INTEGER NOT NULL, until TEXT NOT NULL)",
        f"CREATE TABLE sessions (id TEXT PRIMARY KEY, {_CHILD}, began TEXT NOT NULL)",
        f"CREATE TABLE attempts (id TEXT PRIMARY KEY, {_SESSION}, began TEXT NOT NULL, emotion TEXT NOT NULL,"
        " level TEXT NOT NULL, hold REAL NOT NULL, best REAL NOT NULL, reached INTEGER NOT NULL,"
        " seconds REAL NOT NULL, seconds_to_reach REAL, hints INTEGER NOT NULL)",
        f"CREATE TABLE guesses (id TEXT PRIMARY KEY, {_SESSION}, began TEXT NOT NULL, emotion TEXT NOT NULL,"
        " choices TEXT NOT NULL)",
        f"CREATE TABLE marks (id TEXT PRIMARY KEY, {_CHILD}, day TEXT NOT NULL, text TEXT NOT NULL,"
        " phase INTEGER NOT NULL)",
        "CREATE INDEX attempts_of_session ON attempts (session)",
        "CREATE INDEX guesses_of_session ON guesses (session)",
    ),
)
VERSION = len(STEPS)


class Unknown(Exception):
    """The file is not a record, or one of a version that this program does not know."""


def version_of(db: sqlite3.Connection) -> int:
    """The version of the file; 0 for an empty one. Raises `Unknown`, or `sqlite3.DatabaseError` for no database."""
    [application], [version] = (db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    empty = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (application == APPLICATION and version <= VERSION) or (empty and application == version == 0):
        return version
    raise Unknown("a newer version made it: update this program" if application == APPLICATION else "it is another's")


def renew(db: sqlite3.Connection) -> None:
    """Take the file to this version: within the caller's transaction, so all of it or nothing."""
    missing = STEPS[version_of(db) :]
    if not missing:
        return
    for statement in (statement for step in missing for statement in step):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {VERSION}")
