"""Everything once: preprocess, train, choose the best, translate people never trained on, and look.

The generator that comes with the project goes on training, on photo-like people (`data/demo_people`). With --drawn
another begins from nothing, on drawn faces, whose right answer is known. Prints each command as a user would type it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence

from common.errors import UserError, command
from common.flags import Switch
from common.version import NAME_AND_VERSION
from demos.steps import DRAWN, PEOPLE


def build_parser() -> argparse.ArgumentParser:
    """Two flags."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=NAME_AND_VERSION)
    parser.add_argument("--drawn", action=Switch, default=False, help=f"train on drawn faces, from nothing, in {DRAWN}")
    parser.add_argument(
        "--overwrite", action=Switch, default=False, help=f"delete what an earlier demo left in {PEOPLE} or {DRAWN}"
    )
    return parser


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run every step of one of the two demos."""
    given = build_parser().parse_args(argv)
    folder = DRAWN if given.drawn else PEOPLE
    if folder.is_dir() and any(folder.iterdir()) and not given.overwrite:
        raise UserError(f"{folder} holds an earlier demo: move it away, or pass --overwrite to delete it")
    from demos import drawn, people  # here, so that --help answers at once

    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    (drawn if given.drawn else people).play()
    print(f"\n{(time.monotonic() - started) / 60:.1f} minutes; look at")
    print(f"  {folder}/demo.png\n  {folder}/results/results.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
