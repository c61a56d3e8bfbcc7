"""Judge files: what they contain, and the two kinds that are read: our own and the published `enet_b2_7.pt`."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from checkpointing import tensor_file
from checkpointing.pickled_module import read_state_dict
from common import emotions
from common.errors import UserError
from common.whole_files import write_atomically

FORMAT = "stargan-fe judge 1"
LARGEST_SIDE = 2048  # pixels
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Judge:
    """An emotion classifier: a timm network, its weights, and what its inputs and outputs are."""

    arch: str  # timm's name of the network
    classes: tuple[str, ...]  # name of each output, in order
    image_size: int  # side of the square input, pixels
    mean: tuple[float, ...]  # mean of the RGB input in [0, 1]
    std: tuple[float, ...]
    accuracy: float | None  # on the validation split, 0 to 1; None: not known
    state_dict: dict[str, Tensor]


def save_judge(path: Path, judge: Judge) -> None:
    """Write `judge` to `path` in one step, as plain containers and tensors."""
    content = {"format": FORMAT, **{field.name: getattr(judge, field.name) for field in fields(judge)}}
    write_atomically(path, lambda temporary: torch.save(content, temporary))


def load_judge(path: Path) -> Judge:
    """Read a judge file of either kind, on the CPU, running no code from it; raises `UserError`."""
    if not path.is_file():
        raise UserError(f"there is no file {path}: check --emotion_model")
    tensor_file.verify(path)  # before anything is unpacked
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):  # not plain tensors: a pickled network, or no such file
        state = read_state_dict(path)
        tensor_file.require_honest(path, state)
        return _published(path, state)
    tensor_file.require_honest(path, tensor_file.tensors_of(content))
    if isinstance(content, dict) and "format" in content:
        return _ours(path, content)
    return _published(path, content if isinstance(content, dict) else {})


def _ours(path: Path, content: dict[str, Any]) -> Judge:
    wanted = {field.name for field in fields(Judge)}
    if content["format"] != FORMAT or not wanted <= content.keys():
        raise UserError(f"{path} is a judge of another version ({content['format']}): train it again")
    judge = Judge(**{name: content[name] for name in wanted})
    problem = _problem(judge)
    if problem:
        raise UserError(f"{path} is not a judge ({problem}): give another file, or train it again")
    return judge


def _problem(judge: Judge) -> str:
    """What is wrong with a file that says it is a judge; "" where nothing is."""
    if not isinstance(judge.arch, str):
        return "its network has no name"
    classes = judge.classes
    if not isinstance(classes, (tuple, list)) or not classes or not all(isinstance(name, str) for name in classes):
        return "its classes have no names"
    if type(judge.image_size) is not int or not 1 <= judge.image_size <= LARGEST_SIDE:
        return f"its image size is not between 1 and {LARGEST_SIDE}"
    for numbers in (judge.mean, judge.std):
        if (
            not isinstance(numbers, (tuple, list))
            or len(numbers) != 3
            or not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        ):
            return "its mean or deviation is not three numbers"
    if not all(judge.std):
        return "a deviation is 0"
    tensors = judge.state_dict
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        return "its weights are not tensors"
    return ""


def _published(path: Path, state: dict[str, Tensor]) -> Judge:
    """`enet_b2_7`: an EfficientNet-B2 of AffectNet's seven classes, its head named `classifier` or `classifier.0`."""
    state = {name.replace("classifier.0.", "classifier."): tensor for name, tensor in state.items()}
    head = state.get("classifier.weight")
    if not isinstance(head, Tensor) or head.shape != (len(emotions.JUDGE_CLASSES), 1408):
        raise UserError(
            f"{path} is neither enet_b2_7.pt nor a judge of `python emotion_recognition.py train`: give one of these"
        )
    return Judge(
        arch="tf_efficientnet_b2",
        classes=emotions.JUDGE_CLASSES,
        image_size=260,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        accuracy=None,
        state_dict=state,
    )
