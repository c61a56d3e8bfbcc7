"""The generator that both apps use: the one that is named, else the default one; it must make the five emotions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    from checkpointing.default_generator import Choice as Choice
    from translation.translator import Translator

CHECKPOINT_VARIABLE = "STARGAN_FE_CHECKPOINT"


def choose(wanted: str = "") -> Choice:
    """The generator to use.

    `wanted` is a path, or latest or an iteration of data/models. Empty or "best" is the default one. Raises
    `UserError` where there is none.
    """
    from checkpointing import default_generator, training_sets

    if wanted and wanted not in ("best", "latest") and not wanted.isdecimal():
        if not Path(wanted).is_file():
            raise UserError(f"{CHECKPOINT_VARIABLE}: there is no {wanted}: name a -G.ckpt file, or best or latest")
        return default_generator.choice_of(Path(wanted), "chosen")
    models = default_generator.MODELS
    if wanted in ("", "best"):
        found = default_generator.find()
        if found:
            return found
        raise UserError(
            f"there is no generator in {models}, {default_generator.SHIPPED} or {default_generator.DEMO_MODELS}: "
            f"run 'make demo', train one, or set {CHECKPOINT_VARIABLE} to a -G.ckpt file"
        )
    path = training_sets.path_of(models, training_sets.resolve(models, wanted), "G")
    return default_generator.choice_of(path, "own")


def load_translator(path: Path) -> Translator:
    """The translator of a checkpoint. Raises `UserError` where it is none, or does not make the five emotions."""
    from translation.translator import Translator

    translator = Translator.load(path)
    missing = [name for name in emotions.FIVE if name not in map(emotions.canonical, translator.domains)]
    if missing:
        translator.close()
        raise UserError(
            f"{path} makes {', '.join(translator.domains)}, but not {', '.join(missing)}: "
            "use a generator of the five emotions"
        )
    return translator
