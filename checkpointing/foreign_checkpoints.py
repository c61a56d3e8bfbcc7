"""Checkpoints of other repos: what they do not say of themselves, and the command line does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.settings import NetworkSettings
from imaging.image_folder import find_domains


def foreign_settings(networks: NetworkSettings, labels: Path) -> dict[str, Any]:
    """Keywords of `load_generator` for checkpoints that have no `config.json` beside them.

    The folders in `labels`, where there is that folder, name the emotions.
    """
    return {
        "c_dim": networks.c_dim,
        "image_size": networks.image_size,
        "crop_size": networks.crop_size,
        "domains": tuple(find_domains(labels)) if labels.is_dir() else (),
    }
