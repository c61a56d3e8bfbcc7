"""Read the tensors out of a network that was pickled whole, without running any code from the file.

`torch.save(network)` writes a pickle that names the network's classes; loading it the usual way imports them (they
may be gone, as timm's `timm.models.layers` is) and runs whatever the file says. This unpickler knows nothing but
tensors and containers. Every other name becomes a stand-in, an object that holds what the pickle puts into it and can
do nothing, and a name that could do harm (anything else of Python's own library) is refused.
"""

from __future__ import annotations

import collections
import pickle
import sys
import types
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from common.errors import UserError

_REAL = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}

# Of Python's own library a pickled network may name these (activations made with `partial`, say). They too become
# stand-ins: nothing of them runs.
_HARMLESS_STDLIB = frozenset(("collections", "functools", "copyreg", "enum", "typing", "types", "argparse", "math"))


class _Forbidden(pickle.UnpicklingError):
    """The file names something that has no business in a network."""


class StandIn:
    """Takes the place of an object whose class is not known: it holds its state and does nothing."""

    dump_patches = False  # asked for by the reader of files older than torch 1.6

    def __new__(cls, *_: Any, **__: Any) -> StandIn:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """For a dict subclass: its items are of no use here."""

    def append(self, item: Any) -> None:
        """For a list subclass: its items are of no use here."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _REAL:
            return _REAL[module, name]
        package = module.partition(".")[0]
        if package == "__builtin__" or (package in sys.stdlib_module_names and package not in _HARMLESS_STDLIB):
            raise _Forbidden(f"{module}.{name}")
        return StandIn


def _load(file: BinaryIO, **_: Any) -> Any:
    return _Unpickler(file).load()


# What `torch.load` asks of its `pickle_module`. Its own wrapper adds storages; it reads the zip format of torch 1.6
# and later and the older one alike.
_PICKLE = types.SimpleNamespace(__name__="pickled_module", Unpickler=_Unpickler, load=_load)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers of the network pickled in `path`, on the CPU, named as `state_dict()` names them.

    Raises `UserError` for a file that names anything a network does not need, and for one that is no network.
    """
    # torch.load hands every archive that holds a constants.pkl to TorchScript, whatever its pickle_module.
    if zipfile.is_zipfile(path) and any(
        "/code/" in name or Path(name).name == "constants.pkl" for name in zipfile.ZipFile(path).namelist()
    ):
        raise UserError(f"{path} is a TorchScript program, which can't be read without running it: not loaded")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the sources of classes, which do not matter here
            pickled = torch.load(path, map_location="cpu", pickle_module=_PICKLE, weights_only=False)
    except _Forbidden as error:
        raise UserError(f"{path} asks for {error} when loaded, so it is no plain network: it was not loaded") from error
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}: check --emotion_model") from error
    # A broken pickle can raise nearly anything (EOFError, KeyError, ValueError, UnicodeDecodeError ...).
    except Exception as error:
        raise UserError(f"{path} is no file of PyTorch, or a damaged one: fetch it again, or give another") from error
    state = dict(_tensors(pickled, ""))
    if not state:
        raise UserError(f"{path} holds no network: give a file saved by torch.save")
    return state


def _tensors(node: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Walk a stand-in's `_parameters`, `_buffers` and `_modules`, or a plain dict of tensors."""
    if isinstance(node, StandIn) and isinstance(node.state, dict):
        for kind in ("_parameters", "_buffers", "_modules"):
            yield from _tensors(node.state.get(kind), prefix)
    elif isinstance(node, dict):
        for name, value in node.items():
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value.detach()
            else:
                yield from _tensors(value, f"{prefix}{name}.")
