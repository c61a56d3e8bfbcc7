"""A `-G.ckpt` file as a network ready for use, with what it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from checkpointing import network_files, run_config
from common.errors import UserError
from losses import one_hot
from model import Generator


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator on the CPU, without gradients; its domain names in label order; the images it takes.

    `config` is what its run wrote down, as `run_config.config_of` gives it.
    """

    path: Path
    network: Generator
    architecture: network_files.Architecture
    domains: list[str]
    image_size: int
    crop_size: int
    config: dict[str, Any] | None

    @property
    def published(self) -> bool:
        """Whether it was trained elsewhere: then it takes faces as the published repo cut them out."""
        return self.config is None

    @property
    def reach(self) -> float:
        """How far a photo moves, in the movement of the generator's own pictures: its release's config may say so."""
        return float((self.config or {}).get("reach", 1.0))


def load_generator(
    path: Path, *, c_dim: int = 5, image_size: int = 256, crop_size: int = 448, domains: tuple[str, ...] = ()
) -> TrainedGenerator:
    """Read a `-G.ckpt` file.

    The architecture is read off the file, the rest from the `config.json` beside it; the keywords serve checkpoints of
    other repos, which have none. Raises `UserError` for a file that is no generator.
    """
    state, found = network_files.generator_weights(path, c_dim)
    config = run_config.config_of(path)
    if config:
        image_size, crop_size = config["arguments"]["image_size"], config["arguments"]["crop_size"]
    with torch.device("meta"):
        network = Generator(found.conv_dim, found.c_dim, found.repeat_num)
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)
    except RuntimeError as error:
        raise UserError(f"{path} is not a StarGAN generator ({str(error).splitlines()[-1].strip()})") from error
    names = network_files.domain_names(path, found.c_dim, domains)
    return TrainedGenerator(path, network.eval().requires_grad_(False), found, names, image_size, crop_size, config)


@torch.inference_mode()
def translate_to_all(
    G: Callable[[Tensor, Tensor], Tensor], x: Tensor, c_dim: int, faces_at_once: int | None = None
) -> Tensor:
    """Every image with every domain: [B, 3, H, W] -> [B, c_dim, 3, H, W], both in [-1, 1].

    In one batch of B × c_dim, or in parts of `faces_at_once` × c_dim.
    """
    parts = []
    for faces in x.split(faces_at_once or max(1, len(x))):
        labels = one_hot(torch.arange(c_dim, device=x.device), c_dim).repeat(len(faces), 1)
        x_fake = G(faces.repeat_interleave(c_dim, dim=0), labels)
        parts.append(x_fake.float().unflatten(0, (len(faces), c_dim)))
    return torch.cat(parts)


def faces_that_fit(batch_size: int, accumulate: int, c_dim: int) -> int:
    """How many faces to translate to all domains at once: no more images than a training step computes together."""
    return max(1, batch_size // accumulate // c_dim)
