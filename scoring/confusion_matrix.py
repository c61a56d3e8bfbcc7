"""Confusion matrices: which class was taken for which: counted, printed and drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common import emotions

CELL = 84  # pixels


def count(truth: Sequence[int] | np.ndarray, predicted: Sequence[int] | np.ndarray, classes: int) -> np.ndarray:
    """Counts [classes, classes]: row, the true class; column, what it was taken for."""
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (np.asarray(truth), np.asarray(predicted)), 1)
    return matrix


def accuracy(matrix: np.ndarray) -> float:
    """The share of the diagonal, 0 to 1."""
    return float(np.trace(matrix) / matrix.sum())


def doubt(matrix: np.ndarray, names: Sequence[str]) -> str:
    """Why a judge with this matrix is not to be believed; "" where nothing speaks against it."""
    named = np.flatnonzero(matrix.sum(0))
    if len(named) == 1:
        return f"says {names[named[0]]} of every face"
    chance = 1 / len(names)
    scatter = np.sqrt(chance * (1 - chance) / matrix.sum())
    if accuracy(matrix) <= chance + 2 * scatter:
        return f"is right in {accuracy(matrix):.0%}, no more than by chance ({chance:.0%})"
    return ""


def table(matrix: np.ndarray, names: Sequence[str]) -> str:
    """The matrix as lines of text."""
    width = max(8, *(len(name) + 1 for name in names))
    lines = [" " * width + "".join(f"{name:>{width}}" for name in names)]
    for name, row in zip(names, matrix, strict=True):
        lines.append(f"{name:<{width}}" + "".join(f"{cell:>{width}}" for cell in row))
    return "\n".join(lines)


def draw(matrix: np.ndarray, names: Sequence[str], title: str) -> Image.Image:
    """The matrix as a picture: the darker a cell, the larger its share of its row.

    Emotions are named as everywhere else, Korean ones in English: Pillow's built-in font has no Hangul.
    """
    font, small = ImageFont.load_default(15), ImageFont.load_default(13)
    words = [known.name if not name.isascii() and (known := _emotion(name)) else name for name in names]
    left = int(max(font.getlength(word) for word in words)) + 40
    top, side = 76, CELL * len(names)
    picture = Image.new("RGB", (left + side + 20, top + side + 44), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((left, 16), title, "black", font)
    pen.text(
        (left + side / 2, top + side + 24), "row: what the face shows, column: what the judge says", "#555", small, "mm"
    )
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    for i, word in enumerate(words):
        middle = CELL * (i + 0.5)
        pen.text((left - 12, top + middle), word, "black", font, "rm")
        pen.text((left + middle, top - 14), word, "black", font, "mm")
        for j, share in enumerate(shares[i]):
            x, y = left + CELL * j, top + CELL * i
            pen.rectangle((x, y, x + CELL - 2, y + CELL - 2), _shade(share))
            ink = "white" if share > 0.5 else "black"
            pen.text((x + CELL / 2, y + CELL / 2 - 9), f"{share:.0%}", ink, font, "mm")
            pen.text((x + CELL / 2, y + CELL / 2 + 12), str(matrix[i, j]), ink, small, "mm")
    return picture


def _emotion(name: str) -> emotions.Emotion | None:
    canonical = emotions.canonical(name)
    return emotions.EMOTIONS[canonical] if canonical else None


def _shade(share: float) -> tuple[int, int, int]:
    """White to dark blue."""
    light, dark = np.array((244, 247, 251)), np.array((24, 78, 140))
    red, green, blue = (light + (dark - light) * share).round().astype(int).tolist()
    return red, green, blue
