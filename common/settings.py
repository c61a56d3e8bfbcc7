"""Every flag of `main.py` in groups, of which each part of the program is handed those that it needs.

Names and defaults are those of the published StarGAN-FE. `config.json` holds them flat, under the flags' names.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from common import argument_types as types
from common.flags import as_json, flag, from_values

MODES = ("train", "test", "eval", "export")

PRESETS = {
    # An hour of a CPU core.
    "cpu": "--image_size 64 --g_conv_dim 32 --g_repeat_num 3 --d_conv_dim 32 --d_repeat_num 5 --batch_size 8"
    " --n_critic 2 --num_iters 12000 --num_iters_decay 5000 --g_lr 0.0004 --d_lr 0.0004 --lr_update_step 50"
    " --ema_decay 0.998 --compile True --sample_step 500 --model_save_step 1000",
    # A sixteenth of the paper's arithmetic an image: for one ordinary GPU.
    "small": "--image_size 128 --g_conv_dim 64 --g_repeat_num 6 --d_conv_dim 64 --d_repeat_num 6 --batch_size 16"
    " --n_critic 2 --num_iters 100000 --num_iters_decay 50000 --g_lr 0.0002 --d_lr 0.0002 --ema_decay 0.999",
    # StarGAN's schedule (arXiv 1711.09020) on StarGAN-FE's networks.
    "paper": "--image_size 256 --g_conv_dim 128 --g_repeat_num 6 --d_conv_dim 128 --d_repeat_num 6 --batch_size 16"
    " --n_critic 5 --num_iters 200000 --num_iters_decay 100000 --g_lr 0.0001 --d_lr 0.0001 --beta1 0.5 --beta2 0.999"
    " --lambda_cls 1 --lambda_rec 10 --lambda_gp 10 --ema_decay 0",
}


def loader_workers() -> int:
    """One process for each core but one, at most 8 (the published code's single one starves a GPU)."""
    return max(1, min(8, (os.cpu_count() or 1) - 1))


@dataclass(frozen=True)
class StartSettings:
    """Sets of flags: those on the command line win."""

    mode: str = flag("train", "what to do", choices=MODES)
    preset: str | None = flag(
        None, "network size and schedule: one hour on a CPU, one GPU, or the paper's", choices=tuple(PRESETS)
    )
    config: Path | None = flag(None, "the flags of an earlier run: its config.json", type=Path)
    run: str | None = flag(None, "its models, samples, logs and results go to data/runs/NAME", type=types.run_name)


@dataclass(frozen=True)
class NetworkSettings:
    """Networks: their sizes, and that of what they see."""

    c_dim: int = flag(5, "number of labels: the emotions to generate", type=types.several)
    crop_size: int = flag(448, "centre crop of the 512x512 faces", type=types.crop)
    image_size: int = flag(256, "side of the images the networks see", type=types.count)
    g_conv_dim: int = flag(128, "filters in the generator's first layer", type=types.count)
    d_conv_dim: int = flag(128, "filters in the discriminator's first layer", type=types.count)
    g_repeat_num: int = flag(6, "residual blocks of the generator", type=types.count)
    d_repeat_num: int = flag(6, "strided convolutions of the discriminator", type=types.count)


@dataclass(frozen=True)
class LossSettings:
    """Losses: their weights."""

    lambda_cls: float = flag(1, "weight of the domain classification loss", type=types.weight)
    lambda_rec: float = flag(10, "weight of the reconstruction loss", type=types.weight)
    lambda_gp: float = flag(10, "weight of the gradient penalty", type=types.weight)
    lambda_pair: float = flag(
        0,
        "weight of the loss towards the known answer (needs datapreprocess.py --pairs); 0 = the paper",
        type=types.weight,
    )
    lambda_feature: float = flag(
        0,
        "with --lambda_pair: weight of the difference from the known answer in D's features; 0 = off",
        type=types.weight,
    )


@dataclass(frozen=True)
class ScheduleSettings:
    """Schedule: from where to where, and how fast."""

    batch_size: int = flag(16, "images per step and process", type=types.count)
    num_iters: int = flag(200000, "iterations in all", type=types.count)
    num_iters_decay: int = flag(5000, "last iterations, over which the rates fall to 0", type=types.whole)
    lr_update_step: int = flag(1000, "iterations between changes of the rates", type=types.count)
    g_lr: float = flag(0.0002, "learning rate of the generator", type=types.positive)
    d_lr: float = flag(0.0004, "learning rate of the discriminator", type=types.positive)
    n_critic: int = flag(5, "discriminator steps for each generator step", type=types.count)
    d_warmup: int = flag(
        0,
        "first iterations, in which D alone learns, only to name emotions; none where --init brings a D",
        type=types.whole,
    )
    beta1: float = flag(0.5, "Adam's beta1", type=types.fraction)
    beta2: float = flag(0.999, "Adam's beta2", type=types.fraction)
    ema_decay: float = flag(0, "decay of the generator's moving average, lower at first; 0 = off", type=types.fraction)
    seed: int = flag(0, "random seed", type=types.whole)
    init: Path | None = flag(
        None,
        "generator to start from, with its sizes, and with its D where it lies beside it; copy: random weights that "
        "pass the image through",
        type=Path,
    )
    resume_iters: str = flag("0", "iteration to go on from, best or latest", type=types.which_checkpoint)
    max_minutes: float | None = flag(None, "save and stop after so long", type=types.positive)
    on_nan: str = flag("stop", "after NaN or infinity: stop, or halve the rates", choices=("stop", "lower_lr"))


@dataclass(frozen=True)
class DataSettings:
    """Data to learn from."""

    image_dir: Path = flag(Path("data/train"), "labelled faces, one folder per emotion", type=Path)
    augment: str = flag(
        "seed",
        "flips and light as published, or also what cameras do: scale, blur, noise, JPEG, gamma, grey",
        choices=("seed", "photo"),
    )
    balance: bool = flag(False, "show every emotion equally often, however many faces it has")
    pair_from: tuple[str, ...] | None = flag(
        None,
        "with --lambda_pair: emotions of the generator's inputs (named twice: twice as often); default: all",
        nargs="+",
        metavar="EMOTION",
    )
    trained_on: str = flag(
        "photos",
        "what the faces are; kept with the checkpoints and shown by the apps",
        choices=("photos", "photolike", "rendered", "drawn"),
    )
    num_workers: int = flag(loader_workers(), "processes that load images", type=types.whole)
    cache: Path | None = flag(
        None, "folder to keep the faces in, decoded at training size; default: decode each time", type=Path
    )


@dataclass(frozen=True)
class SpeedSettings:
    """Speed and memory: results equal up to rounding."""

    amp: str = flag("auto", "bfloat16 where the hardware has it", choices=("auto", "bf16", "off"))
    compile: str = flag("auto", "compile the step; auto: on a GPU", choices=("auto", "True", "False"))
    accumulate: int = flag(1, "parts to compute a batch in, one after the other: less memory", type=types.count)
    gradient_checkpointing: bool = flag(False, "generator: less memory, but its forward passes are computed twice")
    deterministic: bool = flag(False, "bit-identical resumes on CUDA too, somewhat slower")


@dataclass(frozen=True)
class SavingSettings:
    """Saving: what goes where, how often."""

    model_save_dir: Path = flag(Path("data/models"), "checkpoints", type=Path)
    sample_dir: Path = flag(Path("data/samples"), "sample grids", type=Path)
    log_dir: Path = flag(Path("data/logs"), "TensorBoard's files", type=Path)
    use_tensorboard: bool = flag(True, "write TensorBoard's files")
    log_step: int = flag(10, "iterations between log lines", type=types.count)
    sample_step: int = flag(1000, "iterations between sample grids", type=types.count)
    model_save_step: int = flag(10000, "iterations between checkpoints", type=types.count)
    keep_last: int = flag(0, "newest checkpoints to keep; 0 = all", type=types.whole)
    keep_every: int = flag(0, "checkpoints to keep besides: multiples of this; 0 = none", type=types.whole)


@dataclass(frozen=True)
class ScoreSettings:
    """Score: how the best checkpoint is chosen."""

    score: str = flag(
        "fid*emotion", "criterion for the best checkpoint", choices=("fid*emotion", "fid", "emotion", "none")
    )
    fid_features: str = flag(
        "auto",
        "features to compare faces by: Inception's, or the judge's; auto: Inception's where they can be had",
        choices=("auto", "inception", "emotion"),
    )
    fid_sample_size: int = flag(160, "real faces the score is computed on", type=types.count)
    emotion_model: Path | None = flag(
        None,
        "judge file; default: enet_b2_7.pt if it is on this machine, else the judge that comes with the project",
        type=Path,
    )


@dataclass(frozen=True)
class UseSettings:
    """Use of trained networks: test, eval, export."""

    test_iters: str = flag(
        "300000",
        "checkpoint to use: iteration, best, latest; if not given, the best there is, else the shipped one",
        type=types.which_checkpoint,
    )
    iters: tuple[str, ...] | None = flag(
        None, "eval: checkpoints to compare, or all", type=types.evaluated, nargs="+", metavar="N"
    )
    image_path: tuple[Path, ...] = flag(
        (Path("data/test"),), "photos, or folders of photos, to translate", type=Path, nargs="+", metavar="PATH"
    )
    result_dir: Path = flag(Path("data/results"), "where translated photos and numbers go", type=Path)
    sample_label_dir: Path = flag(Path("data/train"), "its folders name a foreign checkpoint's labels", type=Path)
    face: int | Literal["all", "largest"] = flag(
        "all",
        "which faces of a photo to translate; N: the number that the apps give it, from 0, largest first",
        "--face",
        "--faces",
        type=types.which_face,
        metavar="{all,largest,N}",
    )
    emotions: tuple[str, ...] | None = flag(
        None, "translate to these only; default: all the generator has", nargs="+", metavar="EMOTION"
    )
    strength: float = flag(
        1,
        "how far faces move, 0 to 1.5; default: 1 (as the generator does), less where that is another person; "
        "export --for release: what others shall have as 1",
        type=types.strength,
    )
    detail: str = flag(
        "photo",
        "move the photo's own pixels, or paste in the generator's, which are few",
        choices=("photo", "network"),
    )
    format: str = flag("jpg", "of the results", choices=("jpg", "png", "webp"))
    quality: int = flag(95, "of jpg and webp results, 1 to 100", type=types.percent)
    overwrite: bool = flag(False, "translate photos again that have results")
    backend: str = flag("auto", "what runs the generator", choices=("auto", "torch", "openvino"))
    export_for: str = flag(
        "onnx",
        "export: ONNX, files that yunjey/stargan loads, or one small file to give to others",
        "--for",
        choices=("onnx", "stargan", "release"),
    )


@dataclass(frozen=True)
class Settings:
    """A whole command line. `given` are the flags that stood on it, and do not keep their defaults or a preset's."""

    start: StartSettings = StartSettings()
    networks: NetworkSettings = NetworkSettings()
    losses: LossSettings = LossSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    data: DataSettings = DataSettings()
    speed: SpeedSettings = SpeedSettings()
    saving: SavingSettings = SavingSettings()
    score: ScoreSettings = ScoreSettings()
    use: UseSettings = UseSettings()
    given: frozenset[str] = frozenset()

    @classmethod
    def groups(cls) -> dict[str, type]:
        """The dataclass of each group."""
        return {field.name: type(field.default) for field in dataclasses.fields(cls) if field.name != "given"}

    @classmethod
    def from_values(cls, values: Mapping[str, Any], given: Collection[str]) -> Settings:
        """The values of a parsed command line, in their groups."""
        made: dict[str, Any] = {name: from_values(group, values) for name, group in cls.groups().items()}
        return cls(**made, given=frozenset(given))

    def as_json(self) -> dict[str, Any]:
        """Every flag and its value, as `config.json` keeps them."""
        return {flag: value for name in self.groups() for flag, value in as_json(getattr(self, name)).items()}


@dataclass(frozen=True)
class JudgeSettings:
    """Flags of `emotion_recognition.py train`."""

    image_dir: Path = flag(Path("data/train512"), "one folder per emotion", type=Path)
    output: Path = flag(Path("data/models/emotion.pt"), "judge file to write", type=Path)
    arch: str = flag("tf_efficientnet_b0", "timm network")
    crop_size: int = flag(448, "centre crop of the faces, as main.py's", type=types.crop)
    image_size: int = flag(224, "side of the network's input", type=types.count)
    epochs: int = flag(30, "passes over the training faces, at most", type=types.count)
    patience: int = flag(8, "stop after so many epochs without a better one", type=types.count)
    batch_size: int = flag(64, "faces per step", type=types.count)
    lr: float = flag(1e-3, "highest learning rate of AdamW", type=types.positive)
    pretrained: Path | None = flag(None, "judge file to start from (its --arch is taken)", type=Path)
    seed: int = flag(0, "random seed", type=types.whole)
