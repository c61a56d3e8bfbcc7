"""A child's progress on one A4 page, for a meeting: a table, a chart for each emotion, the latest notes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from io import BytesIO

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from apps.desk import print_font
from apps.desk.charts import COLOURS
from apps.desk.words import emotion_word, word
from apps.record import progress
from apps.record.entries import Child, Mark, Session

MARGIN = 15 * mm
INK, LINE, SOFT = HexColor("#23343a"), HexColor("#7a8d8f"), HexColor("#d5dddd")
TITLE, TEXT, SMALL = 18.0, 9.0, 7.5  # points
ROW = 5.2 * mm
PLOT = (80 * mm, 34 * mm)  # wide and high
COLUMNS = 2
MOST_ROWS = 15  # of the table
GAP = 2 * mm  # between columns of the table, at least
TIER = 2.5 * mm  # between the phases' names above a chart: neighbours stand one above the other


def report(child: Child, sessions: Sequence[Session], marks: Sequence[Mark], rows: Sequence[dict[str, str]]) -> bytes:
    """The PDF; `rows` are those of the desk's table, the newest phases where there are too many."""
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setTitle(word("reportTitle", name=child.pseudonym))
    canvas.setFillColor(INK)
    y = _draw_head(canvas, child, sessions)
    y = _draw_table(canvas, rows[-MOST_ROWS:], y)
    print_font.draw(canvas, MARGIN, y, word("goal", **vars(child.goal)), SMALL)
    y = _draw_plots(canvas, sessions, marks, y - 6 * mm)
    _draw_notes(canvas, marks, y)
    print_font.draw(canvas, MARGIN, MARGIN, word("reportPage"), SMALL)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw_head(canvas: Canvas, child: Child, sessions: Sequence[Session]) -> float:
    """Title and days; gives the line below."""
    first, last = progress.day_of(sessions[0].began), progress.day_of(sessions[-1].began)
    y = A4[1] - MARGIN - TITLE
    canvas.setStrokeColor(INK)
    print_font.draw(canvas, MARGIN, y, word("reportTitle", name=child.pseudonym), TITLE, bold=True)
    days = word("reportRange", first=first, last=last, sessions=len(sessions))
    print_font.draw(canvas, MARGIN, y - 7 * mm, days, TEXT)
    return y - 15 * mm


def _draw_table(canvas: Canvas, rows: Sequence[dict[str, str]], y: float) -> float:
    """Columns as wide as their longest words, spread over the page, the first shortened; gives the line below."""
    if not rows:
        return y
    names = list(rows[0])
    widths = [max(print_font.width(text, SMALL) for text in (name, *(row[name] for row in rows))) for name in names]
    room = A4[0] - 2 * MARGIN
    widths[0] = min(widths[0], room - sum(widths[1:]) - GAP * (len(names) - 1))
    gap = (room - sum(widths)) / max(1, len(names) - 1)
    for number, texts in enumerate([names, *(list(row.values()) for row in rows)]):
        x = MARGIN
        for text, width in zip(texts, widths, strict=True):
            print_font.draw(canvas, x, y, print_font.shortened(text, SMALL, width), SMALL, bold=number == 0)
            x += width + gap
        canvas.setStrokeColor(SOFT if number else LINE)
        canvas.setLineWidth(0.5)
        canvas.line(MARGIN, y - 1.6 * mm, A4[0] - MARGIN, y - 1.6 * mm)
        canvas.setStrokeColor(INK)
        y -= ROW
    return y - 1 * mm


def _draw_plots(canvas: Canvas, sessions: Sequence[Session], marks: Sequence[Mark], y: float) -> float:
    """The success rate of each emotion over the sessions; gives the line below."""
    points = progress.points(sessions)
    names = list(dict.fromkeys(point.emotion for point in points))
    phases = progress.phase_begins(sessions, marks)
    days = [f"{day.month}/{day.day}" for day in (progress.day_of(session.began) for session in sessions)]
    height = PLOT[1] + 11 * mm
    canvas.setStrokeColor(INK)
    print_font.draw(canvas, MARGIN, y, word("rate"), TEXT, bold=True)
    y -= 4 * mm
    for index, name in enumerate(names):
        row, column = divmod(index, COLUMNS)
        x = MARGIN + 7 * mm + column * (PLOT[0] + 13 * mm)
        plot = _Plot(canvas, x, y - (row + 1) * height + 6 * mm, days)
        plot.draw_frame(emotion_word(name))
        plot.draw_phases(phases, print_font.width(emotion_word(name), TEXT) + GAP)
        values = [(point.number, point.rate) for point in points if point.emotion == name]
        plot.draw_line(values, HexColor(COLOURS[name]))
    return y - -(-len(names) // COLUMNS) * height - 5 * mm


class _Plot:
    """A chart with its lower left corner at `x`, `y`: the sessions of these days across, shares upwards."""

    def __init__(self, canvas: Canvas, x: float, y: float, days: Sequence[str]) -> None:
        self.canvas, self.x, self.y, self.days = canvas, x, y, days

    def draw_frame(self, title: str) -> None:
        """Axes and their words."""
        canvas, (width, height) = self.canvas, PLOT
        canvas.setStrokeColor(INK)
        print_font.draw(canvas, self.x, self.y + height + 2 * mm, title, TEXT, bold=True)
        for share in (0.0, 0.5, 1.0):
            level = self.y + share * height
            canvas.setStrokeColor(SOFT if share else LINE)
            canvas.setLineWidth(0.5)
            canvas.line(self.x, level, self.x + width, level)
            label = f"{100 * share:.0f}"
            print_font.draw(canvas, self.x - 2 * mm - print_font.width(label, SMALL), level - 2, label, SMALL)
        for number in sorted({1, len(self.days)}):
            print_font.draw(canvas, self._across(number), self.y - 3.5 * mm, self.days[number - 1], SMALL, centred=True)

    def draw_phases(self, phases: Sequence[tuple[int, str]], left: float) -> None:
        """A line before the first session of each phase, and its name above, at `left` or farther right."""
        canvas, (width, height), size = self.canvas, PLOT, SMALL - 1
        lines = [self._across(number - 0.5) for number, _ in phases]
        for index, (x, (_, text)) in enumerate(zip(lines, phases, strict=True)):
            canvas.setStrokeColor(LINE)
            canvas.setLineWidth(0.8)
            canvas.setDash(3, 2)
            canvas.line(x, self.y, x, self.y + height)
            canvas.setDash()
            begin = max(x, self.x + left)
            end = [*lines, self.x + width, self.x + width][index + 2]  # the next name but one is on the same tier
            shown = print_font.shortened(text, size, end - begin)
            print_font.draw(canvas, begin, self.y + height + 1 * mm + index % 2 * TIER, shown, size)

    def draw_line(self, values: Sequence[tuple[int, float]], colour: Color) -> None:
        """Points and the line through them."""
        places = [(self._across(number), self.y + share * PLOT[1]) for number, share in values]
        canvas = self.canvas
        canvas.setStrokeColor(colour)
        canvas.setFillColor(colour)
        canvas.setLineWidth(1.2)
        for (x1, y1), (x2, y2) in itertools.pairwise(places):
            canvas.line(x1, y1, x2, y2)
        for x, y in places:
            canvas.circle(x, y, 1.6, stroke=0, fill=1)
        canvas.setFillColor(INK)
        canvas.setStrokeColor(INK)

    def _across(self, number: float) -> float:
        return self.x + PLOT[0] * (number - 0.5) / len(self.days)


def _draw_notes(canvas: Canvas, marks: Sequence[Mark], y: float) -> None:
    """The latest notes, as many as the page takes."""
    lines = [
        line
        for mark in reversed(marks)
        if not mark.phase
        for line in _wrapped(f"{mark.day}  {mark.text}", A4[0] - 2 * MARGIN)
    ]
    room = int((y - MARGIN - 12 * mm) / ROW)
    if not lines or room < 1:
        return
    canvas.setStrokeColor(INK)
    print_font.draw(canvas, MARGIN, y, word("notes"), TEXT, bold=True)
    for number, line in enumerate(lines[:room], 1):
        print_font.draw(canvas, MARGIN, y - number * ROW, line, SMALL)


def _wrapped(text: str, width: float) -> list[str]:
    """`text` in lines that are no wider, broken at blanks."""
    lines = [""]
    for each in text.split(" "):
        longer = f"{lines[-1]} {each}".strip()
        if print_font.width(longer, SMALL) <= width:
            lines[-1] = longer
        else:
            lines.append(each)
    return lines
