"""Eyes, brows, nose, mouth and glasses of a drawn person, as the expression moves them."""

from __future__ import annotations

import cv2
import numpy as np

from imaging.drawing.canvas import Canvas, between, ellipse, fixed, mirrored, smooth
from imaging.drawing.expressions import Expression
from imaging.drawing.people import DrawnPerson, Outline

EYE_WHITE, TOOTH = np.array((246, 245, 242)), np.array((250, 248, 242))
PUPIL, MOUTH_INSIDE, TONGUE = np.array((16, 14, 16)), np.array((74, 22, 26)), np.array((176, 78, 82))


def eyelids(person: DrawnPerson, e: Expression, side: int) -> tuple[Outline, Outline]:
    """The upper and the lower lid's edge, both from the inner to the outer corner."""
    t = np.linspace(0, np.pi, 25)
    x = side * (person.eye_gap - person.eye_width * np.cos(t))
    across = (1 - np.cos(t)) / 2  # 0 at the inner corner, 1 at the outer
    axis = 0.015 - 0.022 * across  # the outer corner lies a little higher
    lower = axis + e.lid_lower * np.sin(t) ** 0.9
    droop = np.sin(t) ** 0.5 * (e.lid_inner * (1 - across) + e.lid_outer * across)
    upper = np.minimum(axis - e.lid_upper * np.sin(t) ** 0.9 + droop, lower - 0.012 * np.sin(t))
    return np.stack((x, upper), 1), np.stack((x, lower), 1)


def draw_eye(canvas: Canvas, person: DrawnPerson, e: Expression, side: int) -> None:
    """The eyeball between the lids, then lashes and the upper lid's crease."""
    upper, lower = eyelids(person, e, side)
    opening = between(upper, lower)
    x, y = side * person.eye_gap, -0.008
    rows, columns = canvas.region(canvas.pixels(np.vstack((opening, ellipse(x, y, 0.08, 0.08)))), 2)
    skin = canvas.image[rows, columns].copy()
    canvas.fill(opening, EYE_WHITE)
    canvas.fill(between(upper, np.add(upper, (0, 0.028))), EYE_WHITE * 0.84)  # the lid's shadow
    for colour, radius in ((person.iris * 0.55, 0.078), (person.iris, 0.068)):
        canvas.fill(ellipse(x, y, radius, radius), colour)
    canvas.fill(ellipse(x, y + 0.03, 0.046, 0.030), person.iris * 1.35)
    canvas.fill(ellipse(x, y, 0.036, 0.036), PUPIL)
    canvas.fill(ellipse(x + 0.028 * np.sign(person.light[0]), y - 0.026, 0.018, 0.018, 16), np.full(3, 255))
    outside = np.full(skin.shape[:2], 255, np.uint8)
    cv2.fillPoly(outside, [fixed(canvas.pixels(opening) - (columns.start, rows.start))], (0,), shift=4)
    cv2.copyTo(skin, outside, canvas.image[rows, columns])
    canvas.stroke(lower, person.skin * (0.66, 0.52, 0.48), 0.010)
    canvas.stroke(upper, person.brow * 0.55, 0.026)
    canvas.stroke(np.subtract(upper[3:-2], (0, 0.038)), person.skin * (0.66, 0.55, 0.50), 0.012)


def draw_brow(canvas: Canvas, person: DrawnPerson, e: Expression, side: int) -> None:
    """A brow, thinning towards its outer end."""
    inner, outer = person.eye_gap - 0.185 - e.brow_together, person.eye_gap + 0.215
    spine = smooth([
        (inner, -0.195 + e.brow_inner),
        (inner + 0.42 * (outer - inner), -0.240 + 0.75 * e.brow_arch + 0.25 * e.brow_inner),
        (inner + 0.72 * (outer - inner), -0.235 + 0.6 * e.brow_arch + 0.4 * e.brow_outer),
        (outer, -0.165 + e.brow_outer),
    ])  # fmt: skip
    taper = np.interp(np.linspace(0, 1, len(spine)), (0, 0.1, 0.55, 1), (0.6, 1.0, 0.95, 0.25))
    half = np.outer(taper, (0, person.brow_thickness / 2))
    canvas.fill(between(spine - half, spine + half) * (side, 1), person.brow)


def draw_nose(canvas: Canvas, person: DrawnPerson) -> None:
    """Nostrils and the wings' edges; the rest of the nose is shading."""
    tip, half = person.nose_length, person.nose_width
    for side in (-1, 1):
        canvas.fill(ellipse(side * half * 0.48, tip + 0.022, 0.034, 0.016, 20), person.skin * (0.40, 0.28, 0.26))
        wing = [(side * half * 0.92, tip - 0.055), (side * half * 1.08, tip - 0.01), (side * half * 0.85, tip + 0.028)]
        canvas.stroke(smooth(wing), person.skin * (0.66, 0.54, 0.50), 0.014)


def draw_mouth(canvas: Canvas, person: DrawnPerson, e: Expression) -> None:
    """Lips around the opening, and in it the mouth's inside, the tongue and the upper teeth."""
    t = np.linspace(0, np.pi, 41)
    x = -e.mouth_width * person.mouth_scale * np.cos(t)
    line = 0.585 + e.mouth_y + e.mouth_corner * (np.cos(t) ** 2 - 0.5)
    gap = e.mouth_gap * np.sin(t) ** (2 - e.mouth_round)
    top, base = np.stack((x, line - 0.3 * gap), 1), np.stack((x, line + 0.7 * gap), 1)
    thick = person.lip_thickness * e.lip * np.sin(t) ** 0.8
    bow = 1 - 0.22 * np.exp(-((np.cos(t) / 0.16) ** 2))  # the dent of Cupid's bow
    around = (1 + 0.10 * e.mouth_round, 1)  # a round mouth's lips reach round its sides
    canvas.fill(between(top * around - np.stack((0 * x, thick * bow), 1), top), person.lips * 0.92)
    canvas.fill(between(base, base * around + np.stack((0 * x, 1.25 * thick), 1)), person.lips * 1.04)
    if e.mouth_gap > 0.01:
        canvas.fill(between(top, base), MOUTH_INSIDE)
        canvas.fill(between((base + 0.3 * (top - base))[8:-8], base[8:-8]), TONGUE)
        canvas.fill(between(top, top + e.teeth * (base - top)), TOOTH)
    canvas.stroke(top, person.lips * (0.50, 0.36, 0.38), 0.018)
    shine = np.add(base[14:-13], (0, 0.6 * person.lip_thickness * e.lip))
    canvas.stroke(shine, person.lips * 0.75 + 60, 0.012 * e.lip)


def draw_glasses(canvas: Canvas, person: DrawnPerson) -> None:
    """Frames around the eyes, the bridge and the ear-pieces."""
    for side in (-1, 1):
        x = side * (person.eye_gap + 0.005)
        if person.glasses == "round":
            frame = ellipse(x, 0.045, 0.245, 0.21)
        else:
            half = [(0, -0.14), (0.2, -0.135), (0.25, -0.08), (0.23, 0.18), (0.16, 0.24), (0, 0.245)]
            frame = np.add(smooth(mirrored(half), closed=True), (x, 0))
        canvas.stroke(frame, person.frame, 0.018)
        canvas.stroke(np.array([(x + side * 0.245, 0.0), (side * person.width, -0.04)]), person.frame, 0.018)
    reach = person.eye_gap - 0.24
    canvas.stroke(smooth([(-reach, 0.03), (0, -0.005), (reach, 0.03)]), person.frame, 0.018)
