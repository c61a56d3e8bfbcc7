"""Train StarGAN-FE, translate photos with it, measure it, export it: `main.py --mode train|test|eval|export`."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from common.errors import UserError, command
from common.flags import add_flags
from common.settings import MODES, Settings
from common.version import NAME_AND_VERSION
from training.flag_sets import config_words, init_words, preset_words, run_words


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one sentence, without the list of flags."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (main.py --help lists every flag)")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; for a flag that does not exist suggest the nearest one that does."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].split("=")[0]
            if word in MODES:
                self.error(f"{word} stands alone: did you mean --mode {word}?")
            near = difflib.get_close_matches(word, self._option_string_actions, 1)
            self.error(f"there is no flag {word}" + (f": did you mean {near[0]}?" if near else ""))
        return parsed


def build_parser() -> argparse.ArgumentParser:
    """Every flag of the published StarGAN-FE under its name and with its default, and those added since."""
    parser = Parser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=NAME_AND_VERSION)
    for group in Settings.groups().values():
        add_flags(parser.add_argument_group((group.__doc__ or "").rstrip(".")), group)
    return parser


def given_flags(argv: Sequence[str]) -> dict[str, Any]:
    """The flags that stand on the command line, with their values."""
    parser = build_parser()
    for action in parser._actions:
        action.default = argparse.SUPPRESS
    return vars(parser.parse_args(argv))


def read_flags(argv: Sequence[str]) -> Settings:
    """The command line, with the sets of flags that it names as defaults."""
    given = given_flags(argv)
    parser = build_parser()
    known = vars(parser.parse_args([]))
    try:
        earlier = config_words(given.get("config"), known)
        parser.parse_args(earlier)
    except UserError as error:
        raise UserError(f"--config {given['config']}: {error}") from error
    named = [*preset_words(given.get("preset")), *init_words(given.get("init")), *run_words(given.get("run"))]
    if {"run", "config"} & given.keys():  # they name the folder of checkpoints as if it stood there
        given["model_save_dir"] = None
    return Settings.from_values(vars(parser.parse_args([*earlier, *named, *argv])), given)


def train(settings: Settings) -> int:
    """Check what can be checked without loading torch, then train."""
    check(settings)
    from imaging.image_folder import read_folder  # --help needs no numpy

    images = read_folder(settings.data.image_dir, settings.networks.c_dim)
    if unknown := set(settings.data.pair_from or ()) - set(images.domains):
        raise UserError(f"--pair_from {min(unknown)}: {settings.data.image_dir} has {', '.join(images.domains)}")
    from solver import Solver
    from training.out_of_memory import out_of_memory_reported

    with out_of_memory_reported(settings.speed.accumulate):
        return Solver(settings, images).train()


def check(settings: Settings) -> None:
    """Raise `UserError` for flags that contradict each other."""
    size, halvings = settings.networks.image_size, settings.networks.d_repeat_num
    if size % 2**halvings:
        raise UserError(
            f"--image_size {size} cannot be halved {halvings} times, as --d_repeat_num {halvings} asks: "
            f"use a multiple of {2**halvings}, or a smaller --d_repeat_num"
        )
    if size % 4:
        raise UserError(f"--image_size {size} must be a multiple of 4, as the generator halves it twice")
    if settings.schedule.batch_size % settings.speed.accumulate:
        raise UserError(
            f"--batch_size {settings.schedule.batch_size} has no --accumulate {settings.speed.accumulate} equal parts: "
            "use a number that divides it"
        )
    if settings.losses.lambda_feature and not settings.losses.lambda_pair:
        raise UserError("--lambda_feature compares with the known answer: give --lambda_pair, too")
    if settings.data.pair_from and not settings.losses.lambda_pair:
        raise UserError("--pair_from says which faces pairs begin with: give --lambda_pair, too")


def test(settings: Settings) -> int:
    """Translate every photo that `image_path` names."""
    from translation.photo_folder import translate_folder

    models = settings.saving.model_save_dir
    return translate_folder(models, settings.use, settings.networks, settings.speed.amp, settings.given)


def evaluate(settings: Settings) -> int:
    """Measure checkpoints on the labelled faces of `image_dir`."""
    from scoring.evaluate import evaluate_checkpoints

    return evaluate_checkpoints(settings)


def export(settings: Settings) -> int:
    """Write the generator for other programs or other people."""
    from checkpointing.default_generator import of_command_line

    path = of_command_line(settings.saving.model_save_dir, settings.use.test_iters, settings.given)
    if settings.use.export_for == "stargan":
        from translation.stargan_export import export_for_stargan

        return export_for_stargan(path, settings.networks.c_dim)
    if settings.use.export_for == "release":
        from translation.release_export import export_release

        trained_on = settings.data.trained_on if "trained_on" in settings.given else None
        return export_release(path, trained_on, settings.use.strength if "strength" in settings.given else None)
    from translation.onnx_export import export_onnx

    return export_onnx(path, settings.networks, settings.use.sample_label_dir)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, then call one thing."""
    settings = read_flags(sys.argv[1:] if argv is None else argv)
    modes = {"train": train, "test": test, "eval": evaluate, "export": export}
    return modes[settings.start.mode](settings)


if __name__ == "__main__":
    code = main()
    if "training.distributed" in sys.modules:  # torch is loaded: nothing heavy for --help
        from training.distributed import end_process

        end_process(code)
    sys.exit(code)
