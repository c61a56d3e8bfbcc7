"""How a face shows each of the five emotions: what of people's movements, in which part of the face, and how far.

Found by search: each number was varied on 40 calm photo-like training people for what the judge of real faces says of
the result, with a penalty for moving far, and then weakened by eye until no face looked evil or pained. Fearful was
then made a sixth stronger, as a generator shows less than its pairs; angry as well, but the generator that learned
that moved so far that dlib took every fifth angry face for another person's, so it is as found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import CHIN, FOREHEAD_TOP, LEFT_EYE_CORNER, RIGHT_EYE_CORNER, Points
from imaging.mesh_warp import EYES, LOWER_LIP, OUTER_LIPS, UPPER_LIP
from research.expression_transfer import Portrait

# Landmarks of MediaPipe's mesh.
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336, 9, 8]
INNER_BROWS = [107, 55, 65, 66, 336, 285, 295, 296, 9, 8]
INNERMOST = [107, 55, 336, 285]
BETWEEN_BROWS = 9
CORNERS, NOSTRILS = [61, 291], [48, 278, 64, 294, 129, 358]
LIPS = [*UPPER_LIP, *LOWER_LIP, *OUTER_LIPS]
IRISES = range(468, 478)

# How far around its landmarks a part of the face reaches, in lengths of the face.
BROWS_REACH, LIPS_REACH, SMALL_REACH = 0.1, 0.08, 0.05
STRONGER_BROWS, STRONGER_REACH = 0.4, 0.08  # a lowered brow goes farther than MediaPipe's mesh, to the eye

Shares = Mapping[str, float]  # of the movement of each emotion
Column = NDArray[np.float32]  # [478, 1]


@dataclass(frozen=True)
class Recipe:
    """What of people's movements each part of the face takes over, and what is added.

    Lengths are in lengths of the face.
    """

    brows: Shares
    lips: Shares
    rest: Shares
    lids: float = 0.0  # how much farther from the middle of the eye, as a share of the distance
    lower_lids: float = 1.0  # how much of that the lower ones do
    inner_brows_up: float = 0.0
    brows_together: float = 0.0
    lips_apart: float = 0.0  # as a share of the distance from the mouth's middle; below 0: pressed
    mouth_wider: float = 0.0  # likewise
    corners_up: float = 0.0
    nostrils_up: float = 0.0
    lowers_brows: bool = False


RECIPES = {
    "angry": Recipe(
        brows={"angry": 1.5},
        lips={"angry": 0.7},
        rest={"angry": 0.9},
        lids=-0.05,
        lips_apart=-0.2,
        mouth_wider=-0.05,
        corners_up=-0.018,
        nostrils_up=0.01,
        lowers_brows=True,
    ),
    # Brows of surprise and sorrow together, a small open mouth; the people's own way reads as a smile with teeth.
    "fearful": Recipe(
        brows={"surprised": 1.15, "sadness": 1.8},
        lips={"surprised": 0.54, "sadness": 0.35, "fearful": 0.23},
        rest={"fearful": 0.33, "surprised": 0.23},
        lids=0.55,
        inner_brows_up=0.023,
        brows_together=0.035,
        mouth_wider=0.2,
        corners_up=-0.02,
    ),
    "happy": Recipe(brows={"happy": 0.9}, lips={"happy": 1.0}, rest={"happy": 1.25}, lids=-0.1),
    "sadness": Recipe(
        brows={"sadness": 1.7},
        lips={"sadness": 1.6},
        rest={"sadness": 1.0},
        lids=-0.2,
        lower_lids=1.5,
        inner_brows_up=0.02,
        brows_together=0.015,
        mouth_wider=0.05,
    ),
    "surprised": Recipe(
        brows={"surprised": 1.5}, lips={"surprised": 0.8}, rest={"surprised": 1.0}, lids=0.45, mouth_wider=-0.12
    ),
}


def movement(face: Portrait, ways: Mapping[str, Points], recipe: Recipe) -> Points:
    """How far each landmark of a calm face goes, [478, 2] in pixels; `ways` is how people's go, by emotion."""
    across, up = _axes(face)
    length = face.length
    brows, lips = _near(face, BROWS, BROWS_REACH), _near(face, LIPS, LIPS_REACH)
    rest = np.clip(1 - brows - lips, 0, 1)
    total = brows + lips + rest
    move = sum(
        part / total * sum(share * ways[emotion] for emotion, share in shares.items())
        for part, shares in ((brows, recipe.brows), (lips, recipe.lips), (rest, recipe.rest))
    )
    move = move + _near(face, INNER_BROWS, SMALL_REACH) * recipe.inner_brows_up * length * up
    side = np.sign((face.points - face.points[BETWEEN_BROWS]) @ across)[:, None]
    move = move - _near(face, INNERMOST, SMALL_REACH) * side * recipe.brows_together * length * across
    from_middle = face.points - face.points[LIPS].mean(axis=0)
    stretched = (from_middle @ up)[:, None] * up * recipe.lips_apart
    stretched = stretched + (from_middle @ across)[:, None] * across * recipe.mouth_wider
    move = move + _near(face, LIPS, SMALL_REACH) * stretched
    move = move + _near(face, CORNERS, 0.06) * recipe.corners_up * length * up
    move = move + _near(face, NOSTRILS, SMALL_REACH) * recipe.nostrils_up * length * up
    move = move + _lids(face, recipe)
    return (move * _stronger_brows(face) if recipe.lowers_brows else move).astype(np.float32)


def _axes(face: Portrait) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit vectors from the face's right to its left, and from the chin to the forehead."""
    points = face.points
    ways = points[LEFT_EYE_CORNER] - points[RIGHT_EYE_CORNER], points[FOREHEAD_TOP] - points[CHIN]
    across, up = (way / np.linalg.norm(way) for way in ways)
    return across, up


def _near(face: Portrait, landmarks: list[int], reach: float) -> Column:
    """1 at these landmarks, falling to 0 within about `reach` lengths of the face."""
    apart = np.linalg.norm(face.points[:, None] - face.points[None, landmarks], axis=2).min(axis=1)
    return np.exp(-((apart / (reach * face.length)) ** 2))[:, None].astype(np.float32)


def _lids(face: Portrait, recipe: Recipe) -> Points:
    move = np.zeros_like(face.points)
    _, up = _axes(face)
    for lids in EYES.values():
        height = (face.points[lids] - face.points[lids].mean(axis=0)) @ up
        share = np.where(height > 0, recipe.lids, recipe.lids * recipe.lower_lids)
        move[lids] = (height * share)[:, None] * up
    return move


def _stronger_brows(face: Portrait) -> Column:
    gain = 1 + STRONGER_BROWS * _near(face, BROWS, STRONGER_REACH)
    gain[[*EYES[468], *EYES[473], *IRISES]] = 1
    return gain
