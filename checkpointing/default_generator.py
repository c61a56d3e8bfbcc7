"""The generator that is used where nobody names one: your own best, else the shipped one, else the demo's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from checkpointing import run_config, training_sets
from common.errors import UserError

MODELS = Path("data/models")  # your own training
SHIPPED = Path("pretrained")  # comes with the project
DEMO_MODELS = Path("data/demo/models")  # made by `make demo`
BESIDE_THE_CODE = Path(__file__).resolve().parent.parent / SHIPPED  # the same, for whoever works in another folder

TRAINED_ON = {
    "drawn": "drawn faces",
    "rendered": "rendered people",
    "photolike": "photo-like people who do not exist",
    "photos": "photos",
}
USUALLY = "photos"  # where a run's config.json does not say what it was trained on

ORIGINS = {
    "chosen": "named by STARGAN_FE_CHECKPOINT",
    "own": "your own training",
    "shipped": "comes with StarGAN-FE",
    "demo": "made by 'make demo'",
}


@dataclass(frozen=True)
class Choice:
    """A generator's file, whose it is (`ORIGINS`), and what its faces were (`TRAINED_ON`)."""

    path: Path
    origin: str
    trained_on: str

    def __str__(self) -> str:
        return f"{self.path} ({ORIGINS[self.origin]}; trained on {TRAINED_ON[self.trained_on]})"

    @property
    def advice(self) -> str:
        """What users of the shipped generator should know; "" for any other."""
        if self.origin != "shipped":
            return ""
        return "it has learned from people who do not exist: try one that you train on real faces, too"


def find(models: Path = MODELS) -> Choice | None:
    """The default generator, or None where there is none at all; `models` is where your own training saves."""
    places = ((models, "own"), (SHIPPED, "shipped"), (DEMO_MODELS, "demo"), (BESIDE_THE_CODE, "shipped"))
    for folder, origin in places:
        path = _best_of(folder)
        if path:
            return choice_of(path, origin)
    return None


def choice_of(path: Path, origin: str) -> Choice:
    """A generator's file with what the config.json beside it says that it was trained on."""
    config = run_config.config_of(path)
    said = config["arguments"].get("trained_on", USUALLY) if config else USUALLY
    if said not in TRAINED_ON:
        raise UserError(f"the config of {path} says trained_on {said!r}: make it one of {', '.join(TRAINED_ON)}")
    return Choice(path, origin, said)


def _best_of(folder: Path) -> Path | None:
    """The best generator of a folder, else its latest; a folder that was shipped holds one under any name."""
    files = [path for path in sorted(folder.glob("*.ckpt")) if not path.name.endswith(run_config.D)]
    if not files:
        return None
    best = training_sets.path_of(folder, "best", "G")
    if best in files:
        return best
    if training_sets.iterations(folder):
        return training_sets.path_of(folder, training_sets.resolve(folder, "latest"), "G")
    return files[0]


def of_command_line(folder: Path, test_iters: str, given: Collection[str]) -> Path:
    """The generator that `--test_iters` names in `--model_save_dir`; the default one where neither flag was `given`.

    With `--model_save_dir` alone it is the best of that folder. Says which it is.
    """
    path = training_sets.path_of(folder, test_iters, "G")
    if "test_iters" in given or path.exists():
        path = training_sets.path_of(folder, training_sets.resolve(folder, test_iters), "G")
        print(f"using {path}")
        return path
    if "model_save_dir" in given:
        found = _best_of(folder)
        if found is None:
            raise UserError(f"{folder} holds no checkpoint: train first, or name another --model_save_dir")
        print(f"using {found}")
        return found
    choice = find(folder)
    if choice is None:
        raise UserError(f"there is no generator in {folder}, {SHIPPED} or {DEMO_MODELS}: train one, or run 'make demo'")
    print("; ".join(filter(None, (f"using {choice}", choice.advice))))
    return choice.path
