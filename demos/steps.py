"""A step of a demo is a command, printed as a user would type it; and where the demos leave their files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from common.errors import UserError

PEOPLE = Path("data/demo")  # where each demo leaves its files
DRAWN = Path("data/demo_drawn")


def run(command: str) -> None:
    """Print a command, and run it with this interpreter."""
    print(f"\n$ python {command}", flush=True)
    ended = subprocess.run([sys.executable, *command.split()])
    if ended.returncode:
        raise UserError(
            f"the command above ended with exit code {ended.returncode}: correct what it says, then begin again "
            "with --overwrite"
        )
