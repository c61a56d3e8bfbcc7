"""docs/house.md is the way in for a newcomer: it tells of every room and every root file, and of none that is gone.

Who may import whom is checked by `tach check` (make lint), whose list must know them all too.
"""

import re

import pytest
from conftest import ROOT

ROOMS = {
    path.parent.relative_to(ROOT).as_posix(): path.parent
    for top in ROOT.iterdir()
    for path in top.rglob("__init__.py")
    if not top.name.startswith(".")
}
FILES = {path.name for path in ROOT.glob("*.py")}


def map_lines(start):
    """Those rows of the map's tables that begin with a name like this."""
    text = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    return re.findall(rf"^\| (`{start}.*) \|$", text, re.MULTILINE)


def test_the_map_tells_of_every_room_and_root_file_and_of_no_other():
    rows = [row.split(" | ") for row in map_lines(r"[\w/]+/`")]
    assert {name.strip("`/") for name, *_ in rows} == set(ROOMS)
    assert {name for row in map_lines(r"\w+\.py`") for name in re.findall(r"`(\w+\.py)`", row.split(" | ")[0])} == FILES


def test_the_map_says_how_large_each_room_is():
    for name, _, told in (row.split(" | ") for row in map_lines(r"[\w/]+/`")):
        lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in ROOMS[name.strip("`/")].glob("*.py"))
        assert int(told) == pytest.approx(lines, rel=1 / 3), f"{name} has {lines} lines"


def test_the_ladder_knows_every_room_and_root_file():
    steps = re.findall(
        r'^ +\{ path = "([\w.]+)", layer', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(steps) == sorted([room.replace("/", ".") for room in ROOMS] + [name[:-3] for name in FILES])
