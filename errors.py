"""Mistakes a user can mend, told in one sentence."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")


class UserError(Exception):
    """What is wrong, with which file or flag, and what to do, as one sentence."""


def door(main: Callable[P, int]) -> Callable[P, int]:
    """Make `main` print a `UserError` as one line on stderr and return exit code 2 instead of a traceback."""

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return main(*args, **kwargs)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2

    return wrapped
