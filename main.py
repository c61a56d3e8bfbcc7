"""Train StarGAN-FE, translate photos with it, measure it, export it: `main.py --mode train|test|eval|export`."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from common.argument_types import boolean, count, crop, fraction, percent, positive, several, strength, weight, whole
from common.errors import UserError, door
from common.version import TOLD
from imaging.image_folder import read_folder
from training.flag_sets import PRESETS, config_words, init_words, preset_words, run_words

MODES = ("train", "test", "eval", "export")


def run_name(text: str) -> str:
    """The name of a folder."""
    if Path(text).name != text or text.startswith(".") or "\\" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not a plain name, as of a folder in data/runs")
    return text


def which_checkpoint(text: str) -> str:
    """An iteration, `best` or `latest`."""
    if text in ("best", "latest") or text.isdecimal():
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither an iteration nor 'best' nor 'latest'")


def evaluated(text: str) -> str:
    """A checkpoint, or `all`."""
    return text if text == "all" else which_checkpoint(text)


def which_face(text: str) -> int | str:
    """`all`, `largest`, or a number from 0."""
    if text in ("all", "largest"):
        return text
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither 'all' nor 'largest' nor a number from 0")


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
    parser.add_argument("--version", action="version", version=TOLD)
    parser.add_argument("--mode", choices=MODES, default="train", help="what to do")
    add_sets(parser.add_argument_group("sets of flags: those on the command line win").add_argument)
    add_networks(parser.add_argument_group("networks").add_argument)
    add_training(parser.add_argument_group("training").add_argument)
    add_speed(parser.add_argument_group("speed and memory").add_argument)
    add_best(parser.add_argument_group("the best checkpoint").add_argument)
    add_use(parser.add_argument_group("test and eval").add_argument)
    add_folders(parser.add_argument_group("folders and steps").add_argument)
    return parser


Add = Callable[..., argparse.Action]


def add_sets(add: Add) -> None:
    """Flags that stand for many others."""
    add("--preset", choices=tuple(PRESETS), help="size and schedule: an hour of a CPU, one GPU, or as the paper")
    add("--config", type=Path, help="the flags of an earlier run: its config.json")
    add("--run", type=run_name, help="its models, samples, logs and results go to data/runs/NAME")


def add_networks(add: Add) -> None:
    """What the networks look like."""
    add("--c_dim", type=several, default=5, help="number of labels: the emotions to generate")
    add("--crop_size", type=crop, default=448, help="centre crop of the 512x512 faces")
    add("--image_size", type=count, default=256, help="side of the images the networks see")
    add("--g_conv_dim", type=count, default=128, help="filters in the generator's first layer")
    add("--d_conv_dim", type=count, default=128, help="filters in the discriminator's first layer")
    add("--g_repeat_num", type=count, default=6, help="residual blocks of the generator")
    add("--d_repeat_num", type=count, default=6, help="strided convolutions of the discriminator")


def add_training(add: Add) -> None:
    """How they learn."""
    add("--lambda_cls", type=weight, default=1, help="weight of the domain classification loss")
    add("--lambda_rec", type=weight, default=10, help="weight of the reconstruction loss")
    add("--lambda_gp", type=weight, default=10, help="weight of the gradient penalty")
    add(
        "--lambda_pair",
        type=weight,
        default=0,
        help="weight of the loss towards the known answer (needs datapreprocess.py --pairs); 0 = the paper",
    )
    add(
        "--lambda_feature",
        type=weight,
        default=0,
        help="with --lambda_pair: weight of the difference from the known answer in D's features; 0 = off",
    )
    add(
        "--pair_from",
        nargs="+",
        metavar="EMOTION",
        help="with --lambda_pair: emotions of the generator's inputs (named twice: twice as often); default: all",
    )
    add(
        "--augment",
        choices=("seed", "photo"),
        default="seed",
        help="flips and light as published, or also what cameras do: scale, blur, noise, JPEG, gamma, grey",
    )
    add(
        "--trained_on",
        choices=("photos", "photolike", "rendered", "drawn"),
        default="photos",
        help="what the faces are; kept with the checkpoints and shown by the apps",
    )
    add(
        "--init",
        type=Path,
        help="generator to start from, with its sizes, and with its D where it lies beside it; copy: random weights "
        "that pass the image through",
    )
    add("--balance", type=boolean, default=False, help="show every emotion equally often, however many faces it has")
    add("--batch_size", type=count, default=16, help="images a step, in each process")
    add("--num_iters", type=count, default=200000, help="iterations in all")
    add("--num_iters_decay", type=whole, default=5000, help="last iterations, over which the rates fall to 0")
    add("--g_lr", type=positive, default=0.0002, help="learning rate of the generator")
    add("--d_lr", type=positive, default=0.0004, help="learning rate of the discriminator")
    add("--n_critic", type=count, default=5, help="discriminator steps for each generator step")
    add(
        "--d_warmup",
        type=whole,
        default=0,
        help="first iterations, in which D alone learns, only to name emotions; none where --init brings a D",
    )
    add("--beta1", type=fraction, default=0.5, help="Adam's beta1")
    add("--beta2", type=fraction, default=0.999, help="Adam's beta2")
    add(
        "--ema_decay", type=fraction, default=0, help="decay of the generator's moving average, lower at first; 0 = off"
    )
    add("--seed", type=whole, default=0, help="random seed")
    add("--resume_iters", type=which_checkpoint, default="0", help="iteration to go on from, best or latest")
    add("--max_minutes", type=positive, help="save and stop after so long")
    add(
        "--on_nan", choices=("stop", "lower_lr"), default="stop", help="after NaN or infinity: stop, or halve the rates"
    )


def add_speed(add: Add) -> None:
    """How fast it trains, and on how much memory; the results are the same."""
    add("--amp", choices=("auto", "bf16", "off"), default="auto", help="bfloat16 where the hardware has it")
    add("--num_workers", type=whole, default=loader_workers(), help="processes that load images")
    add("--cache", type=Path, help="folder to keep the faces in, decoded at training size; default: decode each time")
    add("--compile", choices=("auto", "True", "False"), default="auto", help="compile the step; auto: on a GPU")
    add("--accumulate", type=count, default=1, help="parts to compute a batch in, one after the other: less memory")
    add(
        "--gradient_checkpointing",
        type=boolean,
        default=False,
        help="generator: less memory, but its forward passes are computed twice",
    )
    add("--deterministic", type=boolean, default=False, help="bit-identical resumes on CUDA too, somewhat slower")


def add_best(add: Add) -> None:
    """How the best checkpoint is chosen."""
    add(
        "--score",
        choices=("fid*emotion", "fid", "emotion", "none"),
        default="fid*emotion",
        help="criterion for the best checkpoint",
    )
    add(
        "--fid_features",
        choices=("auto", "inception", "emotion"),
        default="auto",
        help="features to compare faces by: Inception's, or the judge's; auto: Inception's where they can be had",
    )
    add("--fid_sample_size", type=count, default=160, help="real faces the score is computed on")
    add(
        "--emotion_model",
        type=Path,
        help="judge file; default: enet_b2_7.pt if it is on this machine, else the judge that comes with the project",
    )


def add_use(add: Add) -> None:
    """What trained networks are used on."""
    add(
        "--test_iters",
        type=which_checkpoint,
        default="300000",
        help="checkpoint to use: iteration, best, latest; if not given, the best there is, else the shipped one",
    )
    add("--iters", nargs="+", type=evaluated, metavar="N", help="eval: checkpoints to compare, or all")
    add(
        "--image_path",
        nargs="+",
        default=["data/test"],
        metavar="PATH",
        help="photos, or folders of photos, to translate",
    )
    add("--result_dir", default="data/results", help="where translated photos and numbers go")
    add("--sample_label_dir", default="data/train", help="its folders name a foreign checkpoint's labels")

    add(
        "--face",
        "--faces",
        type=which_face,
        default="all",
        metavar="{all,largest,N}",
        help="which faces of a photo to translate; N: the number that the apps give it, from 0, largest first",
    )
    add("--emotions", nargs="+", metavar="EMOTION", help="translate to these only; default: all the generator has")
    add("--strength", type=strength, default=1, help="how far faces move, 0 to 1.5; 1 is as far as the generator goes")
    add(
        "--detail",
        choices=("photo", "network"),
        default="photo",
        help="move the photo's own pixels, or paste in the generator's, which are few",
    )
    add("--format", choices=("jpg", "png", "webp"), default="jpg", help="of the results")
    add("--quality", type=percent, default=95, help="of jpg and webp results, 1 to 100")
    add("--overwrite", action="store_true", help="translate photos again that have results")
    add("--backend", choices=("auto", "torch", "openvino"), default="auto", help="what runs the generator")
    add(
        "--for",
        choices=("onnx", "stargan", "release"),
        default="onnx",
        help="export: ONNX, files that yunjey/stargan loads, or one small file to give to others",
    )


def add_folders(add: Add) -> None:
    """Where everything goes, and how often."""
    add("--image_dir", default="data/train", help="labelled faces, one folder per emotion")
    add("--log_dir", default="data/logs", help="TensorBoard's files")
    add("--model_save_dir", default="data/models", help="checkpoints")
    add("--sample_dir", default="data/samples", help="sample grids")
    add("--use_tensorboard", type=boolean, default=True, help="write TensorBoard's files")
    add("--log_step", type=count, default=10, help="iterations between log lines")
    add("--sample_step", type=count, default=1000, help="iterations between sample grids")
    add("--model_save_step", type=count, default=10000, help="iterations between checkpoints")
    add("--keep_last", type=whole, default=0, help="delete checkpoints but the last so many; 0 = keep all")
    add("--keep_every", type=whole, default=0, help="never delete multiples of this; 0 = none")
    add("--lr_update_step", type=count, default=1000, help="iterations between changes of the rates")


def loader_workers() -> int:
    """One process for each core but one, at most 8 (the published code's single one starves a GPU)."""
    return max(1, min(8, (os.cpu_count() or 1) - 1))


def given_flags(argv: Sequence[str], config: argparse.Namespace) -> set[str]:
    """The flags given on the command line, not those that keep their defaults or come from a preset.

    `--run` and `--config` name the folder of checkpoints as if it stood there.
    """
    given = {word[2:].split("=")[0] for word in argv if word.startswith("--")}
    return given | ({"model_save_dir"} if config.run or config.config else set())


def read_flags(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, with the sets of flags that it names as defaults."""
    parser = build_parser()
    given = parser.parse_args(argv)
    try:
        earlier = config_words(given.config, vars(given))
        parser.parse_args(earlier)
    except UserError as error:
        raise UserError(f"--config {given.config}: {error}") from error
    named = [*preset_words(given.preset), *init_words(given.init), *run_words(given.run)]
    return parser.parse_args([*earlier, *named, *argv])


def train(config: argparse.Namespace) -> int:
    """Check what can be checked without loading torch, then train."""
    size, halvings = config.image_size, config.d_repeat_num
    if size % 2**halvings:
        raise UserError(
            f"--image_size {size} cannot be halved {halvings} times, as --d_repeat_num {halvings} asks: "
            f"use a multiple of {2**halvings}, or a smaller --d_repeat_num"
        )
    if size % 4:
        raise UserError(f"--image_size {size} must be a multiple of 4, as the generator halves it twice")
    if config.batch_size % config.accumulate:
        raise UserError(
            f"--batch_size {config.batch_size} has no --accumulate {config.accumulate} equal parts: "
            "use a number that divides it"
        )
    images = read_folder(config.image_dir, config.c_dim)
    if config.lambda_feature and not config.lambda_pair:
        raise UserError("--lambda_feature compares with the known answer: give --lambda_pair, too")
    if config.pair_from and not config.lambda_pair:
        raise UserError("--pair_from says which faces pairs begin with: give --lambda_pair, too")
    if unknown := set(config.pair_from or ()) - set(images.domains):
        raise UserError(f"--pair_from {min(unknown)}: {config.image_dir} has {', '.join(images.domains)}")
    from solver import Solver
    from training.out_of_memory import told_out_of_memory

    with told_out_of_memory(config.accumulate):
        return Solver(config, images).train()


def test(config: argparse.Namespace, given: set[str]) -> int:
    """Translate every photo that `image_path` names."""
    from translation.photo_folder import translate_folder

    return translate_folder(config, given)


def evaluate(config: argparse.Namespace, given: set[str]) -> int:
    """Measure checkpoints on the labelled faces of `image_dir`."""
    from scoring.evaluate import evaluate_checkpoints

    return evaluate_checkpoints(config, given)


def export(config: argparse.Namespace, given: set[str]) -> int:
    """Write the generator for other programs or other people."""
    if getattr(config, "for") == "stargan":
        from translation.stargan_export import export_for_stargan

        return export_for_stargan(config, given)
    if getattr(config, "for") == "release":
        from translation.release_export import export_release

        return export_release(config, given)
    from translation.onnx_export import export_onnx

    return export_onnx(config, given)


@door
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, then call one thing."""
    argv = sys.argv[1:] if argv is None else argv
    config = read_flags(argv)
    if config.mode == "train":
        return train(config)
    if config.mode == "eval":
        return evaluate(config, given_flags(argv, config))
    if config.mode == "export":
        return export(config, given_flags(argv, config))
    return test(config, given_flags(argv, config))


if __name__ == "__main__":
    code = main()
    if "training.distributed" in sys.modules:  # torch is loaded: nothing heavy for --help
        from training.distributed import end_process

        end_process(code)
    sys.exit(code)
