"""The record: what is in it, what never is, and that neither a kill nor a deletion leaves a half or a trace."""

import csv
import io
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from conftest import ROOT
from practice import CONSENT, START, attempt, session

from apps.record import schema
from apps.record.entries import Goal, Mark, Session, Settings
from apps.record.progress import between, mastery, phase_begins, points, to_csv
from apps.record.store import NoSuchChild, PseudonymTaken, Record
from common.errors import UserError


@pytest.fixture
def record(tmp_path):
    """A record whose clock the test moves."""
    record = Record(tmp_path / "data" / "record.sqlite3", lambda: record.time)
    record.time = START
    return record


def test_nothing_is_there_before_an_adult_makes_a_child(record):
    assert record.children() == []
    for ask in (record.sessions, record.marks, record.consents, record.delete, record.child):
        with pytest.raises(NoSuchChild):
            ask("guessed")
    with pytest.raises(NoSuchChild):
        record.keep("guessed", session())
    assert not record.path.exists()


def test_all_that_was_kept_is_given_back(record):
    settings = Settings(("sadness", "happy"), "easy", 3.0, 5, 15, 0.5, False, True, False)
    bear = record.add("곰 1", CONSENT, settings, Goal(3, 4, 2))
    fox = record.add("Fox", replace(CONSENT, who="guardian"))
    record.keep(bear, session(2))
    record.keep(bear, session(1))
    record.mark(bear, Mark(date(2026, 3, 9), "학교에서 연습 시작", phase=True))
    record.mark(bear, Mark(date(2026, 3, 3), "tired"))
    child = record.child(bear)
    assert (child.pseudonym, child.settings, child.goal, child.consent) == ("곰 1", settings, Goal(3, 4, 2), CONSENT)
    assert [each.pseudonym for each in record.children()] == ["Fox", "곰 1"]
    assert record.sessions(bear) == [session(1), session(2)]
    assert [(mark.text, mark.phase) for mark in record.marks(bear)] == [("tired", False), ("학교에서 연습 시작", True)]
    assert record.sessions(fox) == []
    record.change(bear, pseudonym="곰 2", settings=Settings())
    record.agree(bear, replace(CONSENT, until=date(2027, 1, 1)))
    record.unmark(bear, record.marks(bear)[0].id)
    child = record.child(bear)
    assert (child.pseudonym, child.settings, child.goal) == ("곰 2", Settings(), Goal(3, 4, 2))
    assert child.consent.until == date(2027, 1, 1) and len(record.consents(bear)) == 2
    assert len(record.marks(bear)) == 1


def test_only_its_owner_may_read_the_file(record):
    before = os.umask(0)
    try:
        record.add("Fox", CONSENT)
    finally:
        os.umask(before)
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o600


def test_what_is_sent_again_is_kept_once_and_never_made_older(record):
    fox, bear = record.add("Fox", CONSENT), record.add("Bear", CONSENT)
    late = attempt(1, seconds=12.0, best=0.9)
    for sent in (attempt(1, seconds=3.0, best=0.2), late, attempt(1, seconds=8.0, best=0.4), late):
        record.keep(fox, Session("visit", START, (sent,)))
    record.keep(fox, Session("visit", START, (attempt(2),)))  # only what is new
    assert record.sessions(fox) == [Session("visit", START, (late, attempt(2)))]
    with pytest.raises(ValueError, match="another child's"):
        record.keep(bear, Session("visit", START, (attempt(3),)))
    record.keep(bear, Session("other", START, (attempt(1, best=0.0),)))  # an attempt of this id is Fox's
    assert record.sessions(bear) == [Session("other", START)] and len(record.sessions(fox)[0].attempts) == 2


def test_only_what_was_agreed_to_is_kept(record):
    fox = record.add("Fox", replace(CONSENT, what=("attempts",)))
    record.keep(fox, session())
    assert record.sessions(fox) == [replace(session(), guesses=())]
    with pytest.raises(ValueError, match="not agreed"):
        record.mark(fox, Mark(START.date(), "a note"))


def test_a_child_goes_by_itself_when_the_time_agreed_to_is_over(record):
    fox = record.add("Fox", CONSENT)
    bear = record.add("Bear", replace(CONSENT, until=date(2027, 9, 2)))
    record.keep(fox, session())
    record.time = datetime(2026, 9, 2, 23, 59, tzinfo=timezone.utc)
    assert len(record.children()) == 2
    record.agree(bear, replace(CONSENT, until=date(2026, 9, 3)))  # the newest counts, though it is shorter
    record.time += timedelta(minutes=2)
    assert [child.pseudonym for child in record.children()] == ["Bear"]
    with pytest.raises(NoSuchChild):
        record.sessions(fox)
    record.time += timedelta(days=1)
    with pytest.raises(NoSuchChild):
        record.keep(bear, session())
    assert not any(word in everything(record) for word in (b"Fox", b"Bear", b"try-1"))


def test_a_deleted_child_leaves_no_trace(record):
    bear = record.add("Bear", CONSENT)
    record.keep(bear, session(1))
    kept = everything(record)
    fox = record.add("Zyxfox", CONSENT)
    for number in range(2, 30):
        record.keep(
            fox, Session(f"zyxvisit{number}", START, tuple(attempt(0, id=f"zyx{number}-{n}") for n in range(9)))
        )
        record.keep(bear, session(number))  # their rows lie among each other
    record.mark(fox, Mark(START.date(), "zyxnote " * 60))
    assert b"zyx" in everything(record).lower()
    record.delete(fox)
    assert b"zyx" not in everything(record).lower() and fox.encode() not in everything(record)
    assert len(record.sessions(bear)) == 29 and kept
    with pytest.raises(NoSuchChild):
        record.keep(fox, session())


def everything(record):
    """All bytes of all files beside the record and of itself."""
    return b"".join(path.read_bytes() for path in record.path.parent.rglob("*") if path.is_file())


def test_a_pseudonym_is_one_childs_and_no_sentence(record):
    fox = record.add("Fox", CONSENT)
    record.add("곰", CONSENT)
    for taken in ("fox", " FOX ", "\u1100\u1169\u11b7"):  # the last is 곰 as macOS writes it
        with pytest.raises(PseudonymTaken):
            record.add(taken, CONSENT)
    for bad in ("", "   ", "a/b", "x" * 31, "<b>"):
        with pytest.raises(ValueError, match="no pseudonym"):
            record.add(bad, CONSENT)
    record.change(fox, pseudonym="FOX")


@pytest.mark.parametrize(
    "make",
    [
        lambda: attempt(1, best=1.2),
        lambda: attempt(1, best=float("nan")),
        lambda: attempt(1, seconds=float("inf")),
        lambda: attempt(1, emotion="joy"),
        lambda: attempt(1, reached=False),
        lambda: attempt(1, id="../x"),
        lambda: attempt(1, began=datetime(2026, 3, 2)),
        lambda: Settings(emotions=()),
        lambda: Settings(emotions=("happy", "happy")),
        lambda: Settings(hold=0),
        lambda: Goal(6, 5),
        lambda: replace(CONSENT, until=date(2026, 1, 1)),
        lambda: replace(CONSENT, until=date(2029, 1, 1)),
        lambda: replace(CONSENT, who="neighbour"),
    ],
)
def test_impossible_numbers_are_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()


def test_another_file_in_its_place_is_left_as_it_is(record):
    record.path.parent.mkdir()
    for content in (b"not a database " * 100, foreign_database(record.path.parent / "other"), newer(record)):
        record.path.write_bytes(content)
        with pytest.raises(UserError, match="repair it, or move it away"):
            record.children()
        with pytest.raises(UserError):
            record.add("Fox", CONSENT)
        assert record.path.read_bytes() == content


def foreign_database(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE photos (id)")
    db.commit()
    db.close()
    return path.read_bytes()


def newer(record):
    path = record.path.with_name("newer")
    Record(path).add("Fox", replace(CONSENT, given=datetime.now().astimezone(), until=date.today()))
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.commit()
    db.close()
    return path.read_bytes()


def test_two_servers_may_write_at_once(record):
    """Threads with connections of their own stand for them: to SQLite they are the same."""
    fox = record.add("Fox", CONSENT)
    with ThreadPoolExecutor(4) as servers:
        list(servers.map(lambda number: record.keep(fox, session(number)), range(1, 41)))
    assert record.sessions(fox) == [session(number) for number in range(1, 41)]


# For each number that it reads, a process that kills itself before the statement of this number, the transactions' ends
# among them: what it got done, and its exit status.
STEPS_UNTIL_KILLED = """
import os, signal, sqlite3, sys
sys.path[:0] = [sys.argv[1], os.path.join(sys.argv[1], "tests")]
from pathlib import Path
from apps.record.store import Record
from practice import CONSENT, START, session
connect = sqlite3.connect

def killing(*args, **kwargs):
    db = connect(*args, **kwargs)
    def count(_):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    db.set_trace_callback(count)
    return db

def steps():
    record = Record(Path(sys.argv[2]), lambda: START)
    sqlite3.connect = killing
    print("begun", flush=True)
    fox = record.add("Fox", CONSENT)
    print("added", flush=True)
    record.keep(fox, session(1))
    print("kept", flush=True)
    record.delete(fox)
    print("deleted", flush=True)
    os._exit(0)

for line in sys.stdin:
    left = int(line)
    child = os.fork()
    if child == 0:
        steps()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def until_killed(record):
    """Give it the number of a statement: the steps done before it, and the exit status."""
    words = [sys.executable, "-c", STEPS_UNTIL_KILLED, str(ROOT), str(record.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:

        def run(statement):
            process.stdin.write(f"{statement}\n")
            process.stdin.flush()
            done = []
            while not (line := process.stdout.readline().strip()).lstrip("-").isdigit():
                assert line, "it ended"
                done.append(line)
            return done, int(line)

        yield run


def test_killed_at_any_statement_nothing_is_lost_and_nothing_half_done(record, until_killed):
    """Every fifth statement of making a child, keeping a session and deleting both, the file looked at after each."""
    seen = set()
    for statement in range(5, 1000, 5):
        record.path.unlink(missing_ok=True)
        done, status = until_killed(statement)
        assert status in (0, -signal.SIGKILL)
        seen.add(done[-1])
        children = record.children()
        sessions = [each for child in children for each in record.sessions(child.id)]
        if status == 0:
            break
        if done[-1] == "begun":
            assert sessions == []
        elif done[-1] == "added":
            assert [child.pseudonym for child in children] == ["Fox"] and sessions in ([], [session(1)])
        elif children:
            assert sessions == [session(1)]
        else:  # the deletion was through
            assert done[-1] in ("kept", "deleted")
            assert b"Fox" not in everything(record)
    assert seen == {"begun", "added", "kept", "deleted"}


# --- What it adds up to ---------------------------------------------------------------------------------------


def played(*days, emotion="happy", level="medium"):
    """A session a day: "x" for an attempt that reached the emotion, "." for one that did not."""
    return [
        Session(
            f"visit-{day}",
            START + timedelta(days=day),
            tuple(
                attempt(
                    100 * day + number,
                    emotion=emotion,
                    level=level,
                    reached=sign == "x",
                    best=0.9 if sign == "x" else 0.1 * number,
                    seconds_to_reach=float(number) if sign == "x" else None,
                )
                for number, sign in enumerate(signs)
            ),
        )
        for day, signs in enumerate(days)
    ]


def test_points_of_sessions_and_of_weeks():
    sessions = played("..x", "xxx", "", "", "", "", "", "x.")  # from a Monday on
    assert [(p.number, p.attempts, p.reached, p.best, p.seconds) for p in points(sessions)] == [
        (1, 3, 1, 0.9, 2.0),
        (2, 3, 3, 0.9, 1.0),
        (8, 2, 1, 0.9, 0.0),
    ]
    first, second = points(sessions, weekly=True)
    assert (first.day, first.attempts, first.rate) == (date(2026, 3, 2), 6, 4 / 6)
    assert (second.day, second.attempts) == (date(2026, 3, 9), 2)
    assert len(between(sessions, date(2026, 3, 3), date(2026, 3, 5))) == 3


def test_a_phase_begins_with_its_first_session():
    sessions = played("x", "", "", "xx", "", "", "", "x.")
    days = (date(2026, 3, 1), date(2026, 3, 4), date(2026, 3, 9), date(2026, 3, 10))
    marks = [Mark(day, str(day.day), phase=True) for day in days]
    assert phase_begins([sessions[0], sessions[3], sessions[7]], [*marks, Mark(days[1], "a note")]) == [
        (2, "4"),
        (3, "9"),
    ], "neither one before the first session nor one after the last"
    assert phase_begins([sessions[0], sessions[3], sessions[7]], marks, weekly=True) == [(1, "4"), (2, "9")]


@pytest.mark.parametrize(
    ("days", "running", "mastered"),
    [
        (("xxxxx", "xxxx.", "x.xxx"), 3, 2),  # 4 of 5 in three sessions
        (("xx", "xx", "xx", "x", "x"), 3, 4),  # the last five cross sessions
        (("xxxxx", ".....", "xxxxx", "xxxxx"), 2, None),  # not running
        (("xxxxx", "xxxxx", "xxxxx", "....."), 0, 2),  # once mastered it stays so
        (("xxx",), 0, None),
    ],
)
def test_mastery_is_so_many_of_the_last_in_so_many_sessions_running(days, running, mastered):
    found = mastery(played(*days), "happy", Goal(4, 5, 3))
    assert found.running == running
    assert found.day == (None if mastered is None else date(2026, 3, 2) + timedelta(days=mastered))


def test_mastery_begins_anew_at_another_level():
    sessions = played("xxxxx", "xxxxx", "xxxxx")
    assert mastery(sessions, "happy", Goal()).day
    harder = played("", "", "", "xxxxx", level="hard")
    assert mastery([*sessions, *harder], "happy", Goal()).day is None
    assert mastery(sessions, "angry", Goal()) is None


def test_the_csv_holds_every_attempt_and_guess():
    text = to_csv([session(1), session(2)]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["kind"] for row in rows].count("attempt") == 6 and len(rows) == 8
    told = next(row for row in rows if row["kind"] == "attempt")
    kept = session(1).attempts[0]
    assert datetime.fromisoformat(told["began"]) == kept.began and told["session"] == "1"
    assert (told["emotion"], told["level"], told["reached"]) == ("happy", "medium", "1")
    numbers = [float(told[name]) for name in ("hold", "best", "seconds", "seconds_to_reach", "hints")]
    assert numbers == [kept.hold, kept.best, kept.seconds, kept.seconds_to_reach, kept.hints]
    assert {row["choices"] for row in rows if row["kind"] == "guess"} == {"surprised fearful"}
    assert "try-" not in text and "visit-" not in text
