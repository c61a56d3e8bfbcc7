"""Load damaged and hostile checkpoint files: each must end in one sentence, run nothing, and take less than 1 GiB.

    python benchmarks/fuzz_checkpoints.py --files 500

A file whose tensors are still exactly those that were saved (a flipped bit in the padding of a zip) may load.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import pickle
import random
import resource
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from checkpointing import tensor_file, training_sets  # noqa: E402
from checkpointing.tensor_file import tensors_of  # noqa: E402
from common.errors import UserError  # noqa: E402
from main import read_flags  # noqa: E402
from training.state import TrainingState  # noqa: E402

TINY = "--image_size 32 --g_conv_dim 8 --d_conv_dim 8 --g_repeat_num 1 --d_repeat_num 3 --ema_decay 0.9"
GIB = 1 << 30


class RunsCode:
    """Unpickled by a trusting reader, it leaves a file behind."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


def _saved(content: Any, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def _cut(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    return good[: rng.randrange(len(good))]


def _flipped(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    damaged = bytearray(good)
    damaged[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _overwritten(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    start = rng.randrange(len(good))
    noise = rng.randbytes(rng.randrange(1, 4096))
    return good[:start] + noise + good[start + len(noise) :]


def _wrong_shapes(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    name, tensor = rng.choice([(n, t) for n, t in tensors_of(content).items() if t.ndim])
    shape = list(tensor.shape)
    shape[rng.randrange(len(shape))] += rng.choice((2, 7, 1000))  # one label more is StarGAN-TA's, and welcome
    return _saved(_with(content, name, torch.zeros(shape[:1]) if rng.random() < 0.3 else torch.zeros(shape)))


def _wrong_types(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    name, tensor = rng.choice(list(tensors_of(content).items()))
    other = rng.choice(("a word", None, [1, 2], tensor.to_sparse(), {"a": 1}))
    return _saved(rng.choice((_with(content, name, other), [content], "a word", torch.ones(3), {}, {1: 2})))


def _no_checkpoint(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    return rng.choice((b"", b"a letter", b"PK\x03\x04", rng.randbytes(1000), pickle.dumps({"a": 1}), b"\x80\x02}" * 99))


def _zip_bomb(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in source.namelist():
            with bomb.open(entry, "w") as target:
                target.write(source.read(entry))
                if entry.endswith("data/0"):
                    for _ in range(rng.choice((16, 64))):
                        target.write(bytes(1 << 20))
    bomb_bytes = bytearray(file.getvalue())
    start = bomb_bytes.index(b"PK\x01\x02")
    bomb_bytes[start + 24 : start + 28] = b"\xf0\xff\xff\xff"  # and its directory claims 4 GiB
    return bytes(bomb_bytes)


def _huge_views(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    name = rng.choice([n for n, t in tensors_of(content).items() if t.ndim])
    return _saved(_with(content, name, torch.zeros(1).expand(100_000, 100_000)), legacy=rng.random() < 0.5)


def _huge_legacy(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    old = _saved({"main.0.weight": torch.zeros(100)}, legacy=True)
    return old.replace(b"Kd", b"\x8a\x05\x00\x00\x00\x00" + bytes([rng.randrange(1, 100)]))


def _runs_code(good: bytes, content: Any, rng: random.Random, marker: Path) -> bytes:
    evil = rng.choice((content | {"evil": RunsCode(marker)}, RunsCode(marker)))
    return rng.choice((lambda: pickle.dumps(evil), lambda: _saved(evil), lambda: _saved(evil, legacy=True)))()


Damage = Callable[[bytes, Any, random.Random, Path], bytes]
KINDS: tuple[Damage, ...] = (
    _cut, _flipped, _overwritten, _wrong_shapes, _wrong_types, _no_checkpoint, _zip_bomb, _huge_views, _huge_legacy,
    _runs_code,
)  # fmt: skip


def _with(node: Any, name: str, value: Any) -> Any:
    """A copy of nested dicts with the entry of that dotted name replaced."""
    if not isinstance(node, dict):
        return node
    copy = {}
    for key, inner in node.items():
        if name == str(key):
            copy[key] = value
        elif name.startswith(f"{key}."):
            copy[key] = _with(inner, name.removeprefix(f"{key}."), value)
        else:
            copy[key] = inner
    return copy


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fuzz(files: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Damage and load `files` files; returns how many ended how, and what went wrong."""
    rng, ended, wrong = random.Random(seed), Counter[str](), []
    with tempfile.TemporaryDirectory() as name:
        folder, marker = Path(name) / "models", Path(name) / "it ran"
        folder.mkdir()
        settings = read_flags(TINY.split())
        state = TrainingState(settings.networks, settings.schedule, torch.device("cpu"))
        loss = state.D(state.G(torch.zeros(2, 3, 32, 32), torch.zeros(2, 5)))[0].sum()
        loss.backward()
        state.g_optimizer.step(), state.d_optimizer.step()
        training_sets.save_set(folder, 10, state.parts())
        contents = {part: tensor_file.read(training_sets.path_of(folder, 10, part)) for part in training_sets.PARTS}
        good = {part: training_sets.path_of(folder, 10, part).read_bytes() for part in training_sets.PARTS}
        for number in range(files):
            kind, part = KINDS[number % len(KINDS)], rng.choice(training_sets.PARTS)
            path = training_sets.path_of(folder, 10, part)
            path.write_bytes(kind(good[part], contents[part], rng, marker))
            bare = part != "state" and rng.random() < 0.5  # the networks of another repo have no state to bear witness
            if bare:
                training_sets.path_of(folder, 10, "state").unlink()
            before, what = _memory(), f"file {number} ({kind.__name__} {part})"
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    state.load(folder, 10)
                if _same(state.parts(), contents):
                    ended["loaded, every tensor as it was"] += 1
                else:
                    wrong.append(f"{what} was loaded")
            except UserError as error:
                ended["one sentence"] += 1
                if "\n" in str(error) or path.name not in str(error):
                    wrong.append(f"{what}: {error}")
            except BaseException as error:
                wrong.append(f"{what}: {type(error).__name__}: {error}")
            if marker.exists():
                wrong.append(f"{what} ran code")
                marker.unlink()
            if _memory() - before > GIB:
                wrong.append(f"{what} took more than 1 GiB")
            for part, content in good.items():
                training_sets.path_of(folder, 10, part).write_bytes(content)
    return ended, wrong


def _same(parts: Any, contents: Any) -> bool:
    found, wanted = tensors_of(parts), tensors_of(contents)
    return all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def main() -> int:
    """Parse, fuzz, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    base = _memory()
    ended, wrong = fuzz(args.files, args.seed)
    print(f"{args.files} files: {dict(ended)}; peak memory {(_memory() - base) >> 20} MiB above the start")
    print("\n".join(wrong) if wrong else "nothing ran, nothing else ended otherwise")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
