"""Checkpoints of other repos: what they do not say of themselves, and the command line does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from imaging.image_folder import find_domains


def foreign_settings(config: argparse.Namespace) -> dict[str, Any]:
    """Keywords of `load_generator` for checkpoints that have no `config.json` beside them."""
    labels = Path(config.sample_label_dir)
    return {
        "c_dim": config.c_dim,
        "image_size": config.image_size,
        "crop_size": config.crop_size,
        "domains": tuple(find_domains(labels)) if labels.is_dir() else (),
    }
