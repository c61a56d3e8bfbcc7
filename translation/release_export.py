"""`--mode export --for release`: a generator as one small file to give to others, its config beside it.

The weights are in float16, half the size; the config holds what a user of the file needs, and no folder of this
machine. Put in `pretrained/`, the pair is what test mode and the apps use where nobody has trained yet.
"""

from __future__ import annotations

import argparse

import torch

from checkpointing import network_files, tensor_file
from common import emotions, whole_files
from common.errors import UserError
from training.run_folder import ARCHITECTURE
from translation.default_generator import of_command_line

NEUTRAL = "neutral"
KEPT = (*ARCHITECTURE, "crop_size", "trained_on")  # arguments of the run that its release needs


def export_release(config: argparse.Namespace, given: set[str]) -> int:
    """Write `release/NAME.ckpt` and `release/NAME.json` beside the checkpoint; returns the exit code.

    A generator of the five emotions and neutral becomes one of the five: nobody asks for a neutral face.
    """
    path = of_command_line(config, given)
    trained = network_files.config_of(path)
    if not trained:
        raise UserError(f"there is no config.json beside {path}: a release says what its generator was trained on")
    state, _ = network_files.generator_weights(path, len(trained["domains"]))
    domains = trained["domains"]
    if sorted(domains) == sorted([*emotions.FIVE, NEUTRAL]):
        state = network_files.drop_domain(state, domains.index(NEUTRAL))
        domains = [domain for domain in domains if domain != NEUTRAL]
    arguments = {name: value for name, value in trained["arguments"].items() if name in KEPT}
    arguments |= {"c_dim": len(domains)} | ({"trained_on": config.trained_on} if "trained_on" in given else {})
    release = {"arguments": arguments, "domains": domains}
    half = {name: tensor.to(torch.float16) for name, tensor in state.items()}
    target = path.parent / "release" / path.name
    with whole_files.told_unwritable(str(target)):
        whole_files.write_atomically(target, lambda temporary: tensor_file.write_tensors(temporary, half))
        network_files.write_config(target.with_suffix(".json"), release)
    print(f"{target}: {', '.join(domains)}, {target.stat().st_size / 1e6:.1f} MB; its config is beside it")
    return 0
