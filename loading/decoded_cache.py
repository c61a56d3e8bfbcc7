"""The faces decoded once, at training size, in one file that every worker and process maps into memory.

`faces-<crop_size>-<image_size>-<folder>.u8` holds uint8 RGB [N, S, S, 3] in the order of the images, and the `.json`
beside it what it stands for. That is written last, so a file without it counts for nothing. One process calls
`prepare`; then any number call `open_cache`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from common.errors import RunStopped, UserError
from common.progress import progress_bar
from common.whole_files import reason, settle, temporary_beside, write_text
from common.worker_processes import WorkerDied, map_in_processes
from imaging.face_crop import UnreadableImage, load_crop
from imaging.image_folder import LabelledImages
from loading.unreadable import Broken

VERSION = 2  # raise it when the format or `load_crop` changes what the file holds
DECODED_AT_ONCE = 32


class DecodedFaces:
    """The pixels of a cache, read-only: `faces[index]` is uint8 [S, S, 3], or raises `UnreadableImage`."""

    def __init__(self, path: Path, count: int, image_size: int, unreadable: dict[int, str]) -> None:
        self._made_of = (path, count, image_size, unreadable)
        self._pixels = np.memmap(path, np.uint8, mode="r", shape=(count, image_size, image_size, 3))
        self._unreadable = unreadable

    def __getitem__(self, index: int) -> np.ndarray:
        if index in self._unreadable:
            raise UnreadableImage(self._unreadable[index])
        return self._pixels[index]

    def __reduce__(self) -> tuple[Any, ...]:  # a worker process maps the file again; pickled, it would be copied
        return DecodedFaces, self._made_of


def open_cache(folder: Path, images: LabelledImages, crop_size: int, image_size: int) -> DecodedFaces:
    """The cache that `prepare` left in `folder`; raises `UserError` where there is none for these images."""
    path = _path(folder, images, crop_size, image_size)
    description = _read(path)
    if description.get("content") != _content(images, crop_size, image_size):
        raise UserError(f"{path} does not hold the faces of this run: run again without --cache, or delete the file")
    unreadable = {int(index): reason for index, reason in description["unreadable"].items()}
    return DecodedFaces(path, len(images.paths), image_size, unreadable)


def prepare(
    folder: Path,
    images: LabelledImages,
    crop_size: int,
    image_size: int,
    num_workers: int,
    say: Callable[[str], None] = print,
) -> None:
    """Decode all `images` into `folder`, unless that is done already and no file has changed since.

    Unreadable images are remembered as such. Raises `UserError` where the disk has no room, `RunStopped` where a
    worker is killed.
    """
    path = _path(folder, images, crop_size, image_size)
    wanted = {"content": _content(images, crop_size, image_size), "files": _files(images)}
    if _stands_for(path, wanted):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(path, say):
            if _stands_for(path, wanted):  # another run has made it meanwhile
                return
            if path.exists():
                say(f"{path} does not hold the images as they are now: they are decoded again")
            _clear(path)
            unreadable = _build(path, images, crop_size, image_size, num_workers)
            text = json.dumps(wanted | {"unreadable": unreadable}, indent=1, ensure_ascii=False)
            write_text(_description(path), text)
    except OSError as error:
        raise UserError(
            f"--cache {folder} could not be written ({reason(error, str(folder))}): it takes "
            f"{_gigabytes(images, image_size)}; make room, name another folder, or train without --cache"
        ) from error
    say(f"{len(images.paths) - len(unreadable)} faces decoded into {path}")


def _build(path: Path, images: LabelledImages, crop_size: int, image_size: int, num_workers: int) -> dict[int, str]:
    """Write the pixels of all images to `path`; returns why which could not be read."""
    free = shutil.disk_usage(path.parent).free
    if free < _size(images, image_size):
        raise UserError(
            f"--cache needs {_gigabytes(images, image_size)} in {path.parent}, which has {free / 1e9:.2f} GB free: "
            "make room, name another folder, or train without --cache"
        )
    unreadable: dict[int, str] = {}
    with temporary_beside(path) as temporary, progress_bar(len(images.paths), "faces") as progress:
        os.truncate(temporary, _size(images, image_size))
        work = functools.partial(_decode, temporary=temporary, crop_size=crop_size, image_size=image_size)
        try:
            for done, broken in map_in_processes(work, enumerate(images.paths), num_workers, DECODED_AT_ONCE):
                unreadable |= dict(broken)
                progress.update(done)
        except WorkerDied as error:
            raise RunStopped(
                "a process that decodes images was killed, most often because the machine's memory was full: the same "
                f"command with a smaller --num_workers than {num_workers}"
            ) from error
        settle(temporary)
        temporary.replace(path)
    return unreadable


def _decode(faces: list[tuple[int, str]], temporary: Path, crop_size: int, image_size: int) -> tuple[int, Broken]:
    """What a worker does with a few images: each to its place in the file; returns how many, and the unreadable ones.

    Written, not mapped: on a full disk writing raises an error, and a mapping kills the process.
    """
    broken: Broken = []
    with temporary.open("r+b") as file:
        for index, path in faces:
            try:
                pixels = load_crop(path, crop_size, image_size)
            except UnreadableImage as error:
                broken.append((index, str(error)))
                continue
            file.seek(index * pixels.nbytes)
            file.write(pixels.data)
    return len(faces), broken


# --- What a cache stands for ----------------------------------------------------------------------------------


def _path(folder: Path, images: LabelledImages, crop_size: int, image_size: int) -> Path:
    """The pixels of one folder of images at one setting; another gets a file of its own."""
    root = Path(_root(images)).resolve()
    return folder / f"faces-{crop_size}-{image_size}-{hashlib.sha256(bytes(root)).hexdigest()[:8]}.u8"


def _description(path: Path) -> Path:
    return path.with_suffix(".json")


def _root(images: LabelledImages) -> str:
    """The folder that all images have in common."""
    return os.path.commonpath((min(images.paths), max(images.paths)))


def _content(images: LabelledImages, crop_size: int, image_size: int) -> dict[str, Any]:
    """What the file holds, in which order."""
    root = _root(images)
    names = "\0".join(path.removeprefix(root) for path in images.paths)
    return {
        "version": VERSION,
        "crop_size": crop_size,
        "image_size": image_size,
        "images": len(images.paths),
        "bytes": _size(images, image_size),
        "names": hashlib.sha256(os.fsencode(names)).hexdigest(),
    }


def _files(images: LabelledImages) -> str:
    """A fingerprint that changes with any image's size or time of change."""
    digest = hashlib.sha256()
    for path in images.paths:
        try:
            found = os.stat(path)  # noqa: PTH116 - half a million paths: a string is enough
            digest.update(b"%d %d\n" % (found.st_size, found.st_mtime_ns))
        except OSError:
            digest.update(b"gone\n")
    return digest.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """The description of a cache that is whole; empty where there is none."""
    try:
        description = json.loads(_description(path).read_text(encoding="utf-8", errors="surrogateescape"))
        return description if path.stat().st_size == description["content"]["bytes"] else {}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return {}


def _stands_for(path: Path, wanted: dict[str, Any]) -> bool:
    description = _read(path)
    return all(description.get(name) == value for name, value in wanted.items())


def _clear(path: Path) -> None:
    """Remove what no longer holds, and what a killed run left half written; the description goes first."""
    for old in (_description(path), path, *path.parent.glob(f".{path.name}.*")):
        old.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a cache; runs that start together wait for the one that builds it."""
    lock = filelock.FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=1)
    except filelock.Timeout:
        say(f"another run is decoding the images into {path}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _size(images: LabelledImages, image_size: int) -> int:
    return len(images.paths) * image_size * image_size * 3


def _gigabytes(images: LabelledImages, image_size: int) -> str:
    return f"{_size(images, image_size) / 1e9:.2f} GB"
