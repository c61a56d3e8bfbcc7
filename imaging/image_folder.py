"""Folders of images: one folder a domain, sorted folder names = label index (torchvision's `ImageFolder` rule)."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import emotions
from common.errors import UserError

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp"))


@dataclass(frozen=True)
class LabelledImages:
    """The files of a training folder: `labels[i]` is the index of `paths[i]`'s domain in `domains`."""

    domains: list[str]
    paths: list[str]
    labels: list[int]


def find_domains(image_dir: str | Path) -> list[str]:
    """Sorted names of the folders in `image_dir`; hidden ones are not domains."""
    folder = Path(image_dir)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}: give the folder that holds one folder per emotion")
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith((".", "__")))
    except OSError as error:
        raise UserError(f"{folder} can't be read ({error.strerror}): make it readable, or give another") from error


def find_images(folder: str | Path, suffixes: Collection[str] = SUFFIXES) -> list[str]:
    """Sorted paths of the files with one of `suffixes` anywhere below `folder`."""
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [
            os.path.join(root, name)  # noqa: PTH118 - half a million paths: a string is enough
            for name in files
            if os.path.splitext(name)[1].lower() in suffixes and not name.startswith(".")  # noqa: PTH122
        ]
    return sorted(found)


def read_folder(image_dir: str | Path, c_dim: int) -> LabelledImages:
    """The labelled images of `image_dir`, which must hold `c_dim` folders with at least one image each."""
    domains = find_domains(image_dir)
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
    for label, domain in enumerate(domains):
        images = find_images(Path(image_dir) / domain)
        if not images:
            raise UserError(f"{Path(image_dir) / domain} holds no image: add some, or remove the folder")
        paths += images
        labels += [label] * len(images)
    return LabelledImages(domains, paths, labels)


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


def _refuse_twins(image_dir: str | Path, domains: list[str]) -> None:
    """Two folders that mean one emotion (sad and sadness) would teach the network a difference that is none."""
    seen: dict[str, str] = {}
    for domain in domains:
        name = emotions.canonical(domain) or domain
        if name in seen:
            raise UserError(f"{image_dir} has two folders for {name}, {seen[name]} and {domain}: merge them")
        seen[name] = domain
