"""The sets a training run saves: generator, discriminator and training state of one iteration, in three files.

`{iter}-G.ckpt` is the generator one uses (the moving average when it is on), `{iter}-D.ckpt` the discriminator,
`{iter}-state.ckpt` what training needs beside them. The state gets its name last: a set with it is complete.
"""

from __future__ import annotations

import contextlib
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from checkpointing.tensor_file import DamagedCheckpoint, checksum, peek, verify, write_tensors
from common.errors import UserError
from common.whole_files import settle, settle_folder, temporary_beside

PARTS = ("G", "D", "state")


def path_of(folder: Path, name: int | str, part: str) -> Path:
    """`{name}-{part}.ckpt`, `name` an iteration or "best", `part` G, D or state."""
    return folder / f"{name}-{part}.ckpt"


def save_set(folder: Path, name: int | str, parts: Mapping[str, Mapping[str, Any]]) -> None:
    """Write G, D and state completely, then give all three their names: on a failure the set before stays whole.

    The state tells which G and D it belongs to, since no system renames three files at once.
    """
    with contextlib.ExitStack() as stack:
        staged: dict[str, Path] = {}
        for part in PARTS:
            content = dict(parts[part])
            if part == "state":
                content["belongs_to"] = {other: checksum(path) for other, path in staged.items()}
            staged[part] = stack.enter_context(temporary_beside(path_of(folder, name, part)))
            write_tensors(staged[part], content)
            settle(staged[part])
        for part, temporary in staged.items():
            temporary.replace(path_of(folder, name, part))
    settle_folder(folder)


def prune(folder: Path, newest: int, keep_last: int, keep_every: int) -> None:
    """Delete sets up to iteration `newest` but the last `keep_last` and the multiples of `keep_every` (0 = none).

    Sets without a state (another repo's), `best`, and sets beyond `newest` (another branch's) are left alone.
    """
    mine = [i for i in _numbers(folder, "state") if i <= newest]
    for i in mine[:-keep_last] if keep_last else []:
        if not keep_every or i % keep_every:
            leaving = []
            for part in reversed(PARTS):  # the state first: without it the set is no longer taken for complete
                hidden = folder / f".{path_of(folder, i, part).name}.deleted"
                leaving.append(path_of(folder, i, part).replace(hidden))
            for path in leaving:
                path.unlink()


def clear_leftovers(folder: Path) -> None:
    """Delete what a killed run was writing or deleting; only for the process that holds the folder's lock."""
    for path in folder.glob(".*.ckpt.*"):
        path.unlink()


def iterations(folder: Path) -> list[int]:
    """Iterations of the networks in `folder`, ascending; a set without a state file came from another repo."""
    return [i for i in _numbers(folder, "G") if path_of(folder, i, "D").exists()]


def resolve(folder: Path, which: str, parts: Sequence[str] = ("G",)) -> int | str:
    """The checkpoint that `which` (an iteration, "best" or "latest") names in `folder`.

    `latest` is the newest complete set whose `parts` are undamaged; newer ones are passed over with a warning.
    """
    if which == "latest":
        for i in sorted({i for part in PARTS for i in _numbers(folder, part)}, reverse=True):
            try:
                require_whole(folder, i, parts)
                return i
            except UserError as error:
                print(f"warning: set {i} is passed over: {error}", file=sys.stderr)
        raise UserError(f"{folder} holds no checkpoint: train first, or name another --model_save_dir")
    name: int | str = which if which == "best" else int(which)
    if not path_of(folder, name, "G").exists():
        last = ", ".join(map(str, iterations(folder)[-5:]))
        has = f"it holds {last}" if last else "it holds no checkpoint"
        raise UserError(f"there is no {path_of(folder, name, 'G')} ({has}): name one that exists, or 'latest'")
    return name


def require_whole(folder: Path, name: int | str, parts: Sequence[str] = PARTS) -> None:
    """Refuse a set that lacks a file, or one of whose `parts` is damaged or from another save."""
    state = path_of(folder, name, "state")
    bare = not _numbers(folder, "state")  # networks of another repo have no training state
    missing = [p.name for part in PARTS if not (p := path_of(folder, name, part)).exists()]
    if missing and not (bare and missing == [state.name]):
        raise DamagedCheckpoint(f"{folder} lacks {' and '.join(missing)} of it: use another checkpoint")
    for part in parts:
        if part != "state" or state.exists():
            verify(path_of(folder, name, part))
    if "state" in parts and state.exists():
        require_together(folder, name, {"belongs_to": peek(state, "belongs_to", {})})


def require_together(folder: Path, name: int | str, state: Mapping[str, Any]) -> None:
    """Refuse a training state beside networks it was not saved with; one without `belongs_to` is believed."""
    for part, wanted in state.get("belongs_to", {}).items():
        path = path_of(folder, name, part)
        if not zipfile.is_zipfile(path) or checksum(path) != wanted:
            raise DamagedCheckpoint(
                f"{path} is not the one that {path_of(folder, name, 'state').name} was saved with: use another set"
            )


def _numbers(folder: Path, part: str) -> list[int]:
    """Iterations of which `folder` holds that part, ascending."""
    found = (re.fullmatch(rf"(\d+)-{part}\.ckpt", path.name) for path in folder.glob(f"*-{part}.ckpt"))
    return sorted(int(match[1]) for match in found if match)
