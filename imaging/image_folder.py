"""Folders of images: one folder a domain, sorted folder names = label index (torchvision's `ImageFolder` rule)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common import emotions
from common.errors import UserError

# What `imaging.photo` reads; a test holds both equal. Importing that takes longer than `main.py --help` may.
SUFFIXES = frozenset((
    ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".ico", ".j2c",
    ".j2k", ".jfif", ".jp2", ".jpc", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".mpo", ".pbm", ".pfm", ".pgm", ".png",
    ".pnm", ".ppm", ".tif", ".tiff", ".webp",
))  # fmt: skip

# Folders that operating systems, editors and network disks make, with small copies of the pictures in some.
CLUTTER_FOLDERS = frozenset(("__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "__pycache__", "lost+found"))

# Names of the folders into which data sets are divided.
TRAIN_FOLDERS = frozenset(("train", "training"))
HELD_OUT_FOLDERS = frozenset(("val", "valid", "validation", "test", "testing", "eval"))


@dataclass(frozen=True)
class LabelledImages:
    """The files of a training folder: `labels[i]` is the index of `paths[i]`'s domain in `domains`."""

    domains: list[str]
    paths: list[str]
    labels: list[int]
    others: Counter[str] = field(default_factory=Counter)  # files that are no images, by suffix


def is_clutter(name: str) -> bool:
    """Whether a folder or file of that name is no part of a data set."""
    return name.startswith(".") or name in CLUTTER_FOLDERS


def find_domains(image_dir: str | Path) -> list[str]:
    """Sorted names of the folders in `image_dir`; hidden ones and those that programs make are not domains."""
    folder = Path(image_dir)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}: give the folder that holds one folder per emotion")
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not is_clutter(e.name))
    except OSError as error:
        raise UserError(f"{folder} can't be read ({error.strerror}): make it readable, or give another") from error


def find_images(
    folder: str | Path, suffixes: Collection[str] = SUFFIXES, root: str | Path = "", others: Counter[str] | None = None
) -> list[str]:
    """Sorted paths of the files with one of `suffixes` anywhere below `folder`.

    A link to a file below `root` (`folder` itself without it) is that file once more, and left out. `others` counts
    the rest by suffix.
    """
    found: list[str] = []
    below = os.path.join(os.path.realpath(root or folder), "")  # noqa: PTH118
    waiting = [os.fspath(folder)]
    while waiting:
        with _entries(waiting.pop()) as entries:
            for entry in entries:
                if is_clutter(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file() and os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122
                    if not (entry.is_symlink() and os.path.realpath(entry.path).startswith(below)):
                        found.append(entry.path)
                elif others is not None:
                    others[os.path.splitext(entry.name)[1].lower() or "no suffix"] += 1  # noqa: PTH122
    return sorted(found)


def _entries(folder: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    """What lies in a folder; nothing where it can't be read."""
    try:
        return os.scandir(folder)
    except OSError:
        return nullcontext(iter(()))


def read_folder(image_dir: str | Path, c_dim: int) -> LabelledImages:
    """The labelled images of `image_dir`, which must hold `c_dim` folders with at least one image each."""
    domains = find_domains(image_dir)
    _refuse_divided(image_dir, domains)
    if len(domains) < 2 and len(domains) != c_dim:
        has = f"one folder, {domains[0]}" if domains else "no folder"
        raise UserError(
            f"{image_dir} holds {has}, where a folder for each of two emotions or more is needed: give the folder that "
            "holds one folder per emotion"
        )
    if len(domains) != c_dim:
        raise UserError(
            f"{image_dir} holds {len(domains)} emotion folders ({', '.join(domains)}) but --c_dim is "
            f"{c_dim}: pass --c_dim {len(domains)} or another --image_dir"
        )
    _refuse_twins(image_dir, domains)
    paths: list[str] = []
    labels: list[int] = []
    others: Counter[str] = Counter()
    for label, domain in enumerate(domains):
        no_images: Counter[str] = Counter()
        images = find_images(Path(image_dir) / domain, root=image_dir, others=no_images)
        others += no_images
        if not images:
            has = f" (but {', '.join(sorted(no_images))})" if no_images else ""
            raise UserError(f"{Path(image_dir) / domain} holds no image{has}: add some, or remove the folder")
        paths += images
        labels += [label] * len(images)
    return LabelledImages(domains, paths, labels, others)


def pair_table(images: LabelledImages) -> np.ndarray:
    """int64 [N, c_dim]: for each image the index of the one with the same name in each domain's folder.

    Raises `UserError` where a name is not in every folder.
    """
    tables: list[dict[str, int]] = [{} for _ in images.domains]
    names = []
    for index, (path, label) in enumerate(zip(images.paths, images.labels, strict=True)):
        names.append(_name_below(path, images.domains[label]))
        tables[label][names[-1]] = index
    for domain, table in zip(images.domains, tables, strict=True):
        if missing := next((path for path, name in zip(images.paths, names, strict=True) if name not in table), None):
            raise UserError(
                f"--lambda_pair needs every face in every emotion's folder, and {domain} has none named as {missing}: "
                "make the faces with datapreprocess.py --pairs"
            )
    return np.array([[table[name] for table in tables] for name in names])


def _name_below(path: str, domain: str) -> str:
    """The path below the folder of its domain, without suffix."""
    parts = Path(path).with_suffix("").parts
    return "/".join(parts[len(parts) - parts[::-1].index(domain) :])


def _refuse_divided(image_dir: str | Path, domains: list[str]) -> None:
    """A set's train and test folders are no emotions."""
    if domains and all(emotions.fold(domain) in TRAIN_FOLDERS | HELD_OUT_FOLDERS for domain in domains):
        train = next((domain for domain in domains if emotions.fold(domain) in TRAIN_FOLDERS), domains[0])
        raise UserError(
            f"{image_dir} holds {' and '.join(domains)}, which are no emotions: give --image_dir "
            f"{Path(image_dir) / train}"
        )


def _refuse_twins(image_dir: str | Path, domains: list[str]) -> None:
    """Two folders that mean one emotion (sad and sadness) would teach the network a difference that is none."""
    seen: dict[str, str] = {}
    for domain in domains:
        name = emotions.canonical(domain) or domain
        if name in seen:
            raise UserError(f"{image_dir} has two folders for {name}, {seen[name]} and {domain}: merge them")
        seen[name] = domain
