"""The values of command-line flags: each function reads one kind, or says in half a sentence why it can't."""

from __future__ import annotations

import argparse
from pathlib import Path


def boolean(text: str) -> bool:
    """True or False, in Python's spelling, or yes/no, 1/0."""
    if text.lower() in ("true", "yes", "1"):
        return True
    if text.lower() in ("false", "no", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")


def whole(text: str) -> int:
    """A whole number, at least 0."""
    return _integer(text, 0, None, "of at least 0")


def count(text: str) -> int:
    """A whole number, at least 1."""
    return _integer(text, 1, None, "above 0")


def several(text: str) -> int:
    """A whole number, at least 2."""
    return _integer(text, 2, None, "of at least 2")


def percent(text: str) -> int:
    """A whole number from 1 to 100."""
    return _integer(text, 1, 100, "from 1 to 100")


def crop(text: str) -> int:
    """A whole number from 1 to the side of the stored faces, 512 pixels."""
    return _integer(text, 1, 512, "from 1 to 512, the side of the stored faces")


def fraction(text: str) -> float:
    """A number from 0 up to, not including, 1."""
    value = _real(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to below 1")
    return value


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _real(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def weight(text: str) -> float:
    """A finite number, at least 0."""
    value = _real(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be at least 0")
    return value


def strength(text: str) -> float:
    """How far faces move, in what the generator moves them: from 0 to 1.5."""
    value = _real(text)
    if 0 <= value <= 1.5:
        return value
    raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1.5")


def run_name(text: str) -> str:
    """The name of a folder."""
    if Path(text).name != text or text.startswith(".") or "\\" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a plain name, as of a folder in data/runs")
    return text


def which_checkpoint(text: str) -> str:
    """An iteration, `best` or `latest`."""
    if text in ("best", "latest") or text.isdecimal():
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither an iteration nor 'best' nor 'latest'")


def evaluated(text: str) -> str:
    """A checkpoint, or `all`."""
    return text if text == "all" else which_checkpoint(text)


def which_face(text: str) -> int | str:
    """`all`, `largest`, or a number from 0."""
    if text in ("all", "largest"):
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither 'all' nor 'largest' nor a number from 0")


def _integer(text: str, lowest: int, highest: int | None, allowed: str) -> int:
    if not text.isdecimal() or int(text) < lowest or (highest is not None and int(text) > highest):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {allowed}")
    return int(text)


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")  # which no range holds
