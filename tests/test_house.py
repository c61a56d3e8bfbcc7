"""docs/house.md is the way in for a newcomer: it must name every file, and none that is gone."""

import re

from conftest import ROOT


def test_the_map_names_every_file_and_no_other():
    named = re.findall(r"`(\w+\.py)`", (ROOT / "docs" / "house.md").read_text(encoding="utf-8"))
    there = {path.name for path in ROOT.glob("*.py")}
    assert set(named) == there
