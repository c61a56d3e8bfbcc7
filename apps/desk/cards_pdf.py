"""Six cards for the table on one A4 sheet: a picture and its word in Korean and English, with lines to cut along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from apps.desk import print_font

COLUMNS, ROWS = 2, 3
MARGIN = 10 * mm  # what a home printer leaves white
PICTURE = 66 * mm
TOP = 5 * mm  # from a card's upper edge to its picture
KOREAN_POINTS, ENGLISH_POINTS = 30, 15
PICTURE_PIXELS = 800  # side of a picture at 300 dots an inch
INK, CUT_LINE = HexColor("#23343a"), HexColor("#7a8d8f")


@dataclass(frozen=True)
class Card:
    """One card: a square picture, as a JPEG file, and its word."""

    picture: bytes
    korean: str
    english: str


def cards_pdf(cards: Sequence[Card]) -> bytes:
    """A PDF of one A4 page with up to six cards, row by row."""
    if len(cards) > COLUMNS * ROWS:
        raise ValueError(f"a sheet holds {COLUMNS * ROWS} cards, not {len(cards)}")
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setTitle("EMOKIDS")
    width, height = (A4[0] - 2 * MARGIN) / COLUMNS, (A4[1] - 2 * MARGIN) / ROWS
    _draw_cut_lines(canvas, width, height)
    for index, card in enumerate(cards):
        row, column = divmod(index, COLUMNS)
        _draw_card(canvas, card, MARGIN + (column + 0.5) * width, A4[1] - MARGIN - row * height)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw_cut_lines(canvas: Canvas, width: float, height: float) -> None:
    """Dashed, between the cards and around them, from edge to edge of the paper for a cutting machine to follow."""
    canvas.setStrokeColor(CUT_LINE)
    canvas.setLineWidth(0.5)
    canvas.setDash(4, 4)
    for column in range(COLUMNS + 1):
        x = MARGIN + column * width
        canvas.line(x, 0, x, A4[1])
    for row in range(ROWS + 1):
        y = MARGIN + row * height
        canvas.line(0, y, A4[0], y)


def _draw_card(canvas: Canvas, card: Card, middle: float, top: float) -> None:
    """`middle` and `top` of the card in points from the sheet's lower left corner."""
    below = top - TOP - PICTURE
    canvas.drawImage(ImageReader(BytesIO(card.picture)), middle - PICTURE / 2, below, PICTURE, PICTURE)
    canvas.setFillColor(INK)
    canvas.setStrokeColor(INK)
    canvas.setDash()
    print_font.draw(canvas, middle, below - 10.5 * mm, card.korean, KOREAN_POINTS, bold=True, centred=True)
    print_font.draw(canvas, middle, below - 17.5 * mm, card.english, ENGLISH_POINTS, bold=True, centred=True)
