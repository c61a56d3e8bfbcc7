"""Mistakes a user can fix, reported in one sentence."""

from __future__ import annotations

import functools
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")

HEAD_START = 3  # seconds
ROOT = Path(__file__).resolve().parent.parent
INSTALL = "run 'make setup', or pip install -r requirements.txt with the Python you use"


class UserError(Exception):
    """What is wrong, with which file or flag, and what to do, as one sentence."""

    exit_code = 2


class RunStopped(UserError):
    """A valid run that has to stop: why, and how to continue, as one sentence."""

    exit_code = 1


def command(main: Callable[P, int]) -> Callable[P, int]:
    """Decorator of a program's `main`: a `UserError` or Ctrl-C is one line on stderr and an exit code, no traceback.

    File names on stdout that are not UTF-8 (from an old Korean zip) are escaped.
    """

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> int:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return main(*args, **kwargs)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if (ROOT / package).is_dir() or (ROOT / f"{package}.py").is_file():
                raise  # a fault of ours
            print(f"error: the Python package {package} is missing: {INSTALL}", file=sys.stderr)
            return UserError.exit_code
        except UserError as error:
            if error.exit_code == UserError.exit_code and os.environ.get("LOCAL_RANK", "0") != "0":
                time.sleep(HEAD_START)  # torchrun's first process says it; when one ends, torchrun ends all
            else:
                print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return 130

    return wrapped
