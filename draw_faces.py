"""Draw faces whose expression is known: labelled pictures without a camera, a licence or a download.

Everything about the person and the photo comes from the identity, everything about the expression from the
emotion. So one identity drawn with two emotions is the same picture but for the expression, and what a generator
should have answered is known to the pixel.

    python draw_faces.py --output data/demo/train --per_emotion 150 --seed 0
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from emotions import EMOTIONS, FIVE, canonical
from errors import UserError, door

Points = npt.NDArray[np.float64]  # N x 2, in face units: origin between the eyes, y down, the chin at y = 1
Image = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.float64]  # RGB, 0 to 255

SUPERSAMPLING = 2  # sharp shapes are drawn this much larger than the picture, for smooth edges
TEXTURE_REDUCTION = 2  # soft shading is drawn this much smaller than the picture: it holds no fine detail
IDENTITIES_PER_SEED = 1_000_000  # a seed's identities are seed * this + index, so no two seeds share one


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
    # AU 4 + 5 + 7 + 23/24
    "angry": Expression(
        brow_inner=0.15, brow_arch=0.055, brow_outer=-0.06, brow_together=0.085, furrow=1.0,
        lid_upper=0.052, lid_lower=0.034, lid_inner=0.035,
        mouth_width=0.20, mouth_corner=0.045, mouth_y=0.0, lip=0.38, jaw=-0.03,
    ),
    # AU 1 + 2 + 4 + 5 + 20 + 26
    "fearful": Expression(
        brow_inner=-0.17, brow_arch=-0.10, brow_outer=0.02, brow_together=0.05, furrow=0.5,
        lid_upper=0.112, lid_lower=0.066, lid_outer=0.02,
        mouth_width=0.30, mouth_corner=0.05, mouth_gap=0.13, mouth_round=0.75, lip=0.8, teeth=0.42, jaw=0.05,
    ),
    # AU 6 + 12 + 25
    "happy": Expression(
        brow_inner=-0.02, brow_arch=-0.03, brow_outer=0.0,
        lid_upper=0.070, lid_lower=0.022,
        mouth_width=0.37, mouth_corner=-0.15, mouth_y=0.03, mouth_gap=0.15, mouth_round=0.1, lip=0.8, teeth=0.62,
        jaw=0.03, cheek=1.0,
    ),
    # AU 1 + 4 + 15 + 17
    "sadness": Expression(
        brow_inner=-0.15, brow_arch=-0.02, brow_outer=0.09, brow_together=0.045, furrow=0.35,
        lid_upper=0.058, lid_lower=0.045, lid_outer=0.045,
        mouth_width=0.225, mouth_corner=0.13, mouth_y=-0.03, lip=0.9,
    ),
    # AU 1 + 2 + 5 + 27
    "surprised": Expression(
        brow_inner=-0.17, brow_arch=-0.235, brow_outer=-0.16,
        lid_upper=0.140, lid_lower=0.090,
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
    (255, 224, 200),
    (250, 212, 182),
    (241, 196, 158),
    (226, 176, 134),
    (200, 146, 104),
    (160, 108, 74),
    (120, 78, 54),
)
HAIRS = (
    (38, 30, 28),
    (62, 42, 32),
    (96, 62, 38),
    (138, 92, 52),
    (190, 146, 88),
    (222, 190, 132),
    (150, 66, 36),
    (150, 148, 150),
)
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
    jaw: float  # jaw's width over the head's
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
    freckles: bool
    light: tuple[float, float]  # where the light comes from, as a vector no longer than 1
    head_size: float  # face unit over the picture's size
    centre: tuple[float, float]  # where the head is, over the picture's size
    tilt: float  # degrees
    turn: float  # how far the features shift to a side


def pick_person(rng: np.random.Generator) -> Person:
    """A person and a photo of them, drawn at random."""

    def jittered(colours: tuple[tuple[int, int, int], ...], spread: float) -> Colour:
        return np.clip(np.array(colours[rng.integers(len(colours))]) + rng.normal(0, spread, 3), 12, 252)

    skin, hair = jittered(SKINS, 5), jittered(HAIRS, 6)
    return Person(
        skin=skin,
        hair=hair,
        brow=np.minimum(hair * 0.62, skin * 0.52),  # a fair brow would not be seen
        iris=jittered(IRISES, 6),
        lips=skin * rng.uniform((0.78, 0.50, 0.52), (0.90, 0.62, 0.66)),
        shirt=rng.uniform(40, 225, 3),
        backdrop=(rng.uniform(70, 235, 3), rng.uniform(70, 235, 3)),
        width=rng.uniform(0.72, 0.82),
        jaw=rng.uniform(0.78, 0.90),
        eye_gap=rng.uniform(0.315, 0.35),
        eye_width=rng.uniform(0.150, 0.172),
        brow_thickness=rng.uniform(0.045, 0.072),
        nose_width=rng.uniform(0.105, 0.145),
        nose_length=rng.uniform(0.29, 0.35),
        mouth_scale=rng.uniform(0.92, 1.08),
        lip_thickness=rng.uniform(0.052, 0.078),
        hair_length=str(rng.choice(HAIR_LENGTHS)),
        fringe=str(rng.choice(FRINGES)),
        hair_volume=rng.uniform(0.96, 1.10),
        glasses=str(rng.choice(["round", "square"])) if rng.random() < 0.18 else "",
        freckles=bool(rng.random() < 0.15),
        light=(rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 0.1)),
        head_size=rng.uniform(0.255, 0.325),
        centre=(rng.uniform(0.45, 0.55), rng.uniform(0.47, 0.53)),
        tilt=rng.uniform(-7, 7),
        turn=rng.uniform(-0.05, 0.05),
    )


# --- Shapes ---------------------------------------------------------------------------------------------------


def smooth(control: list[tuple[float, float]], closed: bool = False, steps: int = 10) -> Points:
    """A Catmull-Rom curve through `control`, `steps` points to a segment."""
    points = np.asarray(control, dtype=float)
    padded = np.vstack((points[-1:], points, points[:2]) if closed else (points[:1], points, points[-1:]))
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return curve.reshape(-1, 2) if closed else np.vstack((curve.reshape(-1, 2), points[-1:]))


def mirrored(right: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The closed outline whose right half is `right`, from top to bottom, both ends on the axis."""
    return right + [(-x, y) for x, y in right[-2:0:-1]]


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 40) -> Points:
    """An ellipse's outline."""
    angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), 1)


class Canvas:
    """A picture that is drawn on in face units."""

    def __init__(self, image: Image, person: Person, *, upright: bool = False) -> None:
        self.image = image
        size = image.shape[0]
        self.unit = person.head_size * size  # pixels in a face unit
        angle = 0.0 if upright else np.radians(person.tilt)
        self._rotation = (
            np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * self.unit
        )
        self._origin = np.array(person.centre) * size
        self._turn, self._width = person.turn, person.width

    def pixels(self, points: Points) -> Points:
        """Face units to pixels: what lies near the middle of the head shifts most when it turns."""
        points = np.array(points, dtype=float)
        points[:, 0] += self._turn * np.clip(1 - (points[:, 0] / self._width) ** 2, 0, 1)
        return points @ self._rotation + self._origin

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill an outline with one colour."""
        cv2.fillPoly(self.image, [fixed(self.pixels(points))], rgb(colour), shift=4)

    def stroke(self, points: Points, colour: Colour, width: float, closed: bool = False) -> None:
        """Draw a line of even width."""
        pixels = max(1, round(width * self.unit))
        cv2.polylines(
            self.image, [fixed(self.pixels(points))], closed, rgb(colour), pixels, cv2.LINE_8, shift=4
        )

    def paint(self, points: Points, texture: Image) -> None:
        """Fill an outline with `texture`, a smaller picture of the whole frame."""
        outline = self.pixels(points)
        size = self.image.shape[0]
        step = size // texture.shape[0]
        left, top = np.clip(np.floor(outline.min(0) / step) - 1, 0, texture.shape[0]).astype(int)
        right, bottom = np.clip(np.ceil(outline.max(0) / step) + 1, 0, texture.shape[0]).astype(int)
        if left >= right or top >= bottom:
            return
        view = self.image[top * step : bottom * step, left * step : right * step]
        mask = np.zeros(view.shape[:2], np.uint8)
        cv2.fillPoly(mask, [fixed(outline - (left * step, top * step))], 255, shift=4)
        cv2.copyTo(cv2.resize(texture[top:bottom, left:right], view.shape[1::-1]), mask, view)

    def glaze(self, points: Points, colour: Colour, opacity: float, blur: float) -> None:
        """Tint an outline softly; `blur` is the edge's width."""
        if opacity <= 0:
            return
        outline, sigma = self.pixels(points), max(blur * self.unit / 2, 0.5)
        size = self.image.shape[0]
        left, top = np.clip(outline.min(0) - 3 * sigma, 0, size).astype(int)
        right, bottom = np.clip(outline.max(0) + 3 * sigma + 1, 0, size).astype(int)
        if left >= right or top >= bottom:
            return
        view = self.image[top:bottom, left:right]
        mask = np.zeros(view.shape[:2], np.float32)
        cv2.fillPoly(mask, [fixed(outline - (left, top))], opacity, shift=4)
        mask = cv2.GaussianBlur(mask, (0, 0), sigma)[..., None]
        view[:] = view + (np.asarray(colour, np.float32) - view) * mask


def fixed(points: Points) -> npt.NDArray[np.int32]:
    """Pixels as OpenCV's fixed-point numbers with four fractional bits."""
    return np.round(points * 16).astype(np.int32)


def rgb(colour: Colour) -> tuple[float, float, float]:
    """A colour as OpenCV wants it."""
    r, g, b = np.clip(colour, 0, 255).tolist()
    return r, g, b


# --- Skin and head --------------------------------------------------------------------------------------------


def head_outline(person: Person, jaw: float) -> Points:
    """The head without hair; the chin is lowered by `jaw`."""
    w, j = person.width, person.width * person.jaw
    right = [
        (0, -1.08), (0.55 * w, -1.0), (0.92 * w, -0.66), (w, -0.15), (0.97 * w, 0.25 + 0.2 * jaw),
        (j, 0.58 + 0.5 * jaw), (0.55 * j, 0.88 + 0.9 * jaw), (0, 1.0 + jaw),
    ]  # fmt: skip
    return smooth(mirrored(right), closed=True)


def skin_texture(person: Person, expression: Expression, size: int) -> Image:
    """The head's skin, lit from the light's side, with all that is soft about a face, size x size x 3."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    unit = person.head_size * size
    x = (x - person.centre[0] * size) / (unit * person.width)
    y = (y - person.centre[1] * size) / unit
    shade = (
        1.0
        + 0.13 * (person.light[0] * x + person.light[1] * y)
        - 0.10 * np.clip(x * x + y * y, 0, 1.6) ** 1.5
    )
    warm = np.array((1.02, 1.0, 0.98)) * person.skin
    canvas = Canvas(np.clip(shade[..., None] * warm, 0, 255).astype(np.uint8), person)
    shadow, glow = person.skin * (0.66, 0.56, 0.52), person.skin * 0.4 + np.array((160, 153, 146))
    shade_eyes_and_nose(canvas, person, expression, shadow, glow)
    shade_cheeks_and_mouth(canvas, person, expression, shadow, glow)
    return canvas.image


def shade_eyes_and_nose(canvas: Canvas, person: Person, e: Expression, shadow: Colour, glow: Colour) -> None:
    """Eye sockets, the forehead's light, frown creases and the nose's sides, tip and shadow."""
    canvas.glaze(ellipse(0.25 * person.light[0], -0.52, 0.34, 0.10), glow, 0.30, 0.24)
    tip, half = person.nose_length, person.nose_width
    for side in (-1, 1):
        canvas.glaze(ellipse(side * person.eye_gap, -0.06, 0.20, 0.13), shadow, 0.30, 0.12)
        lit = 0.34 - 0.18 * side * person.light[0]
        bridge = smooth([(side * 0.09, -0.16), (side * 0.065, 0.05), (side * half, tip - 0.04), (side * half * 1.1, tip + 0.01),
                         (side * half * 0.6, tip - 0.06), (side * 0.05, 0.04)], closed=True)  # fmt: skip
        canvas.glaze(bridge, shadow, lit, 0.06)
        crease = smooth(
            [(side * 0.05, -0.36), (side * 0.045, -0.26), (side * 0.075, -0.16), (side * 0.03, -0.24)],
            closed=True,
        )
        canvas.glaze(crease, shadow * 0.75, 0.85 * max(e.furrow, 0), 0.03)
    canvas.glaze(ellipse(0, tip + 0.055, half * 0.95, 0.02), shadow, 0.6, 0.05)
    canvas.glaze(ellipse(0.03 * person.light[0], 0.10, 0.022, 0.15), glow, 0.45, 0.06)
    canvas.glaze(ellipse(0.04 * person.light[0], tip - 0.07, 0.04, 0.032), glow, 0.6, 0.06)


def shade_cheeks_and_mouth(
    canvas: Canvas, person: Person, e: Expression, shadow: Colour, glow: Colour
) -> None:
    """Blush, smile folds, the hollow under the lower lip and the chin's light."""
    blush = person.skin * (1.0, 0.74, 0.72)
    for side in (-1, 1):
        canvas.glaze(
            ellipse(side * 0.46, 0.30 - 0.06 * e.cheek, 0.15, 0.11), blush, 0.45 + 0.3 * e.cheek, 0.18
        )
        canvas.glaze(
            ellipse(side * 0.44, 0.20 - 0.05 * e.cheek, 0.07, 0.05), glow, 0.18 + 0.25 * e.cheek, 0.10
        )
        fold = smooth(
            [
                (side * 0.17, 0.28),
                (side * 0.33, 0.40),
                (side * 0.42, 0.52),
                (side * 0.38, 0.46),
                (side * 0.28, 0.38),
            ],
            closed=True,
        )
        canvas.glaze(fold, shadow, 0.9 * max(e.cheek, 0), 0.04)
    bottom = 0.60 + e.mouth_y + e.mouth_gap * 0.75 + person.lip_thickness * e.lip
    canvas.glaze(ellipse(0, bottom + 0.055, 0.12, 0.022), shadow, 0.5, 0.07)
    canvas.glaze(ellipse(0, 0.88 + e.jaw, 0.10, 0.05), glow, 0.25, 0.12)


def draw_body(canvas: Canvas, person: Person) -> None:
    """Neck, shirt and collar; they stay upright when the head tilts."""
    size = canvas.image.shape[0] // (SUPERSAMPLING * TEXTURE_REDUCTION)
    neck = Canvas(np.full((size, size, 3), person.skin * 0.90, np.uint8), person, upright=True)
    neck.glaze(ellipse(0, 0.95, 0.5, 0.28), person.skin * (0.58, 0.50, 0.46), 0.9, 0.25)
    width = 0.52 * person.width / 0.75
    canvas.paint(
        smooth(
            [
                (-width, 0.5),
                (-width, 1.1),
                (-1.1 * width, 1.5),
                (0, 1.9),
                (1.1 * width, 1.5),
                (width, 1.1),
                (width, 0.5),
            ]
        ),
        neck.image,
    )
    shirt = [(0.0, 1.62), (0.35, 1.50), (0.52, 1.28), (1.05, 1.46), (1.5, 1.75), (1.7, 3.0), (0.0, 3.0)]
    outline = np.array(mirrored(shirt))
    canvas.fill(outline, person.shirt)
    collar = smooth([(-0.52, 1.28), (-0.35, 1.50), (0.0, 1.62), (0.35, 1.50), (0.52, 1.28)])
    canvas.stroke(collar, person.shirt * 0.72, 0.06)


def draw_head(canvas: Canvas, person: Person, expression: Expression) -> None:
    """Ears, then the head over them."""
    size = canvas.image.shape[0] // (SUPERSAMPLING * TEXTURE_REDUCTION)
    skin = skin_texture(person, expression, size)
    for side in (-1, 1):
        canvas.paint(ellipse(side * person.width * 1.02, 0.06, 0.105, 0.20), skin)
        canvas.stroke(ellipse(side * person.width * 1.03, 0.06, 0.055, 0.13)[5:35] if side < 0 else
                      ellipse(side * person.width * 1.03, 0.06, 0.055, 0.13), person.skin * (0.70, 0.60, 0.56), 0.018)  # fmt: skip
    canvas.paint(head_outline(person, expression.jaw), skin)
    if person.freckles:
        spots = np.random.default_rng(int(person.skin.sum() * 1000)).normal((0, 0.2), (0.28, 0.07), (40, 2))
        for x, y in spots:
            canvas.fill(ellipse(x, y, 0.009, 0.009, 8), person.skin * (0.80, 0.70, 0.64))


# --- Hair -----------------------------------------------------------------------------------------------------


def hair_texture(person: Person, size: int, rng: np.random.Generator) -> Image:
    """Hair with strands and a shine towards the light, size x size x 3."""
    canvas = Canvas(np.full((size, size, 3), person.hair, np.uint8), person)
    for x, dark in zip(rng.uniform(-1.3, 1.3, 60), rng.uniform(0.70, 1.25, 60), strict=True):
        strand = smooth(
            [(0.35 * x, -1.4), (0.9 * x, -0.9), (1.05 * x, -0.2), (1.05 * x, 0.6), (0.95 * x, 1.6)], steps=5
        )
        canvas.stroke(strand, person.hair * dark, 0.012)
    canvas.image = cv2.GaussianBlur(canvas.image, (0, 0), 0.7)
    shine = person.hair * 0.5 + np.array((118, 112, 106))
    canvas.glaze(ellipse(0.45 * person.light[0], -1.02, 0.36, 0.07), shine, 0.55, 0.16)
    return canvas.image


def draw_back_hair(canvas: Canvas, person: Person, texture: Image) -> None:
    """What hangs behind the head."""
    w, v = person.width, person.hair_volume
    dark = cv2.convertScaleAbs(texture, alpha=0.75)
    top = [(0, -1.27 * v), (0.72 * w, -1.13 * v), (1.10 * w, -0.62)]
    if person.hair_length == "bob":
        canvas.paint(
            smooth(
                mirrored([*top, (1.20 * w * v, 0.0), (1.22 * w * v, 0.55), (0.8 * w, 0.80), (0, 0.8)]),
                closed=True,
            ),
            dark,
        )
    elif person.hair_length == "long":
        canvas.paint(
            smooth(
                mirrored(
                    [
                        *top,
                        (1.20 * w * v, 0.0),
                        (1.32 * w * v, 0.9),
                        (1.30 * w * v, 1.7),
                        (0.6 * w, 1.9),
                        (0, 1.8),
                    ]
                ),
                closed=True,
            ),
            dark,
        )
    elif person.hair_length == "pigtails":
        for side in (-1, 1):
            canvas.paint(
                smooth(
                    [
                        (side * 0.95 * w, -0.35),
                        (side * 1.5 * w, -0.2),
                        (side * 1.72 * w, 0.5),
                        (side * 1.45 * w, 1.0),
                        (side * 1.2 * w, 0.3),
                    ],
                    closed=True,
                ),
                dark,
            )
    elif person.hair_length == "bun":
        canvas.paint(ellipse(0, -1.36 * v, 0.30, 0.26), dark)
    elif person.hair_length == "afro":
        angle = np.linspace(-0.25, np.pi + 0.25, 13)
        for x, y in zip(1.12 * w * v * np.cos(angle), -0.45 - 0.72 * v * np.sin(angle), strict=True):
            canvas.paint(ellipse(x, y, 0.27, 0.27, 24), dark)


def draw_front_hair(canvas: Canvas, person: Person, texture: Image) -> None:
    """The cap of hair and the hairline, which stays above the highest brow."""
    w, v = person.width, person.hair_volume
    side_y = 0.05 if person.hair_length in ("bob", "long") else -0.22
    hairlines: dict[str, list[tuple[float, float]]] = {
        "round": [(0.86 * w, -0.50), (0.5 * w, -0.74), (0, -0.80), (-0.5 * w, -0.74), (-0.86 * w, -0.50)],
        "straight": [(0.90 * w, -0.50), (0.6 * w, -0.60), (0, -0.62), (-0.6 * w, -0.60), (-0.90 * w, -0.50)],
        "left part": [(0.90 * w, -0.46), (0.62 * w, -0.62), (0.1 * w, -0.70), (-0.42 * w, -0.88), (-0.66 * w, -0.70), (-0.90 * w, -0.46)],
        "right part": [(0.90 * w, -0.46), (0.66 * w, -0.70), (0.42 * w, -0.88), (-0.1 * w, -0.70), (-0.62 * w, -0.62), (-0.90 * w, -0.46)],
        "peak": [(0.88 * w, -0.50), (0.60 * w, -0.78), (0.28 * w, -0.80), (0, -0.70), (-0.28 * w, -0.80), (-0.60 * w, -0.78), (-0.88 * w, -0.50)],
        "swept": [(0.90 * w, -0.48), (0.7 * w, -0.60), (0.2 * w, -0.62), (-0.4 * w, -0.72), (-0.8 * w, -0.62), (-0.92 * w, -0.46)],
    }  # fmt: skip
    cap = [(-0.99 * w, side_y), (-1.09 * w, -0.25), (-1.09 * w, -0.64), (-0.72 * w, -1.13 * v), (0, -1.27 * v),
           (0.72 * w, -1.13 * v), (1.09 * w, -0.64), (1.09 * w, -0.25), (0.99 * w, side_y)]  # fmt: skip
    canvas.paint(
        smooth([*cap, (0.955 * w, -0.25), *hairlines[person.fringe], (-0.955 * w, -0.25)], closed=True),
        texture,
    )


# --- Features -------------------------------------------------------------------------------------------------


def eye_outline(person: Person, e: Expression, side: int) -> tuple[Points, Points]:
    """The upper and the lower lid's edge, both from the inner to the outer corner."""
    t = np.linspace(0, np.pi, 25)
    x = side * person.eye_gap - side * person.eye_width * np.cos(t)
    across = (1 - np.cos(t)) / 2  # 0 at the inner corner, 1 at the outer
    height = e.lid_upper * np.sin(t) ** 0.9
    height = height - np.sin(t) ** 0.5 * (e.lid_inner * (1 - across) + e.lid_outer * across)
    axis = 0.015 - 0.022 * across  # the outer corner lies a little higher
    lower = axis + e.lid_lower * np.sin(t) ** 0.9
    upper = np.minimum(axis - height, lower - 0.012 * np.sin(t))
    return np.stack((x, upper), 1), np.stack((x, lower), 1)


def draw_eye(canvas: Canvas, person: Person, e: Expression, side: int) -> None:
    """White, iris, pupil and highlight, cut off by the lids; lashes and the lid's crease."""
    upper, lower = eye_outline(person, e, side)
    outline = np.vstack((upper, lower[::-1]))
    x = side * person.eye_gap
    corners = canvas.pixels(outline)
    left, top = np.clip(corners.min(0) - 4, 0, canvas.image.shape[0]).astype(int)
    right, bottom = np.clip(corners.max(0) + 4, 0, canvas.image.shape[0]).astype(int)
    skin = canvas.image[top:bottom, left:right].copy()
    canvas.fill(outline, np.array((246, 245, 242)))
    canvas.fill(np.vstack((upper, upper[::-1] + (0, 0.028))), np.array((206, 204, 206)))
    canvas.fill(ellipse(x, -0.008, 0.078, 0.078), person.iris * 0.55)
    canvas.fill(ellipse(x, -0.008, 0.068, 0.068), person.iris)
    canvas.fill(ellipse(x, 0.022, 0.046, 0.030), person.iris * 1.35)
    canvas.fill(ellipse(x, -0.008, 0.036, 0.036), np.array((16, 14, 16)))
    canvas.fill(
        ellipse(x + 0.028 * np.sign(person.light[0]), -0.034, 0.018, 0.018, 16), np.array((255, 255, 255))
    )
    mask = np.full(skin.shape[:2], 255, np.uint8)
    cv2.fillPoly(mask, [fixed(corners - (left, top))], 0, shift=4)
    cv2.copyTo(skin, mask, canvas.image[top:bottom, left:right])
    canvas.stroke(lower, person.skin * (0.66, 0.52, 0.48), 0.010)
    canvas.stroke(upper, person.brow * 0.55, 0.026)
    canvas.stroke(upper[3:-2] - (0, 0.038), person.skin * (0.66, 0.55, 0.50), 0.012)


def draw_brow(canvas: Canvas, person: Person, e: Expression, side: int) -> None:
    """A brow, thick at its inner end."""
    inner, outer = person.eye_gap - 0.185 - e.brow_together, person.eye_gap + 0.215
    spine = smooth([
        (inner, -0.235 + e.brow_inner),
        (inner + 0.42 * (outer - inner), -0.285 + e.brow_arch * 0.75 + e.brow_inner * 0.25),
        (inner + 0.72 * (outer - inner), -0.285 + e.brow_arch * 0.6 + e.brow_outer * 0.4),
        (outer, -0.215 + e.brow_outer),
    ])  # fmt: skip
    half = (
        person.brow_thickness
        / 2
        * np.interp(np.linspace(0, 1, len(spine)), (0, 0.1, 0.55, 1), (0.7, 1.0, 0.95, 0.25))
    )
    outline = np.vstack(
        (spine - np.stack((0 * half, half), 1), (spine + np.stack((0 * half, half), 1))[::-1])
    )
    canvas.fill(outline * (side, 1), person.brow)


def draw_nose(canvas: Canvas, person: Person) -> None:
    """Nostrils and the wings' edges; the rest of the nose is shading."""
    tip, half = person.nose_length, person.nose_width
    for side in (-1, 1):
        canvas.fill(
            ellipse(side * half * 0.48, tip + 0.022, 0.034, 0.016, 20), person.skin * (0.40, 0.28, 0.26)
        )
        wing = smooth(
            [
                (side * half * 0.92, tip - 0.055),
                (side * half * 1.08, tip - 0.01),
                (side * half * 0.85, tip + 0.028),
            ]
        )
        canvas.stroke(wing, person.skin * (0.66, 0.54, 0.50), 0.014)


def draw_mouth(canvas: Canvas, person: Person, e: Expression) -> None:
    """Lips around the opening, and in it the mouth's inside, tongue and upper teeth."""
    half = e.mouth_width * person.mouth_scale
    t = np.linspace(0, np.pi, 41)
    x = -half * np.cos(t)
    bulge = np.sin(t) ** (2 - e.mouth_round)
    line = 0.585 + e.mouth_y + e.mouth_corner * (np.cos(t) ** 2 - 0.5)
    upper, lower = line - 0.3 * e.mouth_gap * bulge, line + 0.7 * e.mouth_gap * bulge
    thick = person.lip_thickness * e.lip
    bow = np.sin(t) ** 0.8 * (1 - 0.22 * np.exp(-((np.cos(t) / 0.16) ** 2)))  # the dent of Cupid's bow
    swell = 1 + 0.10 * e.mouth_round  # a round mouth's lips reach round its sides
    top = np.stack((x * swell, upper - thick * bow), 1)
    base = np.stack((x * swell, lower + 1.25 * thick * np.sin(t) ** 0.8), 1)
    gap_top, gap_base = np.stack((x, upper), 1), np.stack((x, lower), 1)
    canvas.fill(np.vstack((top, gap_top[::-1])), person.lips * 0.92)
    canvas.fill(np.vstack((gap_base, base[::-1])), person.lips * 1.04)
    if e.mouth_gap > 0.01:
        canvas.fill(np.vstack((gap_top, gap_base[::-1])), np.array((74, 22, 26)))
        tongue = gap_base[8:-8] - (gap_base[8:-8] - gap_top[8:-8]) * (0, 0.30)
        canvas.fill(np.vstack((tongue, gap_base[8:-8][::-1])), np.array((176, 78, 82)))
        edge = gap_top + (gap_base - gap_top) * (0, e.teeth)
        canvas.fill(np.vstack((gap_top, edge[::-1])), np.array((250, 248, 242)))
    canvas.stroke(gap_top, person.lips * (0.50, 0.36, 0.38), 0.016 if e.mouth_gap > 0.01 else 0.022)
    shine = smooth([(-0.3 * half, 0), (0, 0.008), (0.3 * half, 0)]) + (0, float(lower[20]) + 0.6 * thick)
    canvas.stroke(shine, person.lips * 0.75 + 60, 0.012 * e.lip)


def draw_glasses(canvas: Canvas, person: Person) -> None:
    """Frames around the eyes, a bridge and the ear-pieces."""
    colour = person.brow * 0.6 + 12
    for side in (-1, 1):
        x = side * (person.eye_gap + 0.005)
        if person.glasses == "round":
            frame = ellipse(x, 0.015, 0.245, 0.215)
        else:
            r = 0.25
            frame = smooth([(x - r, -0.12), (x - r * 0.8, -0.175), (x + r * 0.8, -0.175), (x + r, -0.12), (x + 0.9 * r, 0.15),
                            (x + 0.65 * r, 0.21), (x - 0.65 * r, 0.21), (x - 0.9 * r, 0.15)], closed=True)  # fmt: skip
        canvas.stroke(frame, colour, 0.022, closed=True)
        canvas.stroke(np.array([(x + side * 0.245, -0.03), (side * person.width, -0.06)]), colour, 0.022)
    canvas.stroke(
        smooth([(-person.eye_gap + 0.24, 0.0), (0, -0.035), (person.eye_gap - 0.24, 0.0)]), colour, 0.022
    )


# --- The picture ----------------------------------------------------------------------------------------------


def draw_backdrop(person: Person, size: int, rng: np.random.Generator) -> Image:
    """A gradient with blurred spots of light or furniture, as behind a portrait, size x size x 3."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    angle = rng.uniform(0, 2 * np.pi)
    blend = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    image = (person.backdrop[0] * blend + person.backdrop[1] * (1 - blend)).astype(np.uint8)
    for _ in range(rng.integers(0, 9)):
        corner, extent = rng.uniform(-0.1, 1.0, 2) * size, rng.uniform(0.05, 0.45, 2) * size
        colour = rgb(person.backdrop[rng.integers(2)] * rng.uniform(0.6, 1.3))
        if rng.random() < 0.5:
            cv2.circle(image, corner.astype(int).tolist(), int(extent[0] / 2), colour, -1)
        else:
            cv2.rectangle(
                image, corner.astype(int).tolist(), (corner + extent).astype(int).tolist(), colour, -1
            )
    return cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.008, 0.035))


def draw_face(identity: int, emotion: str, *, intensity: float = 1.0, size: int = 512) -> Image:
    """Draw person number `identity` with an emotion.

    `emotion` is a name in `emotions.EMOTIONS`; `intensity` goes from 0 (neutral) to 1, a little more exaggerates.
    Returns RGB, uint8, size x size x 3; the same arguments give the same bytes. Two emotions of one identity
    differ inside the face only. Raises `ValueError` for an unknown emotion, a negative identity or an odd size.
    """
    if emotion not in EXPRESSIONS:
        raise ValueError(f"no expression named {emotion!r}: choose from {', '.join(EXPRESSIONS)}")
    if identity < 0 or size < 32 or size % TEXTURE_REDUCTION:
        raise ValueError(
            f"identity must be at least 0 and size even and at least 32, not {identity} and {size}"
        )
    rng = np.random.default_rng(identity)
    person, expression = pick_person(rng), express(emotion, intensity)
    small, large = size // TEXTURE_REDUCTION, size * SUPERSAMPLING
    backdrop = draw_backdrop(person, small, rng)
    hair = hair_texture(person, small, rng)
    canvas = Canvas(cv2.resize(backdrop, (large, large)), person)
    draw_back_hair(canvas, person, hair)
    draw_body(Canvas(canvas.image, person, upright=True), person)
    draw_head(canvas, person, expression)
    for side in (-1, 1):
        draw_eye(canvas, person, expression, side)
        draw_brow(canvas, person, expression, side)
    draw_nose(canvas, person)
    draw_mouth(canvas, person, expression)
    draw_front_hair(canvas, person, hair)
    if person.glasses:
        draw_glasses(canvas, person)
    return photograph(cv2.resize(canvas.image, (size, size), interpolation=cv2.INTER_AREA), rng)


def photograph(image: Image, rng: np.random.Generator) -> Image:
    """What a camera adds: a slight blur and grain."""
    blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 0.9) * image.shape[0] / 512 + 0.01)
    grain = rng.standard_normal(image.shape[:2], dtype=np.float32) * rng.uniform(1.5, 4.0)
    return np.clip(blurred + grain[..., None], 0, 255).astype(np.uint8)


# --- The command ----------------------------------------------------------------------------------------------


def identity_number(seed: int, index: int, emotion: str | None) -> int:
    """The identity of a seed's picture `index`: the same for every emotion (None) or another for each."""
    shift = 0 if emotion is None else list(EMOTIONS).index(emotion)
    return seed * IDENTITIES_PER_SEED + index * len(EMOTIONS) + shift


def usual_intensity(identity: int) -> float:
    """How strongly this person shows what they feel, 0.85 to 1.1."""
    return float(np.random.default_rng((identity, 1)).uniform(0.85, 1.1))


def write_faces(output: Path, emotions: list[str], per_emotion: int, seed: int, same_identities: bool) -> int:
    """Draw `output`/<emotion>/<identity>.jpg, `per_emotion` of each, and return how many were drawn.

    Raises `UserError` where a picture cannot be written.
    """
    try:
        with tqdm(
            total=len(emotions) * per_emotion, desc="drawing", unit="face", mininterval=1.0
        ) as progress:
            for emotion in emotions:
                folder = output / emotion
                folder.mkdir(parents=True, exist_ok=True)
                for index in range(per_emotion):
                    identity = identity_number(seed, index, None if same_identities else emotion)
                    face = draw_face(identity, emotion, intensity=usual_intensity(identity))
                    write_jpeg(folder / f"{identity:09d}.jpg", face)
                    progress.update()
    except OSError as error:
        raise UserError(
            f"cannot write faces to --output {output}: {error.strerror}; name a folder you may write to"
        ) from error
    return len(emotions) * per_emotion


def write_jpeg(path: Path, image: Image) -> None:
    """Write an RGB picture whole or not at all."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(data.tobytes())
    partial.replace(path)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line; raises `UserError` for a value that cannot be."""
    parser = argparse.ArgumentParser(
        description="Draw labelled faces: <output>/<emotion>/<identity>.jpg, 512 x 512."
    )
    parser.add_argument(
        "--output", type=Path, default=Path("data/demo/train"), help="folder to fill (default: %(default)s)"
    )
    parser.add_argument(
        "--per_emotion", type=int, default=150, help="faces of each emotion (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="another seed draws other people (default: %(default)s)"
    )
    parser.add_argument("--emotions", nargs="+", default=list(FIVE), metavar="EMOTION",
                        help=f"which of {', '.join(EMOTIONS)} (default: all but neutral)")  # fmt: skip
    parser.add_argument("--same_identities", action="store_true",
                        help="the same people in every emotion, so that the true translation of each is known")  # fmt: skip
    args = parser.parse_args(argv)
    most = IDENTITIES_PER_SEED // len(EMOTIONS)
    if not 1 <= args.per_emotion <= most:
        raise UserError(f"--per_emotion is {args.per_emotion}: give a number from 1 to {most}")
    if args.seed < 0:
        raise UserError(f"--seed is {args.seed}: give 0 or more")
    for word in args.emotions:
        if canonical(word) is None:
            raise UserError(f"--emotions: {word!r} is not an emotion; choose from {', '.join(EMOTIONS)}")
    args.emotions = sorted({name for word in args.emotions if (name := canonical(word))})
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
