"""Flags you need not type: a named set, those of an earlier run's config.json, and the folders of a named run.

Each is turned into words of a command line that go before the user's own, so that these win.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from checkpointing import run_config
from common.errors import UserError
from common.settings import PRESETS

RUNS = Path("data/runs")

# What a generator and its D were made for.
SIZES = ("image_size", "crop_size", "g_conv_dim", "g_repeat_num", "d_conv_dim", "d_repeat_num")

# What belongs to one start, or to one machine, not to the run.
_NOT_TAKEN = {
    *("mode", "resume_iters", "max_minutes", "test_iters", "iters", "overwrite", "for", "num_workers"),
    *("run", "config", "preset"),
}


def preset_words(name: str | None) -> list[str]:
    """The flags of the preset `name`."""
    return PRESETS[name].split() if name else []


def run_words(name: str | None) -> list[str]:
    """The folders of the run `name`."""
    if not name:
        return []
    places = {"model_save_dir": "models", "sample_dir": "samples", "log_dir": "logs", "result_dir": "results"}
    return [f"--{flag}={RUNS / name / place}" for flag, place in places.items()]


def config_words(path: Path | None, known: Collection[str]) -> list[str]:
    """The flags that a run wrote into `path`, its config.json; `known` are those there are."""
    if not path:
        return []
    taken = {flag: value for flag, value in _arguments(path).items() if flag not in _NOT_TAKEN and value is not None}
    for flag in taken:
        if flag not in known:
            raise UserError(f"it sets {flag}, and there is no flag --{flag}: remove it from the file")
    words = [
        [f"--{flag}", *value] if isinstance(value, list) else [f"--{flag}={value}"] for flag, value in taken.items()
    ]
    return [word for flag_words in words for word in flag_words]


def init_words(generator: Path | None) -> list[str]:
    """The sizes that the generator to start from was trained with, where its config says them."""
    config = run_config.config_of(generator) if generator else None
    arguments = config["arguments"] if config else {}
    return [f"--{flag}={arguments[flag]}" for flag in SIZES if flag in arguments]


def _arguments(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))["arguments"])
    except OSError as error:
        raise UserError(f"it can't be read ({error.strerror}): name a config.json that a run wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError("it is not what a run wrote as config.json: name another") from error
