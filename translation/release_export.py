"""`--mode export --for release`: a generator and its D as small files to give to others, their config beside them.

The weights are in float16, half the size; the config holds what a user of the files needs, and no folder of this
machine. Put in `pretrained/`, they are what test mode and the apps use where nobody has trained yet, and what
`--init` goes on from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from checkpointing import network_files, run_config, tensor_file
from common import emotions, whole_files
from common.errors import UserError
from training.run_folder import ARCHITECTURE
from translation.default_generator import of_command_line

NEUTRAL = "neutral"
KEPT = (*ARCHITECTURE, "crop_size", "trained_on")  # arguments of the run that its release needs


def export_release(config: argparse.Namespace, given: set[str]) -> int:
    """Write G, its config, and D where there is one, to `release/` beside the checkpoint; returns the exit code.

    Networks of the five emotions and neutral become those of the five: nobody asks for a neutral face.
    """
    path = of_command_line(config, given)
    trained = run_config.config_of(path)
    if not trained:
        raise UserError(f"there is no config.json beside {path}: a release says what its generator was trained on")
    c_dim = len(trained["domains"])
    states = {path: network_files.generator_weights(path, c_dim)[0]}
    if discriminator := run_config.discriminator_beside(path):
        states[discriminator] = network_files.discriminator_weights(discriminator, c_dim)[0]
    domains = trained["domains"]
    if sorted(domains) == sorted([*emotions.FIVE, NEUTRAL]):
        neutral = domains.index(NEUTRAL)
        states = {file: network_files.drop_domain(state, neutral) for file, state in states.items()}
        domains = [domain for domain in domains if domain != NEUTRAL]
    arguments = {name: value for name, value in trained["arguments"].items() if name in KEPT}
    arguments |= {"c_dim": len(domains)} | ({"trained_on": config.trained_on} if "trained_on" in given else {})
    release = {"arguments": arguments, "domains": domains}
    folder = path.parent / "release"
    with whole_files.told_unwritable(str(folder)):
        for file, state in states.items():
            _write_half(folder / file.name, state)
        run_config.write_config((folder / path.name).with_suffix(".json"), release)
    print(f"{', '.join(domains)}; config: {(folder / path.name).with_suffix('.json')}")
    if not discriminator:
        print(f"no D beside {path}: whoever goes on from this generator begins with a D that knows nothing")
    return 0


def _write_half(target: Path, state: network_files.StateDict) -> None:
    half = {name: tensor.to(torch.float16) for name, tensor in state.items()}
    whole_files.write_atomically(target, lambda temporary: tensor_file.write_tensors(temporary, half))
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
