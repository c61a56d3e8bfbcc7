"""Labelled grids of pictures: sample sheets, result strips, the demo's contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK = (40, 40, 40)
PAPER = (255, 255, 255)
GAP = 2  # pixels between two pictures


def grid(
    rows: Sequence[Sequence[np.ndarray]],
    columns: Sequence[str] = (),
    names: Sequence[str] = (),
    gap: int = GAP,
) -> Image.Image:
    """Rows of equally high uint8 RGB pictures, with a word above each column and before each row.

    Words are English: Pillow's built-in font has no Hangul.
    """
    height = rows[0][0].shape[0]
    width = max(picture.shape[1] for row in rows for picture in row)
    size_of_words = max(10, min(height, width) // 9)
    font = ImageFont.load_default(size_of_words)
    line = int(size_of_words * 1.7) if columns else 0
    margin = int(max(font.getlength(name) for name in names) + size_of_words) if names else 0
    size = (margin + max(map(len, rows)) * (width + gap) - gap, line + len(rows) * (height + gap) - gap)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for j, word in enumerate(columns):
        draw.text((margin + j * (width + gap) + width / 2, line / 2), word, INK, font, anchor="mm")
    for i, row in enumerate(rows):
        top = line + i * (height + gap)
        if names:
            draw.text((size_of_words / 2, top + height / 2), names[i], INK, font, anchor="lm")
        for j, picture in enumerate(row):
            sheet.paste(Image.fromarray(picture), (margin + j * (width + gap), top))
    return sheet
