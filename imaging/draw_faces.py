"""Draw faces whose expression is known: labelled pictures without a camera, a licence or a download.

Everything about the person and the photo comes from the identity, everything about the expression from the
emotion. So one identity drawn with two emotions is the same picture but for the expression, and what a generator
should have answered is known to the pixel.

    python -m imaging.draw_faces --output data/demo/train --per_emotion 150 --seed 0
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from common.emotions import EMOTIONS, FIVE, canonical
from common.errors import UserError, door
from common.flags import Switch
from common.worker_processes import WorkerDied, map_in_processes

Points = npt.NDArray[np.float64]  # N x 2, in face units: origin between the eyes, y down, the chin at y = 1
Image = npt.NDArray[Any]  # RGB, uint8, height x width x 3
Colour = npt.NDArray[np.float64]  # RGB, 0 to 255

SUPERSAMPLING = 2  # sharp shapes are drawn this much larger than the picture, for smooth edges
TEXTURE_REDUCTION = 2  # soft shading is drawn this much smaller than the picture: it holds no fine detail
IDENTITIES_PER_SEED = 1_000_000  # a seed's identities are seed * this + index, so no two seeds share one
JOBS_AT_ONCE = 8  # faces a worker process takes at a time
WORTH_PROCESSES = 100  # faces from which on starting processes pays


# --- The expression -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expression:
    """Where the moving parts of a face are, in face units (y grows downwards). The defaults are neutral.

    The values follow the facial action units (AU) of each emotion in EMFACS.
    """

    brow_inner: float = 0.0  # height of the brow's inner end (AU 1 raises, AU 4 lowers)
    brow_arch: float = 0.0  # height of its middle
    brow_outer: float = 0.0  # height of its outer end (AU 2)
    brow_together: float = 0.0  # how far the inner ends approach each other (AU 4)
    furrow: float = 0.0  # creases between the brows, 0 to 1
    lid_upper: float = 0.080  # upper lid above the eye's axis (AU 5 raises)
    lid_lower: float = 0.052  # lower lid below it (AU 7 raises)
    lid_inner: float = 0.0  # upper lid's inner end lowered (a glare)
    lid_outer: float = 0.0  # upper lid's outer end lowered (a sad eye)
    mouth_width: float = 0.235  # half the width
    mouth_corner: float = 0.0  # corners below the middle (AU 15 positive, AU 12 negative)
    mouth_y: float = 0.0  # the whole mouth lowered
    mouth_gap: float = 0.0  # height of the opening (AU 25, 26, 27)
    mouth_round: float = 0.0  # 0: the opening ends in points, 1: an ellipse
    lip: float = 1.0  # thickness of the lips (AU 24 presses them thin)
    teeth: float = 0.0  # share of the opening that the upper teeth fill
    jaw: float = 0.0  # chin lowered (AU 26)
    cheek: float = 0.0  # cheeks raised, folds beside the nose (AU 6), 0 to 1


NEUTRAL = Expression()

EXPRESSIONS: dict[str, Expression] = {
    "neutral": NEUTRAL,
    "angry": Expression(  # AU 4, 5, 7, 24
        brow_inner=0.175, brow_arch=0.115, brow_outer=0.055, brow_together=0.09, furrow=1.0,
        lid_upper=0.064, lid_lower=0.036, lid_inner=0.034,
        mouth_width=0.265, mouth_corner=0.045, mouth_y=-0.02, lip=0.45, jaw=-0.03,
    ),
    "fearful": Expression(  # AU 1, 2, 4, 5, 20, 26
        brow_inner=-0.18, brow_arch=-0.11, brow_outer=0.01, brow_together=0.05, furrow=0.45,
        lid_upper=0.115, lid_lower=0.066, lid_outer=0.015,
        mouth_width=0.29, mouth_corner=0.05, mouth_gap=0.16, mouth_round=0.9, lip=0.75, teeth=0.34, jaw=0.05,
    ),
    "happy": Expression(  # AU 6, 12, 25
        brow_inner=-0.02, brow_arch=-0.04, brow_outer=-0.01,
        lid_upper=0.070, lid_lower=0.022,
        mouth_width=0.37, mouth_corner=-0.15, mouth_y=0.03, mouth_gap=0.15, mouth_round=0.1, lip=0.8, teeth=0.62,
        jaw=0.03, cheek=1.0,
    ),
    "sadness": Expression(  # AU 1, 4, 15, 17
        brow_inner=-0.15, brow_arch=-0.02, brow_outer=0.08, brow_together=0.045, furrow=0.3,
        lid_upper=0.060, lid_lower=0.045, lid_outer=0.045,
        mouth_width=0.235, mouth_corner=0.14, mouth_y=-0.02, lip=0.9,
    ),
    "surprised": Expression(  # AU 1, 2, 5, 27
        brow_inner=-0.18, brow_arch=-0.245, brow_outer=-0.17,
        lid_upper=0.145, lid_lower=0.092,
        mouth_width=0.165, mouth_y=0.05, mouth_gap=0.36, mouth_round=1.0, lip=0.9, jaw=0.13,
    ),
}  # fmt: skip


def express(emotion: str, intensity: float) -> Expression:
    """The expression `intensity` of the way from neutral (0) to `emotion` (1)."""
    target = EXPRESSIONS[emotion]
    values = {}
    for field in fields(Expression):
        start = getattr(NEUTRAL, field.name)
        values[field.name] = start + intensity * (getattr(target, field.name) - start)
    return Expression(**values)


# --- The person and the photo ---------------------------------------------------------------------------------

SKINS = (
    (250, 220, 198), (246, 210, 182), (244, 202, 166), (232, 184, 144), (212, 160, 118), (176, 122, 84), (130, 86, 60),
)  # fmt: skip
HAIRS = (
    (34, 28, 28), (58, 40, 32), (92, 60, 38), (136, 92, 54), (192, 150, 92), (222, 192, 136), (150, 70, 40),
    (160, 158, 160),
)  # fmt: skip
IRISES = ((70, 44, 28), (96, 62, 34), (120, 96, 50), (80, 110, 80), (76, 112, 150), (96, 104, 116))
HAIR_LENGTHS = ("short", "short", "bob", "long", "pigtails", "bun", "afro")
FRINGES = ("round", "straight", "left part", "right part", "peak", "swept")


@dataclass(frozen=True)
class Person:
    """Everything in the picture but the expression; lengths in face units."""

    skin: Colour
    hair: Colour
    brow: Colour
    iris: Colour
    lips: Colour
    shirt: Colour
    backdrop: tuple[Colour, Colour]
    width: float  # half the head's width
    jaw: float  # the jaw's width over the head's
    neck: float  # half the neck's width
    eye_gap: float  # from the middle to an eye's centre
    eye_width: float  # half an eye's width
    brow_thickness: float
    nose_width: float
    nose_length: float
    mouth_scale: float
    lip_thickness: float
    hair_length: str
    fringe: str
    hair_volume: float
    glasses: str  # "", "round" or "square"
    frame: Colour  # colour of the glasses
    freckles: Points
    light: tuple[float, float]  # where the light comes from: right and down are positive
    head_size: float  # a face unit over the picture's size
    centre: tuple[float, float]  # where the head is, over the picture's size
    tilt: float  # degrees
    turn: float  # how far the features shift to a side


def pick_person(rng: np.random.Generator) -> Person:
    """A person and a photo of them, drawn at random."""
    skin = pick_colour(rng, SKINS)
    hair = pick_colour(rng, tuple(colour for colour in HAIRS if sum(colour) < 0.9 * skin.sum()))
    backdrop = [rng.uniform(70, 225) + rng.normal(0, 26, 3) for _ in range(2)]
    return Person(
        skin=skin,
        hair=hair,
        brow=np.minimum(hair * 0.62, skin * 0.50),  # a fair brow could not be seen
        iris=pick_colour(rng, IRISES),
        lips=skin * rng.uniform((0.78, 0.50, 0.52), (0.90, 0.62, 0.66)),
        shirt=rng.uniform(40, 225, 3),
        backdrop=(backdrop[0], backdrop[1]),
        width=rng.uniform(0.71, 0.82),
        jaw=rng.uniform(0.78, 0.90),
        neck=rng.uniform(0.38, 0.47),
        eye_gap=rng.uniform(0.315, 0.35),
        eye_width=rng.uniform(0.160, 0.184),
        brow_thickness=rng.uniform(0.048, 0.075),
        nose_width=rng.uniform(0.105, 0.145),
        nose_length=rng.uniform(0.28, 0.35),
        mouth_scale=rng.uniform(0.92, 1.08),
        lip_thickness=rng.uniform(0.052, 0.078),
        hair_length=str(rng.choice(HAIR_LENGTHS)),
        fringe=str(rng.choice(FRINGES)),
        hair_volume=rng.uniform(0.96, 1.10),
        glasses=str(rng.choice(["round", "square"])) if rng.random() < 0.18 else "",
        frame=rng.uniform(25, 120, 3),
        freckles=rng.normal((0, 0.2), (0.28, 0.07), (40 if rng.random() < 0.15 else 0, 2)),
        light=(rng.uniform(-0.9, 0.9), rng.uniform(-0.8, 0.1)),
        head_size=rng.uniform(0.255, 0.325),
        centre=(rng.uniform(0.45, 0.55), rng.uniform(0.47, 0.53)),
        tilt=rng.uniform(-7, 7),
        turn=rng.uniform(-0.05, 0.05),
    )


def pick_colour(rng: np.random.Generator, palette: tuple[tuple[int, int, int], ...]) -> Colour:
    """One of the palette's colours, a little off."""
    colour = np.array(palette[rng.integers(len(palette))])
    return np.clip(colour * rng.normal(1, 0.03) + rng.normal(0, 2, 3), 12, 252)


# --- Shapes ---------------------------------------------------------------------------------------------------


def smooth(control: list[tuple[float, float]], closed: bool = False, steps: int = 10) -> Points:
    """A Catmull-Rom curve through `control`, `steps` points to a segment."""
    points = np.asarray(control, dtype=float)
    ends = (points[-1:], points[:2]) if closed else (points[:1], points[-1:])
    padded = np.vstack((ends[0], points, ends[1]))
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.vstack((curve.reshape(-1, 2), points[:1] if closed else points[-1:]))


def mirrored(right: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The closed outline whose right half is `right`, from top to bottom, both ends on the axis."""
    return right + [(-x, y) for x, y in right[-2:0:-1]]


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 40) -> Points:
    """An ellipse's closed outline."""
    angle = np.linspace(0, 2 * np.pi, steps)
    return np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), 1)


def between(upper: Points, lower: Points) -> Points:
    """The outline of what lies between two curves that run the same way."""
    return np.vstack((upper, lower[::-1]))


class Canvas:
    """A picture that is drawn on in face units."""

    def __init__(self, image: Image, person: Person, *, upright: bool = False) -> None:
        self.image = image
        self.size = image.shape[0]
        self._unit = person.head_size * self.size  # pixels in a face unit
        angle = 0.0 if upright else np.radians(person.tilt)
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self._to_pixels = rotation * self._unit
        self._origin = np.array(person.centre) * self.size
        self._turn, self._width = person.turn, person.width

    def pixels(self, points: Points) -> Points:
        """Face units to pixels: what lies near the middle of the head shifts most when it turns."""
        turned = np.array(points, dtype=float)
        turned[:, 0] += self._turn * np.clip(1 - (turned[:, 0] / self._width) ** 2, 0, 1)
        return turned @ self._to_pixels + self._origin

    def region(self, outline: Points, margin: float, step: int = 1) -> tuple[slice, slice]:
        """Rows and columns around an outline in pixels, inside the picture, at multiples of `step`."""
        low = np.clip((outline.min(0) - margin) // step * step, 0, self.size).astype(int)
        high = np.clip(-((-outline.max(0) - margin) // step) * step, low, self.size).astype(int)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill an outline with one colour."""
        cv2.fillPoly(self.image, [fixed(self.pixels(points))], rgb(colour), shift=4)

    def stroke(self, points: Points, colour: Colour, width: float) -> None:
        """Draw a line of even width."""
        pixels = max(1, round(width * self._unit))
        cv2.polylines(self.image, [fixed(self.pixels(points))], False, rgb(colour), pixels, shift=4)

    def paint(self, points: Points, texture: Image) -> None:
        """Fill an outline with `texture`, a smaller picture of the whole frame."""
        step = self.size // texture.shape[0]
        outline = self.pixels(points)
        rows, columns = self.region(outline, step, step)
        view = self.image[rows, columns]
        if not view.size:
            return
        part = texture[rows.start // step : rows.stop // step, columns.start // step : columns.stop // step]
        mask = np.zeros(view.shape[:2], np.uint8)
        cv2.fillPoly(mask, [fixed(outline - (columns.start, rows.start))], (255,), shift=4)
        cv2.copyTo(cv2.resize(part, view.shape[1::-1]), mask, view)

    def glaze(self, points: Points, colour: Colour, opacity: float, blur: float) -> None:
        """Tint an outline softly: `opacity` from 0 to 1, `blur` the width of the edge."""
        outline, sigma = self.pixels(points), max(blur * self._unit / 2, 0.5)
        rows, columns = self.region(outline, 3 * sigma)
        view = self.image[rows, columns]
        if opacity <= 0 or not view.size:
            return
        mask = np.zeros(view.shape[:2], np.float32)
        cv2.fillPoly(mask, [fixed(outline - (columns.start, rows.start))], (min(opacity, 1.0),), shift=4)
        soft = cv2.GaussianBlur(mask, (0, 0), sigma)[..., None]
        view[:] = view + (np.clip(colour, 0, 255).astype(np.float32) - view) * soft


def fixed(points: Points) -> npt.NDArray[np.int32]:
    """Pixels as OpenCV's fixed-point numbers with four fractional bits."""
    return np.round(points * 16).astype(np.int32)


def rgb(colour: Colour) -> tuple[float, float, float]:
    """A colour as OpenCV wants it."""
    r, g, b = np.clip(colour, 0, 255).tolist()
    return r, g, b


# --- Body, skin and head --------------------------------------------------------------------------------------


def draw_body(canvas: Canvas, person: Person, texture_size: int) -> None:
    """Neck, shirt and collar; `canvas` is upright, for they do not tilt with the head."""
    neck = Canvas(np.full((texture_size, texture_size, 3), person.skin * 0.90, np.uint8), person, upright=True)
    neck.glaze(ellipse(0, 0.95, 0.5, 0.28), person.skin * (0.60, 0.51, 0.47), 0.9, 0.25)
    n = person.neck
    canvas.paint(smooth(mirrored([(0, 0.5), (n, 0.5), (n, 1.1), (1.3 * n, 1.45), (0, 1.9)]), closed=True), neck.image)
    collar = [(0.0, 1.60), (0.7 * n, 1.48), (1.18 * n, 1.26)]
    shirt = [*collar, (0.98, 1.44), (1.40, 1.72), (1.62, 2.4), (1.7, 3.2), (0.0, 3.2)]
    canvas.fill(np.array(mirrored(shirt)), person.shirt)
    canvas.stroke(smooth([(-x, y) for x, y in collar[::-1]] + collar[1:]), person.shirt * 0.72, 0.06)


def head_outline(person: Person, jaw: float) -> Points:
    """The head without hair, the chin lowered by `jaw`."""
    w, j = person.width, person.width * person.jaw
    right = [
        (0, -1.08), (0.55 * w, -1.0), (0.92 * w, -0.66), (w, -0.15), (0.97 * w, 0.25 + 0.2 * jaw),
        (j, 0.58 + 0.5 * jaw), (0.55 * j, 0.88 + 0.9 * jaw), (0, 1.0 + jaw),
    ]  # fmt: skip
    return smooth(mirrored(right), closed=True)


def draw_head(canvas: Canvas, person: Person, expression: Expression, texture_size: int) -> None:
    """Ears, then the head over them."""
    skin = skin_texture(person, expression, texture_size)
    for side in (-1, 1):
        canvas.paint(ellipse(side * person.width * 1.02, 0.06, 0.105, 0.20), skin)
        canvas.stroke(ellipse(side * person.width * 1.03, 0.06, 0.055, 0.13), person.skin * (0.70, 0.60, 0.56), 0.016)
    canvas.paint(head_outline(person, expression.jaw), skin)
    for x, y in person.freckles:
        canvas.fill(ellipse(x, y, 0.009, 0.009, 8), person.skin * (0.80, 0.70, 0.64))


def skin_texture(person: Person, expression: Expression, size: int) -> Image:
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


def shade_eyes(canvas: Canvas, person: Person, e: Expression, shadow: Colour, glow: Colour) -> None:
    """The forehead's light, the eye sockets and the creases of a frown, which move with the brows."""
    canvas.glaze(ellipse(0.25 * person.light[0], -0.52, 0.34, 0.10), glow, 0.30, 0.24)
    y = e.brow_inner * 0.7
    for side in (-1, 1):
        canvas.glaze(ellipse(side * person.eye_gap, -0.06, 0.20, 0.13), shadow, 0.32, 0.12)
        crease = [(side * 0.05, y - 0.34), (side * 0.045, y - 0.24), (side * 0.07, y - 0.15), (side * 0.03, y - 0.23)]
        canvas.glaze(smooth(crease, closed=True), shadow * 0.75, 0.85 * e.furrow, 0.03)


def shade_nose(canvas: Canvas, person: Person, shadow: Colour, glow: Colour) -> None:
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


def shade_cheeks(canvas: Canvas, person: Person, e: Expression, shadow: Colour, glow: Colour) -> None:
    """Blush and light on the cheeks; a smile lifts them and folds the skin beside the nose."""
    blush = person.skin * (1.0, 0.74, 0.72)
    for side in (-1, 1):
        canvas.glaze(ellipse(side * 0.46, 0.30 - 0.06 * e.cheek, 0.15, 0.11), blush, 0.45 + 0.3 * e.cheek, 0.18)
        canvas.glaze(ellipse(side * 0.44, 0.20 - 0.05 * e.cheek, 0.07, 0.05), glow, 0.18 + 0.25 * e.cheek, 0.10)
        fold = [(side * x, y) for x, y in ((0.17, 0.28), (0.33, 0.40), (0.42, 0.52), (0.38, 0.46), (0.28, 0.38))]
        canvas.glaze(smooth(fold, closed=True), shadow, 0.9 * e.cheek, 0.04)


def shade_chin(canvas: Canvas, person: Person, e: Expression, shadow: Colour, glow: Colour) -> None:
    """The hollow under the lower lip and the light on the chin."""
    lip = 0.60 + e.mouth_y + 0.75 * e.mouth_gap + person.lip_thickness * e.lip
    canvas.glaze(ellipse(0, lip + 0.055, 0.12, 0.022), shadow, 0.5, 0.07)
    canvas.glaze(ellipse(0, 0.88 + e.jaw, 0.10, 0.05), glow, 0.25, 0.12)


# --- Hair -----------------------------------------------------------------------------------------------------


def hair_texture(person: Person, size: int, rng: np.random.Generator) -> Image:
    """Hair with strands and a shine towards the light, size x size x 3."""
    canvas = Canvas(np.full((size, size, 3), person.hair, np.uint8), person)
    for x, tone in zip(rng.uniform(-1.3, 1.3, 60), rng.uniform(0.72, 1.22, 60), strict=True):
        strand = [(0.35 * x, -1.4), (0.9 * x, -0.9), (1.05 * x, -0.2), (1.05 * x, 0.6), (0.95 * x, 1.6)]
        canvas.stroke(smooth(strand, steps=5), person.hair * tone, 0.012)
    canvas.image = cv2.GaussianBlur(canvas.image, (0, 0), max(size / 360, 0.1))
    shine = person.hair * 0.5 + np.array((118, 112, 106))
    canvas.glaze(ellipse(0.45 * person.light[0], -1.02, 0.36, 0.07), shine, 0.55, 0.16)
    return canvas.image


def back_hair(person: Person) -> list[Points]:
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


def front_hair(person: Person) -> Points:
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


# --- Features -------------------------------------------------------------------------------------------------

EYE_WHITE, TOOTH = np.array((246, 245, 242)), np.array((250, 248, 242))
PUPIL, MOUTH_INSIDE, TONGUE = np.array((16, 14, 16)), np.array((74, 22, 26)), np.array((176, 78, 82))


def eyelids(person: Person, e: Expression, side: int) -> tuple[Points, Points]:
    """The upper and the lower lid's edge, both from the inner to the outer corner."""
    t = np.linspace(0, np.pi, 25)
    x = side * (person.eye_gap - person.eye_width * np.cos(t))
    across = (1 - np.cos(t)) / 2  # 0 at the inner corner, 1 at the outer
    axis = 0.015 - 0.022 * across  # the outer corner lies a little higher
    lower = axis + e.lid_lower * np.sin(t) ** 0.9
    droop = np.sin(t) ** 0.5 * (e.lid_inner * (1 - across) + e.lid_outer * across)
    upper = np.minimum(axis - e.lid_upper * np.sin(t) ** 0.9 + droop, lower - 0.012 * np.sin(t))
    return np.stack((x, upper), 1), np.stack((x, lower), 1)


def draw_eye(canvas: Canvas, person: Person, e: Expression, side: int) -> None:
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


def draw_brow(canvas: Canvas, person: Person, e: Expression, side: int) -> None:
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


def draw_nose(canvas: Canvas, person: Person) -> None:
    """Nostrils and the wings' edges; the rest of the nose is shading."""
    tip, half = person.nose_length, person.nose_width
    for side in (-1, 1):
        canvas.fill(ellipse(side * half * 0.48, tip + 0.022, 0.034, 0.016, 20), person.skin * (0.40, 0.28, 0.26))
        wing = [(side * half * 0.92, tip - 0.055), (side * half * 1.08, tip - 0.01), (side * half * 0.85, tip + 0.028)]
        canvas.stroke(smooth(wing), person.skin * (0.66, 0.54, 0.50), 0.014)


def draw_mouth(canvas: Canvas, person: Person, e: Expression) -> None:
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


def draw_glasses(canvas: Canvas, person: Person) -> None:
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


# --- The picture ----------------------------------------------------------------------------------------------


def draw_face(identity: int, emotion: str, *, intensity: float = 1.0, size: int = 512) -> Image:
    """Draw person number `identity` with an emotion.

    `emotion` is a name in `emotions.EMOTIONS`; `intensity` goes from 0 (neutral) to 1, a little more exaggerates.
    Returns RGB, uint8, size x size x 3; the same arguments give the same bytes. Pictures of one identity differ
    in the face alone. Raises `ValueError` for an unknown emotion, a negative identity or an odd or tiny size.
    """
    if emotion not in EXPRESSIONS:
        raise ValueError(f"no expression named {emotion!r}: choose from {', '.join(EXPRESSIONS)}")
    if identity < 0 or size < 32 or size % TEXTURE_REDUCTION:
        raise ValueError(f"identity must be at least 0, size even and at least 32; they are {identity} and {size}")
    rng = np.random.default_rng(identity)
    person, expression = pick_person(rng), express(emotion, intensity)
    small, large = size // TEXTURE_REDUCTION, size * SUPERSAMPLING
    canvas = Canvas(cv2.resize(draw_backdrop(person, small, rng), (large, large)), person)
    hair = hair_texture(person, small, rng)
    for outline in back_hair(person):
        canvas.paint(outline, cv2.convertScaleAbs(hair, alpha=0.75))
    draw_body(Canvas(canvas.image, person, upright=True), person, small)
    draw_head(canvas, person, expression, small)
    for side in (-1, 1):
        draw_eye(canvas, person, expression, side)
        draw_brow(canvas, person, expression, side)
    draw_nose(canvas, person)
    draw_mouth(canvas, person, expression)
    canvas.paint(front_hair(person), hair)
    if person.glasses:
        draw_glasses(canvas, person)
    return photograph(cv2.resize(canvas.image, (size, size), interpolation=cv2.INTER_AREA), rng)


def draw_backdrop(person: Person, size: int, rng: np.random.Generator) -> Image:
    """A gradient with blurred lamps and furniture, as behind a portrait, size x size x 3."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    angle = rng.uniform(0, 2 * np.pi)
    blend = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    here, there = np.asarray(person.backdrop, np.float32)
    gradient = here * blend + there * (1 - blend)
    image = np.clip(gradient, 0, 255).astype(np.uint8)
    for _ in range(rng.integers(0, 9)):
        corner, extent = rng.integers(-size // 10, size, 2), rng.integers(size // 20, size // 2, 2)
        colour = rgb(person.backdrop[rng.integers(2)] * rng.uniform(0.6, 1.3))
        if rng.random() < 0.5:
            cv2.circle(image, corner.tolist(), int(extent[0]) // 2, colour, -1)
        else:
            cv2.rectangle(image, corner.tolist(), (corner + extent).tolist(), colour, -1)
    return cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.008, 0.035))


def photograph(image: Image, rng: np.random.Generator) -> Image:
    """What a camera adds: a slight blur and grain."""
    blurred = cv2.GaussianBlur(image, (0, 0), max(rng.uniform(0.5, 0.9) * image.shape[0] / 512, 0.1))
    grain = rng.standard_normal(image.shape[:2], dtype=np.float32) * rng.uniform(1.5, 4.0)
    return cv2.add(blurred, cv2.merge([grain.round().astype(np.int16)] * 3), dtype=cv2.CV_8U)


# --- The command ----------------------------------------------------------------------------------------------


def identity_number(seed: int, index: int, emotion: str | None = None) -> int:
    """Who is in a seed's picture `index`: somebody else for each emotion, the same for all where it is None."""
    shift = 0 if emotion is None else list(EMOTIONS).index(emotion)
    return seed * IDENTITIES_PER_SEED + index * len(EMOTIONS) + shift


def usual_intensity(identity: int) -> float:
    """How strongly this person shows what they feel, 0.85 to 1.1."""
    return float(np.random.default_rng((identity, 1)).uniform(0.85, 1.1))


def write_faces(output: Path, emotions: list[str], per_emotion: int, seed: int, same_identities: bool) -> int:
    """Draw `output`/<emotion>/<identity>.jpg, `per_emotion` of each, and return how many were drawn.

    Raises `UserError` where a picture cannot be written.
    """
    jobs = [
        (emotion, identity_number(seed, index, None if same_identities else emotion))
        for emotion in emotions
        for index in range(per_emotion)
    ]
    try:
        for emotion in emotions:
            (output / emotion).mkdir(parents=True, exist_ok=True)
        workers = 0 if len(jobs) < WORTH_PROCESSES else (os.cpu_count() or 1)
        with tqdm(total=len(jobs), desc="drawing", unit="face", mininterval=1.0) as progress:
            for drawn in map_in_processes(functools.partial(_write_batch, output), jobs, workers, JOBS_AT_ONCE):
                progress.update(drawn)
    except OSError as error:
        raise UserError(f"--output {output} cannot be written ({error.strerror}): name another folder") from error
    except WorkerDied as error:
        raise UserError("a drawing process was killed, perhaps for want of memory: run the command again") from error
    return len(jobs)


def _write_batch(output: Path, jobs: list[tuple[str, int]]) -> int:
    for emotion, identity in jobs:
        face = draw_face(identity, emotion, intensity=usual_intensity(identity))
        write_jpeg(output / emotion / f"{identity:09d}.jpg", face)
    return len(jobs)


def write_jpeg(path: Path, image: Image) -> None:
    """Write an RGB picture whole or not at all."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(data.tobytes())
    partial.replace(path)


def build_parser() -> argparse.ArgumentParser:
    """Every flag."""
    parser = argparse.ArgumentParser(
        description="Draw labelled faces of 512 x 512 pixels: <output>/<emotion>/<identity>.jpg.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=Path("data/demo/train"), help="folder to fill")
    parser.add_argument("--per_emotion", type=int, default=150, help="faces of each emotion")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other people")
    parser.add_argument("--emotions", nargs="+", default=FIVE, help=f"some of {', '.join(EMOTIONS)}")
    parser.add_argument(
        "--same_identities",
        action=Switch,
        default=False,
        help="the same people in every emotion, so that each one's true translation is known",
    )
    return parser


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line; raises `UserError` for a value that cannot be."""
    args = build_parser().parse_args(argv)
    most = IDENTITIES_PER_SEED // len(EMOTIONS)
    if not 1 <= args.per_emotion <= most:
        raise UserError(f"--per_emotion {args.per_emotion} is not possible: give a number from 1 to {most}")
    if args.seed < 0:
        raise UserError(f"--seed {args.seed} is not possible: give 0 or more")
    for word in args.emotions:
        if canonical(word) is None:
            raise UserError(f"--emotions {word} is not an emotion: choose from {', '.join(EMOTIONS)}")
    args.emotions = sorted({canonical(word) for word in args.emotions})
    return args


@door
def main(argv: list[str] | None = None) -> int:
    """Draw the faces the command line asks for."""
    args = parse_arguments(argv)
    count = write_faces(args.output, args.emotions, args.per_emotion, args.seed, args.same_identities)
    print(f"{count} faces drawn in {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
