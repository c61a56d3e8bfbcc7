"""A `-G.ckpt` file as a network ready for use, with what it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from checkpointing import network_files, run_config
from common.errors import UserError
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
