"""What the networks see: a training's first batch as a sheet, after crop and augmentation."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from common import emotions
from imaging import picture_grid
from imaging.value_range import to_uint8


def sheet(x: Tensor, labels: Tensor, domains: Sequence[str], answers: Tensor | None = None) -> Image.Image:
    """A row for each emotion's faces of [B, 3, S, S] in [-1, 1]; with `answers` each face and its known answer."""
    rows: dict[str, list] = {}
    faces = to_uint8(x.float().cpu())
    known = to_uint8(answers.float().cpu()) if answers is not None else None
    for i, label in enumerate(labels.tolist()):
        shown = [faces[i]] if known is None else [faces[i], known[i]]
        rows.setdefault(_word(domains[label]), []).extend(shown)
    names = sorted(rows)
    return picture_grid.grid([rows[name] for name in names], names=names)


def _word(domain: str) -> str:
    canonical = emotions.canonical(domain)
    return emotions.EMOTIONS[canonical].name if canonical else domain
