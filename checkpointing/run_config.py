"""`config.json`: what a run's files do not say of themselves, and which files belong together.

Needs no torch: the command line reads it, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.whole_files import write_text

CONFIG = "config.json"
D = "-D.ckpt"


def save_config(folder: Path, config: dict[str, Any]) -> None:
    """Write `config.json`: the run's arguments and its domain names in label order."""
    write_config(folder / CONFIG, config)


def write_config(path: Path, config: dict[str, Any]) -> None:
    """The same, under any name."""
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    write_text(path, text)


def load_config(folder: Path) -> dict[str, Any] | None:
    """`config.json` of a run, or None where there is none (checkpoints of other repos)."""
    return _read_config(folder / CONFIG)


def config_of(path: Path) -> dict[str, Any] | None:
    """The config of a generator or its D: NAME.json beside a shipped NAME.ckpt, else `config.json` of its folder."""
    stem = path.name.removesuffix(D)  # of a shipped pair NAME-G.ckpt or NAME.ckpt, and NAME-D.ckpt
    names = (f"{stem}-G.json", f"{stem}.json") if path.name.endswith(D) else (path.with_suffix(".json").name,)
    return next((config for name in (*names, CONFIG) if (config := _read_config(path.with_name(name)))), None)


def reach_of(path: Path | None) -> dict[str, float]:
    """What the config of a generator, or `path` itself, says of how far photos move: {"reach": ...}, or nothing."""
    config = (config_of(path) if path else None) or {}
    return {"reach": config["reach"]} if "reach" in config else {}


def discriminator_beside(generator: Path) -> Path | None:
    """The D that was saved with a generator: NAME-D.ckpt beside NAME-G.ckpt or NAME.ckpt; None where there is none."""
    path = generator.with_name(generator.name.removesuffix(".ckpt").removesuffix("-G") + D)
    return path if path.is_file() else None


def _read_config(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        reach = {"reach": float(config["reach"])} if "reach" in config else {}
        return {"arguments": dict(config["arguments"]), "domains": [str(d) for d in config["domains"]]} | reach
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}): restore it, or delete it to go on without it") from error
