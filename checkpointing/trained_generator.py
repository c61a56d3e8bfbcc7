"""A `-G.ckpt` file as a network ready for use, with what it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from checkpointing import network_files
from common.errors import UserError
from model import Generator


@dataclass(frozen=True)
class TrainedGenerator:
    """A generator on the CPU, without gradients; its domain names in label order; the images it takes.

    `published`: nothing says that it was trained here, so it takes faces as the published repo cut them out.
    """

    network: Generator
    domains: list[str]
    image_size: int
    crop_size: int
    published: bool


def load_generator(
    path: Path, *, c_dim: int = 5, image_size: int = 256, crop_size: int = 448, domains: tuple[str, ...] = ()
) -> TrainedGenerator:
    """Read a `-G.ckpt` file.

    The architecture is read off the file, the rest from the `config.json` beside it; the keywords serve checkpoints of
    other repos, which have none. Raises `UserError` for a file that is no generator.
    """
    state, found = network_files.load_generator(path, c_dim)
    config = network_files.config_of(path)
    if config:
        image_size, crop_size = config["arguments"]["image_size"], config["arguments"]["crop_size"]
    with torch.device("meta"):
        network = Generator(found.conv_dim, found.c_dim, found.repeat_num)
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)
    except RuntimeError as error:
        raise UserError(f"{path} is not a StarGAN generator ({str(error).splitlines()[-1].strip()})") from error
    names = network_files.domain_names(path, found.c_dim, domains)
    return TrainedGenerator(
        network.eval().requires_grad_(False), names, image_size, crop_size, published=config is None
    )
