"""`--mode export --for stargan`: checkpoints that yunjey/stargan and StarGAN-TA load strictly.

Their InstanceNorm tracks running statistics, so their state dicts have three buffers a norm that ours lack. They are
written as a norm that has seen nothing has them. Used in `eval()` they give garbage there, as that repo's own do.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from checkpointing import network_files, run_config, tensor_file
from common import whole_files


def export_for_stargan(path: Path, c_dim: int) -> int:
    """Write the generator `path`, and its D where there is one, to `stargan/` beside it; returns the exit code."""
    state, _ = network_files.generator_weights(path, c_dim)
    tracking = with_tracking_buffers(state)
    target = path.parent / "stargan" / path.name
    with whole_files.unwritable_reported(str(target)):
        whole_files.write_atomically(target, lambda temporary: tensor_file.write_tensors(temporary, tracking))
    print(f"{target}: {len(tracking) - len(state)} buffers added")
    if discriminator := run_config.discriminator_beside(path):
        copy = target.with_name(discriminator.name)
        with whole_files.unwritable_reported(str(copy)):
            whole_files.write_atomically(copy, lambda temporary: shutil.copyfile(discriminator, temporary))
        print(f"{copy}: as it was")
    return 0


def with_tracking_buffers(state: network_files.StateDict) -> network_files.StateDict:
    """A generator's state dict with `running_mean`, `running_var` and `num_batches_tracked` after each norm's bias."""
    tracking: network_files.StateDict = {}
    for key, tensor in state.items():
        tracking[key] = tensor
        norm, _, kind = key.rpartition(".")
        if kind == "bias":  # no convolution of the generator has one
            tracking[f"{norm}.running_mean"] = torch.zeros_like(tensor)
            tracking[f"{norm}.running_var"] = torch.ones_like(tensor)
            tracking[f"{norm}.num_batches_tracked"] = torch.tensor(0)
    return tracking
