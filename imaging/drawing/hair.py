"""A drawn person's hair: what hangs behind the head, the cap in front, and strands."""

from __future__ import annotations

import cv2
import numpy as np

from imaging.drawing.canvas import Canvas, ellipse, mirrored, smooth
from imaging.drawing.people import DrawnPerson, Image, Outline


def hair_texture(person: DrawnPerson, size: int, rng: np.random.Generator) -> Image:
    """Hair with strands and a shine towards the light, size x size x 3."""
    canvas = Canvas(np.full((size, size, 3), person.hair, np.uint8), person)
    for x, tone in zip(rng.uniform(-1.3, 1.3, 60), rng.uniform(0.72, 1.22, 60), strict=True):
        strand = [(0.35 * x, -1.4), (0.9 * x, -0.9), (1.05 * x, -0.2), (1.05 * x, 0.6), (0.95 * x, 1.6)]
        canvas.stroke(smooth(strand, steps=5), person.hair * tone, 0.012)
    canvas.image = cv2.GaussianBlur(canvas.image, (0, 0), max(size / 360, 0.1))
    shine = person.hair * 0.5 + np.array((118, 112, 106))
    canvas.glaze(ellipse(0.45 * person.light[0], -1.02, 0.36, 0.07), shine, 0.55, 0.16)
    return canvas.image


def back_hair(person: DrawnPerson) -> list[Outline]:
    """The outlines of what hangs behind the head."""
    w, v = person.width, person.hair_volume
    crown = [(0, -1.27 * v), (0.72 * w, -1.13 * v), (1.10 * w, -0.62)]
    if person.hair_length == "bob":
        bob = [*crown, (1.20 * w * v, 0.0), (1.22 * w * v, 0.55), (0.8 * w, 0.80), (0, 0.8)]
        return [smooth(mirrored(bob), closed=True)]
    if person.hair_length == "long":
        long = [*crown, (1.20 * w * v, 0.0), (1.32 * w * v, 0.9), (1.30 * w * v, 1.7), (0.6 * w, 1.9), (0, 1.8)]
        return [smooth(mirrored(long), closed=True)]
    if person.hair_length == "pigtails":
        tail = [(0.95 * w, -0.35), (1.5 * w, -0.2), (1.72 * w, 0.5), (1.45 * w, 1.0), (1.2 * w, 0.3)]
        return [smooth([(side * x, y) for x, y in tail], closed=True) for side in (-1, 1)]
    if person.hair_length == "bun":
        return [ellipse(0, -1.36 * v, 0.30, 0.26)]
    if person.hair_length == "afro":
        angles = np.linspace(-0.25, np.pi + 0.25, 13)
        return [ellipse(1.12 * w * v * np.cos(a), -0.45 - 0.72 * v * np.sin(a), 0.27, 0.27, 24) for a in angles]
    return []


def front_hair(person: DrawnPerson) -> Outline:
    """The outline of the cap of hair; the hairline stays above the highest brow."""
    w, v = person.width, person.hair_volume
    side_y = 0.05 if person.hair_length in ("bob", "long") else -0.22
    hairline = {  # from the right temple to the left
        "round": [(0.86, -0.50), (0.5, -0.74), (0, -0.80), (-0.5, -0.74), (-0.86, -0.50)],
        "straight": [(0.90, -0.50), (0.6, -0.60), (0, -0.62), (-0.6, -0.60), (-0.90, -0.50)],
        "left part": [(0.90, -0.46), (0.62, -0.62), (0.1, -0.70), (-0.42, -0.88), (-0.66, -0.70), (-0.90, -0.46)],
        "right part": [(0.90, -0.46), (0.66, -0.70), (0.42, -0.88), (-0.1, -0.70), (-0.62, -0.62), (-0.90, -0.46)],
        "peak": [(0.88, -0.50), (0.6, -0.78), (0.28, -0.80), (0, -0.70), (-0.28, -0.80), (-0.6, -0.78), (-0.88, -0.50)],
        "swept": [(0.90, -0.48), (0.7, -0.60), (0.2, -0.62), (-0.4, -0.72), (-0.8, -0.62), (-0.92, -0.46)],
    }[person.fringe]  # fmt: skip
    crown = [
        (-0.99, side_y), (-1.09, -0.25), (-1.09, -0.64), (-0.72, -1.13 * v), (0, -1.27 * v),
        (0.72, -1.13 * v), (1.09, -0.64), (1.09, -0.25), (0.99, side_y),
    ]  # fmt: skip
    outline = [*crown, (0.955, -0.25), *hairline, (-0.955, -0.25)]
    return smooth([(x * w, y) for x, y in outline], closed=True)
