"""`--mode export --for release`: a generator and its D as small files to give to others, their config beside them.

The weights are in float16, half the size; the config holds what a user of the files needs, and no folder of this
machine. Put in `pretrained/`, they are what test mode and the apps use where nobody has trained yet, and what
`--init` goes on from.
"""

from __future__ import annotations

from pathlib import Path

import torch

from checkpointing import network_files, run_config, tensor_file
from common import emotions, whole_files
from common.errors import UserError
from training.run_folder import ARCHITECTURE

NEUTRAL = "neutral"
KEPT = (*ARCHITECTURE, "crop_size", "trained_on")  # arguments of the run that its release needs


def export_release(path: Path, trained_on: str | None, reach: float | None) -> int:
    """Write the generator `path`, its config, and D where there is one, to `release/` beside it.

    Networks of the five emotions and neutral become those of the five: nobody asks for a neutral face. `trained_on`
    replaces what the run's config says. `reach` is how far photos shall move, in the movement of the generator's own
    pictures. Returns the exit code.
    """
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
    arguments |= {"c_dim": len(domains)} | ({"trained_on": trained_on} if trained_on else {})
    release = {"arguments": arguments, "domains": domains} | ({"reach": reach} if reach else {})
    folder = path.parent / "release"
    with whole_files.unwritable_reported(str(folder)):
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
