"""Checkpoints: plain state dicts other StarGAN repos read, the training state beside them, and foreign formats.

`{iter}-G.ckpt` is the generator one uses (the moving average when it is on), `{iter}-D.ckpt` the discriminator,
`{iter}-state.ckpt` what training needs beside them. The state is written last: a set with it is complete.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import emotions
from errors import UserError

StateDict = dict[str, Tensor]

# Buffers of repos whose InstanceNorm tracks. Using them gives garbage pictures (yunjey/stargan issue 102).
_TRACKED = ("running_mean", "running_var", "num_batches_tracked")

# Label order of StarGAN-TA's published six-domain checkpoints.
STARGAN_TA_DOMAINS = ("angry", "fearful", "happy", "neutral", "sadness", "surprised")

CONFIG = "config.json"


@dataclass(frozen=True)
class Architecture:
    """What a state dict's shapes tell of its network; `image_size` only of a discriminator."""

    conv_dim: int
    c_dim: int
    repeat_num: int
    image_size: int | None = None


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Call `write(temporary_path)`, flush it to disk, then rename it to `path`: never a half-written file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain values atomically, readable with `torch.load(weights_only=True)`."""
    write_atomically(path, lambda temporary: torch.save(content, temporary))


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


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint's tensors and plain values onto the CPU; code inside the file is never run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen unrelated types for a bad file
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"{path} cannot be read as a checkpoint ({reason[:160]}): use another one") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {type(content).__name__}, not a state dict: use another checkpoint")
    return content


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


def path_of(folder: Path, name: int | str, part: str) -> Path:
    """`{name}-{part}.ckpt`, `name` an iteration or "best", `part` G, D or state."""
    return folder / f"{name}-{part}.ckpt"


def iterations(folder: Path) -> list[int]:
    """Iterations of the complete sets in `folder`, ascending; a set without a state file came from another repo."""
    found = {int(m[1]) for p in folder.glob("*-G.ckpt") if (m := re.fullmatch(r"(\d+)-G\.ckpt", p.name))}
    return sorted(i for i in found if path_of(folder, i, "D").exists())


def resolve(folder: Path, which: str) -> int | str:
    """The checkpoint that `which` (an iteration, "best" or "latest") names in `folder`."""
    if which == "latest":
        there = iterations(folder)
        if not there:
            raise UserError(f"{folder} holds no checkpoint: train first, or name another --model_save_dir")
        return there[-1]
    name: int | str = which if which == "best" else int(which)
    if not path_of(folder, name, "G").exists():
        last = ", ".join(map(str, iterations(folder)[-5:]))
        has = f"it holds {last}" if last else "it holds no checkpoint"
        raise UserError(f"there is no {path_of(folder, name, 'G')} ({has}): name one that exists, or 'latest'")
    return name
