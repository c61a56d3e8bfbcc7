"""What a resumed run may not change, and what it is told it changed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from checkpointing import network_files
from common.errors import UserError

ARCHITECTURE = ("image_size", "c_dim", "g_conv_dim", "d_conv_dim", "g_repeat_num", "d_repeat_num")

# These differ between two starts of one run, or say nothing about training.
_OF_ONE_START = {
    *("mode", "resume_iters", "max_minutes", "num_workers", "keep_last", "keep_every", "test_iters", "iters"),
    *("cache", "compile", "accumulate", "gradient_checkpointing"),
}


def check_resume(config: argparse.Namespace, domains: Sequence[str]) -> None:
    """Compare `config.json` of the run with this command line.

    Raises `UserError` where going on would be meaningless; prints a line for everything that is merely different.
    """
    folder = Path(config.model_save_dir)
    saved = network_files.load_config(folder)
    if not saved:
        return
    if saved["domains"] != list(domains):
        raise UserError(
            f"the run in {folder} was trained on {', '.join(saved['domains'])}, but {config.image_dir} "
            f"holds {', '.join(domains)}: use the same folders, or a new --model_save_dir"
        )
    then = saved["arguments"]
    for flag in ARCHITECTURE:
        if then.get(flag, getattr(config, flag)) != getattr(config, flag):
            raise UserError(
                f"the run in {folder} was trained with --{flag} {then[flag]}, and --{flag} says "
                f"{getattr(config, flag)}: pass --{flag} {then[flag]}, or a new --model_save_dir"
            )
    for flag, value in vars(config).items():
        plain = str(value) if isinstance(value, Path) else value
        if flag in then and then[flag] != plain and flag not in _OF_ONE_START:
            print(f"changed: --{flag} {plain} (the run so far: {then[flag]})")
