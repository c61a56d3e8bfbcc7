"""The font that the desk prints with, embedded in each sheet: it prints alike on a laptop without Korean fonts."""

from __future__ import annotations

import functools
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FILE = Path(__file__).resolve().parent / "fonts" / "NotoSansKR-Regular.ttf"
NAME = "desk"
UNKNOWN = "?"


@functools.cache
def font() -> TTFont:
    """The font, made known to reportlab."""
    loaded = TTFont(NAME, FILE)
    pdfmetrics.registerFont(loaded)
    return loaded


def printable(text: str) -> str:
    """`text` with a question mark for every character that the font lacks: an adult may write any."""
    known = font().face.charToGlyph
    return "".join(character if ord(character) in known else UNKNOWN for character in text)


def width(text: str, size: float) -> float:
    """Of `text`, in points."""
    return float(pdfmetrics.stringWidth(printable(text), font().fontName, size))


def shortened(text: str, size: float, room: float) -> str:
    """`text`, its end left out where it is wider than `room`."""
    if width(text, size) <= room:
        return text
    fitting = (text[:end].rstrip() + "…" for end in range(len(text) - 1, 0, -1))
    return next((shorter for shorter in fitting if width(shorter, size) <= room), "")


def draw(
    canvas: Canvas, x: float, y: float, text: str, size: float, *, bold: bool = False, centred: bool = False
) -> None:
    """`text` on the line that begins, or is centred, at x, y in points. Bold is drawn with a line around."""
    line = canvas.beginText(x - width(text, size) / 2 if centred else x, y)
    line.setFont(font().fontName, size)
    line.setTextRenderMode(2 if bold else 0)
    canvas.setLineWidth(size / 45)
    line.textOut(printable(text))
    line.setTextRenderMode(0)  # or else the next words would be bold, too
    canvas.drawText(line)
