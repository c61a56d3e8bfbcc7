"""Files of tensors and plain values, read as if a stranger made them.

Reading runs no code from the file, takes no more memory than the file is large, and finds a single flipped bit:
`torch.load` alone would unpack a zip bomb, and does not look at the checksums that `torch.save` writes.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common.errors import UserError

# Where tensors lie, and the plain values. A D and its Adam state need 40 kB; a pickle can take 64 times its own size.
LARGEST_TABLE = 4 << 20


class DamagedCheckpoint(UserError):
    """The file is not what was once written: cut, flipped, or no checkpoint at all."""


# --- Writing --------------------------------------------------------------------------------------------------


class _Remembering(io.BufferedWriter):
    """A file that remembers why writing failed: torch raises a RuntimeError of its own instead of the reason."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values, readable with `torch.load(weights_only=True)`; raises `OSError`."""
    with _Remembering(io.FileIO(path, "w")) as file:
        try:
            torch.save(dict(content), file)
        except RuntimeError as error:
            if file.failure is None:
                raise
            raise file.failure from error


# --- Reading --------------------------------------------------------------------------------------------------


def read(path: Path) -> dict[str, Any]:
    """The tensors and plain values of `path`, on the CPU; raises `DamagedCheckpoint`, and `UserError` for no file."""
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    verify(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen unrelated types for a bad file
        if isinstance(error, pickle.UnpicklingError) and "nsupported" in str(error):
            raise DamagedCheckpoint(
                f"{path} is a pickled network, not its weights: where it was made, save its state_dict() instead"
            ) from error
        raise _damaged(path, error) from error
    if not isinstance(content, dict):
        raise DamagedCheckpoint(f"{path} holds {type(content).__name__}, not a state dict: use another checkpoint")
    if not all(isinstance(key, str) for key in content):
        raise DamagedCheckpoint(f"{path} holds something other than named tensors: use another checkpoint")
    require_honest(path, tensors_of(content))
    return content


def require_honest(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors from `path` that claim to be more than the file has, or are of no ordinary kind."""
    claimed = 0
    for tensor in tensors.values():
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            raise DamagedCheckpoint(f"{path} holds tensors that no training writes: use another checkpoint")
        claimed += tensor.numel() * tensor.element_size()
    if claimed > path.stat().st_size:  # views of a few bytes that claim to be huge
        raise DamagedCheckpoint(f"{path} claims to hold {claimed:,} bytes, more than it has: use another checkpoint")


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}: use another checkpoint") from error
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error


def verify(path: Path) -> None:
    """Refuse a file that is cut, changed since it was written, or would take more memory than it is large."""
    try:
        if zipfile.is_zipfile(path):
            _verify_zip(path)
        else:
            _verify_legacy(path)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}: use another checkpoint") from error
    except DamagedCheckpoint:
        raise
    except Exception as error:  # a broken zip or pickle raises nearly anything
        raise _damaged(path, error) from error


def peek(path: Path, key: str, default: Any) -> Any:
    """One value of a verified file without reading its tensors; `default` where it has none."""
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return content.get(key, default) if isinstance(content, dict) else default


def checksum(path: Path) -> int:
    """One number for all bytes in a file that `write_tensors` wrote, made of the checksums in its directory."""
    with zipfile.ZipFile(path) as archive:
        sums = [f"{entry.filename.partition('/')[2]} {entry.CRC}" for entry in archive.infolist()]
    return zlib.crc32("\n".join(sums).encode())


def tensors_of(node: Any, name: str = "") -> dict[str, Tensor]:
    """Every tensor in nested dicts and lists, by its dotted name."""
    if isinstance(node, Tensor):
        return {name: node}
    items = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    found: dict[str, Tensor] = {}
    for key, value in items:
        found |= tensors_of(value, f"{name}.{key}" if name else str(key))
    return found


def _verify_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise DamagedCheckpoint(f"{path} is compressed, which no checkpoint is: use another one")
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise DamagedCheckpoint(f"{path} would unpack to more than it is: use another checkpoint")
        if any(entry.file_size > LARGEST_TABLE for entry in entries if entry.filename.endswith(".pkl")):
            raise DamagedCheckpoint(f"{path} holds something other than tensors: use another checkpoint")
        bad = archive.testzip()
        if bad:
            raise DamagedCheckpoint(f"{path} is damaged (checksum of {bad}): use another checkpoint")


def _verify_legacy(path: Path) -> None:
    """A file of torch before 1.6: four pickles (magic number, version, system, content), then the tensors' bytes.

    It has no checksums; but no number in its content can be larger than the file, least of all a tensor's size.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = io.BytesIO(file.read(LARGEST_TABLE))
    for _ in range(3):
        for _ in pickletools.genops(head):
            pass
    for _, argument, _ in pickletools.genops(head):
        if isinstance(argument, int) and argument > size:
            raise DamagedCheckpoint(f"{path} claims to hold more than it has: use another checkpoint")


def _damaged(path: Path, error: Exception) -> DamagedCheckpoint:
    return DamagedCheckpoint(f"{path} cannot be read as a checkpoint ({_reason(path, error)}): use another one")


def _reason(path: Path, error: Exception) -> str:
    """Why a file can't be read: in our own words where the pickle reader only says that it is no pickle."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            begins_as_archive = file.read(2) == b"PK"
        return "cut short: its end is missing" if begins_as_archive else "not a file of PyTorch"
    lines = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()  # torch paints its words
    return lines[0][:160] if lines else type(error).__name__
