"""Drawn people: everything in a picture but the expression, from a random number generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Outline = npt.NDArray[np.float64]  # N x 2, in face units: origin between the eyes, y down, the chin at y = 1
Image = npt.NDArray[Any]  # RGB, uint8, height x width x 3
Colour = npt.NDArray[np.float64]  # RGB, 0 to 255

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
class DrawnPerson:
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
    freckles: Outline
    light: tuple[float, float]  # where the light comes from: right and down are positive
    head_size: float  # a face unit over the picture's size
    centre: tuple[float, float]  # where the head is, over the picture's size
    tilt: float  # degrees
    turn: float  # how far the features shift to a side


def pick_person(rng: np.random.Generator) -> DrawnPerson:
    """A person and a photo of them, drawn at random."""
    skin = pick_colour(rng, SKINS)
    hair = pick_colour(rng, tuple(colour for colour in HAIRS if sum(colour) < 0.9 * skin.sum()))
    backdrop = [rng.uniform(70, 225) + rng.normal(0, 26, 3) for _ in range(2)]
    return DrawnPerson(
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
