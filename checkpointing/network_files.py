"""Checkpoints: plain state dicts other StarGAN repos read, the training state beside them, and foreign formats.

`{iter}-G.ckpt` is the generator one uses (the moving average when it is on), `{iter}-D.ckpt` the discriminator,
`{iter}-state.ckpt` what training needs beside them. The state gets its name last: a set with it is complete.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import emotions
from errors import UserError
from tensor_file import (
    DamagedCheckpoint,
    fingerprint,
    peek,
    settle,
    settle_folder,
    temporary_beside,
    verify,
    write_atomically,
    write_tensors,
)
from tensor_file import read as load

StateDict = dict[str, Tensor]

# Buffers of repos whose InstanceNorm tracks. Using them gives garbage pictures (yunjey/stargan issue 102).
_TRACKED = ("running_mean", "running_var", "num_batches_tracked")

# Label order of StarGAN-TA's published six-domain checkpoints.
STARGAN_TA_DOMAINS = ("angry", "fearful", "happy", "neutral", "sadness", "surprised")

CONFIG = "config.json"
PARTS = ("G", "D", "state")


@dataclass(frozen=True)
class Architecture:
    """What a state dict's shapes tell of its network; `image_size` only of a discriminator."""

    conv_dim: int
    c_dim: int
    repeat_num: int
    image_size: int | None = None


def save_config(folder: Path, config: dict[str, Any]) -> None:
    """Write `config.json`: the run's arguments and its domain names in label order."""
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / CONFIG, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_config(folder: Path) -> dict[str, Any] | None:
    """`config.json` of a run, or None where there is none (checkpoints of other repos)."""
    path = folder / CONFIG
    if not path.exists():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        return {"arguments": dict(config["arguments"]), "domains": [str(d) for d in config["domains"]]}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}): restore it, or delete it to go on without it") from error


def load_network(path: Path) -> StateDict:
    """A network's state dict from this repo, yunjey/stargan or StarGAN-TA, with the names of `model.py`."""
    content = load(path)
    state = {key.removeprefix("module."): value for key, value in content.items()}
    state = {k: v for k, v in state.items() if k.rsplit(".", 1)[-1] not in _TRACKED}
    if not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path} is not a network's state dict: give a -G.ckpt or -D.ckpt file")
    return state


def generator_architecture(state: StateDict, path: Path) -> Architecture:
    """Read a generator's architecture off its shapes."""
    first = state.get("main.0.weight")
    if first is None or first.ndim != 4 or first.shape[1] < 4 or first.shape[2:] != (7, 7):
        raise UserError(f"{path} is not a StarGAN generator: its first layer is not a 7x7 convolution")
    blocks = sum(bool(re.fullmatch(r"main\.\d+\.main\.0\.weight", key)) for key in state)
    return Architecture(conv_dim=first.shape[0], c_dim=first.shape[1] - 3, repeat_num=blocks)


def discriminator_architecture(state: StateDict, path: Path) -> Architecture:
    """Read a discriminator's architecture off its shapes."""
    first, last = state.get("main.0.weight"), state.get("conv2.weight")
    if first is None or last is None or first.ndim != 4 or last.ndim != 4 or first.shape[1] != 3:
        raise UserError(f"{path} is not a StarGAN discriminator: it has no conv2 head over three-channel images")
    layers = sum(bool(re.fullmatch(r"main\.\d+\.weight", key)) for key in state)
    return Architecture(first.shape[0], last.shape[0], layers, image_size=last.shape[2] * 2**layers)


def drop_domain(state: StateDict, domain: int) -> StateDict:
    """A G or D state dict without one domain: G's input channel 3 + domain, D's `conv2` row."""

    def without(weight: Tensor, dim: int, index: int) -> Tensor:
        keep = [i for i in range(weight.shape[dim]) if i != index]
        return weight.index_select(dim, torch.tensor(keep))

    if "conv2.weight" in state:
        return {**state, "conv2.weight": without(state["conv2.weight"], 0, domain)}
    return {**state, "main.0.weight": without(state["main.0.weight"], 1, 3 + domain)}


def load_generator(path: Path, c_dim: int = len(emotions.FIVE)) -> tuple[StateDict, Architecture]:
    """A generator's state dict and architecture, brought to `c_dim` domains where that can be done."""
    state = load_network(path)
    return _fit_domains(state, generator_architecture(state, path), c_dim, path)


def load_discriminator(path: Path, c_dim: int = len(emotions.FIVE)) -> tuple[StateDict, Architecture]:
    """A discriminator's state dict and architecture, brought to `c_dim` domains where that can be done."""
    state = load_network(path)
    return _fit_domains(state, discriminator_architecture(state, path), c_dim, path)


def _fit_domains(state: StateDict, found: Architecture, c_dim: int, path: Path) -> tuple[StateDict, Architecture]:
    """StarGAN-TA's six domains become this repo's five by dropping neutral; anything else stays as it is."""
    six = len(STARGAN_TA_DOMAINS)
    if found.c_dim != six or c_dim != len(emotions.FIVE) or len(domains_of(path.parent)) == six:
        return state, found
    return drop_domain(state, STARGAN_TA_DOMAINS.index("neutral")), replace(found, c_dim=c_dim)


def domains_of(folder: Path) -> list[str]:
    """The domain names a run in `folder` was trained on, in label order; empty where nothing tells."""
    config = load_config(folder)
    return config["domains"] if config else []


def domain_names(path: Path, c_dim: int, fallback: Sequence[str] = ()) -> list[str]:
    """Names of the domains of generator `path`: those it was trained on, else `fallback`, else the usual ones."""
    usual = {len(emotions.FIVE): emotions.FIVE, len(STARGAN_TA_DOMAINS): STARGAN_TA_DOMAINS}
    for names in (domains_of(path.parent), fallback, usual.get(c_dim, ())):
        if len(names) == c_dim:
            return list(names)
    raise UserError(
        f"{path} knows {c_dim} domains, but nothing names them: point --sample_label_dir at a folder with "
        f"{c_dim} folders, named after them"
    )


def require(found: Architecture, path: Path, wanted: Mapping[str, int]) -> None:
    """Refuse a checkpoint that contradicts a flag; `wanted` maps flags (g_conv_dim, c_dim ...) to values."""
    for flag, value in wanted.items():
        has = getattr(found, flag.removeprefix("g_").removeprefix("d_"))
        if has != value:
            raise UserError(
                f"{path} was trained with --{flag} {has}, and --{flag} says {value}: "
                f"pass --{flag} {has}, or use another checkpoint"
            )


# --- Sets: the three files of one moment -------------------------------------------------------------------------


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
                content["belongs_to"] = {other: fingerprint(path) for other, path in staged.items()}
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
    """Delete what a killed run was writing or deleting; only for who holds the folder's lock."""
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
    """Refuse a set that lacks a file, or one of whose `parts` is damaged or of another moment."""
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
        if not zipfile.is_zipfile(path) or fingerprint(path) != wanted:
            raise DamagedCheckpoint(
                f"{path} is not the one that {path_of(folder, name, 'state').name} was saved with: use another set"
            )


def _numbers(folder: Path, part: str) -> list[int]:
    """Iterations of which `folder` holds that part, ascending."""
    found = (re.fullmatch(rf"(\d+)-{part}\.ckpt", path.name) for path in folder.glob(f"*-{part}.ckpt"))
    return sorted(int(match[1]) for match in found if match)
