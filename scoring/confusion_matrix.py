"""Confusion matrices: which class was taken for which: counted, printed and drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from common import emotions


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

    Emotions are named as everywhere else, Korean ones in English: matplotlib's own font has no Hangul.
    """
    from matplotlib.figure import Figure

    words = [known.name if not name.isascii() and (known := _emotion(name)) else name for name in names]
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(2 + 0.84 * len(words), 1.5 + 0.84 * len(words)), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="what the judge says", ylabel="what the face shows")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xticks=range(len(words)), yticks=range(len(words)), xticklabels=words, yticklabels=words)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0%}\n{matrix[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color="white" if share > 0.5 else "black")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return Image.open(file)


def _emotion(name: str) -> emotions.Emotion | None:
    canonical = emotions.canonical(name)
    return emotions.EMOTIONS[canonical] if canonical else None
