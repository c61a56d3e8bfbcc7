"""The generator that both apps use: where it is, what it was trained on, and that it makes the five emotions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common import emotions
from common.errors import UserError

if TYPE_CHECKING:
    from translation.translator import Translator

CHECKPOINT_VARIABLE = "STARGAN_FE_CHECKPOINT"
MODELS = Path("data/models")  # your own training
SHIPPED = Path("pretrained")  # comes with the project
DEMO_MODELS = Path("data/demo/models")  # made by `make demo`

TRAINED_ON = ("drawn", "rendered", "photos")
# Said where a run's config.json does not say what it was trained on.
USUALLY = "photos"


@dataclass(frozen=True)
class Choice:
    """A generator's file, whose it is ("chosen", "own", "shipped" or "demo"), and what its faces were."""

    path: Path
    origin: str
    trained_on: str  # one of TRAINED_ON

    def __str__(self) -> str:
        whose = {
            "chosen": f"named by {CHECKPOINT_VARIABLE}",
            "own": "your own training",
            "shipped": "comes with StarGAN-FE",
            "demo": "made by 'make demo'",
        }
        faces = {"drawn": "drawn faces", "rendered": "rendered faces", "photos": "photos"}
        return f"{self.path} ({whose[self.origin]}; trained on {faces[self.trained_on]})"


def choose(wanted: str = "") -> Choice:
    """The generator to use.

    `wanted` is a path, or latest or an iteration of data/models. Empty or "best" is the best of data/models; where
    that folder has none, the shipped generator, and then the demo's. Raises `UserError` where there is none.
    """
    if wanted and wanted not in ("best", "latest") and not wanted.isdecimal():
        if not Path(wanted).is_file():
            raise UserError(f"{CHECKPOINT_VARIABLE}: there is no {wanted}: name a -G.ckpt file, or best or latest")
        return _choice(Path(wanted), "chosen")
    if wanted in ("", "best"):
        return _first_there_is()
    from checkpointing import training_sets

    return _choice(training_sets.path_of(MODELS, training_sets.resolve(MODELS, wanted), "G"), "own")


def _first_there_is() -> Choice:
    for folder, origin in ((MODELS, "own"), (SHIPPED, "shipped"), (DEMO_MODELS, "demo")):
        path = _best_of(folder)
        if path:
            return _choice(path, origin)
    raise UserError(
        f"there is no generator in {MODELS}, {SHIPPED} or {DEMO_MODELS}: run 'make demo', train one, "
        f"or set {CHECKPOINT_VARIABLE} to a -G.ckpt file"
    )


def _best_of(folder: Path) -> Path | None:
    """The best generator of a folder, else its latest; a folder that was shipped holds one under any name."""
    files = sorted(folder.glob("*.ckpt"))
    if not files:
        return None
    from checkpointing import training_sets

    best = training_sets.path_of(folder, "best", "G")
    if best in files:
        return best
    if training_sets.iterations(folder):
        return training_sets.path_of(folder, training_sets.resolve(folder, "latest"), "G")
    return files[0]


def _choice(path: Path, origin: str) -> Choice:
    return Choice(path, origin, _trained_on(path))


def _trained_on(path: Path) -> str:
    """What the generator's faces were, from the config.json beside it."""
    from checkpointing import network_files

    said = (network_files.config_of(path) or {}).get("trained_on", USUALLY)
    if said not in TRAINED_ON:
        raise UserError(f"the config of {path} says trained_on {said!r}: make it one of {', '.join(TRAINED_ON)}")
    return said


def checkpoint_path(wanted: str) -> Path:
    """The file of `choose(wanted)`."""
    return choose(wanted).path


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
