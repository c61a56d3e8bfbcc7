"""Files of one network, in our format (plain state dicts) and in other repos'."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from checkpointing import run_config, tensor_file
from common import emotions
from common.errors import UserError

StateDict = dict[str, Tensor]

# Buffers of repos whose InstanceNorm tracks. Using them gives garbage pictures (yunjey/stargan issue 102).
_TRACKED = ("running_mean", "running_var", "num_batches_tracked")

# Label order of StarGAN-TA's published six-domain checkpoints.
STARGAN_TA_DOMAINS = ("angry", "fearful", "happy", "neutral", "sadness", "surprised")


@dataclass(frozen=True)
class Architecture:
    """What a state dict's shapes tell of its network; `image_size` only of a discriminator."""

    conv_dim: int
    c_dim: int
    repeat_num: int
    image_size: int | None = None


def load_network(path: Path) -> StateDict:
    """A network's state dict from this repo, yunjey/stargan or StarGAN-TA, with the names of `model.py`."""
    content = tensor_file.read(path)
    if isinstance(content.get("state_dict"), dict):  # as Lightning and many scripts wrap it
        content = content["state_dict"]
    state = {str(key).removeprefix("module."): value for key, value in content.items()}
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


def generator_weights(path: Path, c_dim: int = len(emotions.FIVE)) -> tuple[StateDict, Architecture]:
    """A generator's state dict and architecture, brought to `c_dim` domains where that can be done."""
    state = load_network(path)
    return _fit_domains(state, generator_architecture(state, path), c_dim, path)


def discriminator_weights(path: Path, c_dim: int = len(emotions.FIVE)) -> tuple[StateDict, Architecture]:
    """A discriminator's state dict and architecture, brought to `c_dim` domains where that can be done."""
    state = load_network(path)
    return _fit_domains(state, discriminator_architecture(state, path), c_dim, path)


def _fit_domains(state: StateDict, found: Architecture, c_dim: int, path: Path) -> tuple[StateDict, Architecture]:
    """StarGAN-TA's six domains become this repo's five by dropping neutral; anything else stays as it is."""
    six = len(STARGAN_TA_DOMAINS)
    if found.c_dim != six or c_dim != len(emotions.FIVE) or len(domains_of(path)) == six:
        return state, found
    return drop_domain(state, STARGAN_TA_DOMAINS.index("neutral")), replace(found, c_dim=c_dim)


def domains_of(path: Path) -> list[str]:
    """The domain names that generator or discriminator `path` was trained on, in label order; empty if unknown."""
    config = run_config.config_of(path)
    return config["domains"] if config else []


def domain_names(path: Path, c_dim: int, fallback: Sequence[str] = ()) -> list[str]:
    """Names of the domains of generator `path`: those it was trained on, else `fallback`, else the usual ones."""
    usual = {len(emotions.FIVE): emotions.FIVE, len(STARGAN_TA_DOMAINS): STARGAN_TA_DOMAINS}
    for names in (domains_of(path), fallback, usual.get(c_dim, ())):
        if len(names) == c_dim:
            return list(names)
    raise UserError(
        f"{path} knows {c_dim} domains, but nothing names them: point --sample_label_dir at a folder with "
        f"{c_dim} folders, named after them"
    )


def require(found: Architecture, path: Path, wanted: Mapping[str, int]) -> None:
    """Refuse a checkpoint that contradicts a flag; `wanted` maps flags (g_conv_dim, c_dim ...) to values."""
    for flag, has in differences(found, wanted).items():
        raise UserError(
            f"{path} was trained with --{flag} {has}, and --{flag} says {wanted[flag]}: "
            f"pass --{flag} {has}, or use another checkpoint"
        )


def differences(found: Architecture, wanted: Mapping[str, int]) -> dict[str, int]:
    """What a checkpoint has for each flag that says another value."""
    has = {flag: getattr(found, flag.removeprefix("g_").removeprefix("d_")) for flag in wanted}
    return {flag: value for flag, value in has.items() if value != wanted[flag]}
