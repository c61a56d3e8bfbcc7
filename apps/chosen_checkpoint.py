"""The apps' translator: the checkpoint that the environment names, which must give all five emotions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    from translation.translator import Translator

CHECKPOINT_VARIABLE = "STARGAN_FE_CHECKPOINT"
MODELS = Path("data/models")


def checkpoint_path(wanted: str) -> Path:
    """The file that STARGAN_FE_CHECKPOINT names: a path, or best, latest or an iteration of data/models.

    Raises `UserError` where there is none.
    """
    from checkpointing import training_sets

    if wanted in ("best", "latest") or wanted.isdecimal():
        return training_sets.path_of(MODELS, training_sets.resolve(MODELS, wanted), "G")
    if not Path(wanted).is_file():
        raise UserError(f"{CHECKPOINT_VARIABLE}: there is no {wanted}: name a -G.ckpt file, or best or latest")
    return Path(wanted)


def load_translator(path: Path) -> Translator:
    """The translator of a checkpoint. Raises `UserError` where it is none, or does not give the five emotions."""
    from translation.translator import Translator

    translator = Translator.load(path)
    missing = set(emotions.FIVE) - {emotions.canonical(domain) for domain in translator.domains}
    if missing:
        translator.close()
        raise UserError(f"{path} does not give {', '.join(sorted(missing))}: use a checkpoint of the five emotions")
    return translator
