"""Body, head and skin of a drawn person: outlines, light and shadow."""

from __future__ import annotations

import numpy as np

from imaging.drawing.canvas import Canvas, ellipse, mirrored, smooth
from imaging.drawing.expressions import Expression
from imaging.drawing.people import Colour, DrawnPerson, Image, Outline


def draw_body(canvas: Canvas, person: DrawnPerson, texture_size: int) -> None:
    """Neck, shirt and collar; `canvas` is upright, for they do not tilt with the head."""
    neck = Canvas(np.full((texture_size, texture_size, 3), person.skin * 0.90, np.uint8), person, upright=True)
    neck.glaze(ellipse(0, 0.95, 0.5, 0.28), person.skin * (0.60, 0.51, 0.47), 0.9, 0.25)
    n = person.neck
    canvas.paint(smooth(mirrored([(0, 0.5), (n, 0.5), (n, 1.1), (1.3 * n, 1.45), (0, 1.9)]), closed=True), neck.image)
    collar = [(0.0, 1.60), (0.7 * n, 1.48), (1.18 * n, 1.26)]
    shirt = [*collar, (0.98, 1.44), (1.40, 1.72), (1.62, 2.4), (1.7, 3.2), (0.0, 3.2)]
    canvas.fill(np.array(mirrored(shirt)), person.shirt)
    canvas.stroke(smooth([(-x, y) for x, y in collar[::-1]] + collar[1:]), person.shirt * 0.72, 0.06)


def head_outline(person: DrawnPerson, jaw: float) -> Outline:
    """The head without hair, the chin lowered by `jaw`."""
    w, j = person.width, person.width * person.jaw
    right = [
        (0, -1.08), (0.55 * w, -1.0), (0.92 * w, -0.66), (w, -0.15), (0.97 * w, 0.25 + 0.2 * jaw),
        (j, 0.58 + 0.5 * jaw), (0.55 * j, 0.88 + 0.9 * jaw), (0, 1.0 + jaw),
    ]  # fmt: skip
    return smooth(mirrored(right), closed=True)


def draw_head(canvas: Canvas, person: DrawnPerson, expression: Expression, texture_size: int) -> None:
    """Ears, then the head over them."""
    skin = skin_texture(person, expression, texture_size)
    for side in (-1, 1):
        canvas.paint(ellipse(side * person.width * 1.02, 0.06, 0.105, 0.20), skin)
        canvas.stroke(ellipse(side * person.width * 1.03, 0.06, 0.055, 0.13), person.skin * (0.70, 0.60, 0.56), 0.016)
    canvas.paint(head_outline(person, expression.jaw), skin)
    for x, y in person.freckles:
        canvas.fill(ellipse(x, y, 0.009, 0.009, 8), person.skin * (0.80, 0.70, 0.64))


def skin_texture(person: DrawnPerson, expression: Expression, size: int) -> Image:
    """The head's skin, lit from the light's side, with all that is soft about a face, size x size x 3."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    unit = person.head_size * size
    x = (x - person.centre[0] * size) / (unit * person.width)
    y = (y - person.centre[1] * size) / unit
    light = 1.0 + 0.15 * (person.light[0] * x + person.light[1] * y)
    roundness = 0.11 * np.clip(x * x + y * y, 0, 1.6) ** 1.5  # the sides turn away from the camera
    lit = (light - roundness)[..., None] * person.skin.astype(np.float32)
    canvas = Canvas(np.clip(lit, 0, 255).astype(np.uint8), person)
    shadow, glow = person.skin * (0.66, 0.56, 0.52), person.skin * 0.4 + np.array((160, 153, 146))
    shade_eyes(canvas, person, expression, shadow, glow)
    shade_nose(canvas, person, shadow, glow)
    shade_cheeks(canvas, person, expression, shadow, glow)
    shade_chin(canvas, person, expression, shadow, glow)
    return canvas.image


def shade_eyes(canvas: Canvas, person: DrawnPerson, e: Expression, shadow: Colour, glow: Colour) -> None:
    """The forehead's light, the eye sockets and the creases of a frown, which move with the brows."""
    canvas.glaze(ellipse(0.25 * person.light[0], -0.52, 0.34, 0.10), glow, 0.30, 0.24)
    y = e.brow_inner * 0.7
    for side in (-1, 1):
        canvas.glaze(ellipse(side * person.eye_gap, -0.06, 0.20, 0.13), shadow, 0.32, 0.12)
        crease = [(side * 0.05, y - 0.34), (side * 0.045, y - 0.24), (side * 0.07, y - 0.15), (side * 0.03, y - 0.23)]
        canvas.glaze(smooth(crease, closed=True), shadow * 0.75, 0.85 * e.furrow, 0.03)


def shade_nose(canvas: Canvas, person: DrawnPerson, shadow: Colour, glow: Colour) -> None:
    """The bridge's sides, the darker the further from the light, the shadow below and the light on the tip."""
    tip, half = person.nose_length, person.nose_width
    for side in (-1, 1):
        flank = [
            (side * 0.09, -0.16), (side * 0.065, 0.05), (side * half, tip - 0.04), (side * half * 1.1, tip + 0.01),
            (side * half * 0.6, tip - 0.06), (side * 0.05, 0.04),
        ]  # fmt: skip
        canvas.glaze(smooth(flank, closed=True), shadow, 0.38 - 0.22 * side * person.light[0], 0.06)
    canvas.glaze(ellipse(0, tip + 0.055, half * 0.95, 0.02), shadow, 0.6, 0.05)
    canvas.glaze(ellipse(0.03 * person.light[0], 0.10, 0.022, 0.15), glow, 0.45, 0.06)
    canvas.glaze(ellipse(0.04 * person.light[0], tip - 0.07, 0.04, 0.032), glow, 0.6, 0.06)


def shade_cheeks(canvas: Canvas, person: DrawnPerson, e: Expression, shadow: Colour, glow: Colour) -> None:
    """Blush and light on the cheeks; a smile lifts them and folds the skin beside the nose."""
    blush = person.skin * (1.0, 0.74, 0.72)
    for side in (-1, 1):
        canvas.glaze(ellipse(side * 0.46, 0.30 - 0.06 * e.cheek, 0.15, 0.11), blush, 0.45 + 0.3 * e.cheek, 0.18)
        canvas.glaze(ellipse(side * 0.44, 0.20 - 0.05 * e.cheek, 0.07, 0.05), glow, 0.18 + 0.25 * e.cheek, 0.10)
        fold = [(side * x, y) for x, y in ((0.17, 0.28), (0.33, 0.40), (0.42, 0.52), (0.38, 0.46), (0.28, 0.38))]
        canvas.glaze(smooth(fold, closed=True), shadow, 0.9 * e.cheek, 0.04)


def shade_chin(canvas: Canvas, person: DrawnPerson, e: Expression, shadow: Colour, glow: Colour) -> None:
    """The hollow under the lower lip and the light on the chin."""
    lip = 0.60 + e.mouth_y + 0.75 * e.mouth_gap + person.lip_thickness * e.lip
    canvas.glaze(ellipse(0, lip + 0.055, 0.12, 0.022), shadow, 0.5, 0.07)
    canvas.glaze(ellipse(0, 0.88 + e.jaw, 0.10, 0.05), glow, 0.25, 0.12)
