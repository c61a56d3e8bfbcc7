"""The documents say what is true: flags, files, links and versions, checked against the programs and the tree."""

from docs import make_flags


def test_the_page_of_flags_is_what_the_parsers_say():
    told = "run `python docs/make_flags.py`"
    assert make_flags.PAGE.read_text(encoding="utf-8") == make_flags.page(), told
