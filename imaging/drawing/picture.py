"""A person's number and an emotion in, a picture out.

Everything about the person and the photo comes from the number, everything about the expression from the emotion. So
one person drawn with two emotions is the same picture but for the expression, and what a generator should have answered
is known to the pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from imaging.drawing.canvas import Canvas, rgb
from imaging.drawing.expressions import EXPRESSIONS, expression_of
from imaging.drawing.features import draw_brow, draw_eye, draw_glasses, draw_mouth, draw_nose
from imaging.drawing.hair import back_hair, front_hair, hair_texture
from imaging.drawing.head import draw_body, draw_head
from imaging.drawing.people import DrawnPerson, Image, pick_person

SUPERSAMPLING = 2  # sharp shapes are drawn this much larger than the picture, for smooth edges
TEXTURE_REDUCTION = 2  # soft shading is drawn this much smaller than the picture: it holds no fine detail


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
    person, expression = pick_person(rng), expression_of(emotion, intensity)
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


def draw_backdrop(person: DrawnPerson, size: int, rng: np.random.Generator) -> Image:
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


def usual_intensity(identity: int) -> float:
    """How strongly this person shows what they feel, 0.85 to 1.1."""
    return float(np.random.default_rng((identity, 1)).uniform(0.85, 1.1))
