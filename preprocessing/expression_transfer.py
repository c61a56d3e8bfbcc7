"""Give a face the expression of other people, of whom pictures with the face's own expression are known as well.

The face is warped as the others' meshes move; its light changes as theirs does (expression ratio images: Liu, Shan
and Zhang, "Expressive expression mapping with ratio images", SIGGRAPH 2001); the inside of a mouth that opens is
another's, as bright as the skin is. Good enough to learn from at 128 pixels, not to be shown to anybody.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging import mesh_warp
from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Mask, Points
from imaging.mesh_warp import EYES, LOWER_LIP, OUTER_LIPS, UPPER_LIP, between_lips, filled, gap, places, taken

# Landmarks of MediaPipe's mesh.
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336, 9, 8]
CHEEKS = [50, 280, 101, 330, 118, 347, 205, 425]

OPENS = 0.012  # lips that part by more, in lengths of the face, open the mouth
STRONGER_BROWS = 0.4  # how much farther a lowered brow goes than MediaPipe's mesh, to the eye
BROWS_REACH = 0.08  # how far around the brows that holds, in lengths of the face
DARKEST, BRIGHTEST = 0.45, 1.3  # limits of the change of light
SHADING = 0.85  # how much of it is taken over
SKIN = 1.2  # how far the skin's colour reaches, in the face's own radii
LIPS = np.array([1.12, 0.9, 0.93], np.float32)  # their colour over the skin's
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Portrait:
    """A face crop, uint8 RGB [S, S, 3], and its 478 landmarks in its pixels. All of one transfer have the same size."""

    image: Image
    points: Points

    @functools.cached_property
    def length(self) -> float:
        """Pixels from the forehead's top to the chin."""
        return float(np.linalg.norm(self.points[FOREHEAD_TOP] - self.points[CHIN]))

    @functools.cached_property
    def skin(self) -> NDArray[np.float32]:
        """The cheeks' colour, RGB in [0, 255]."""
        x, y = np.clip(self.points[CHEEKS].round().astype(int), 0, self.image.shape[0] - 1).T
        return np.median(self.image[y, x].astype(np.float32), axis=0)

    @property
    def is_grey(self) -> bool:
        return float(np.ptp(self.image.astype(int), axis=2).mean()) < 4


@dataclass(frozen=True)
class Change:
    """Another person with a face's own expression and with the wanted one, in one pose."""

    same: Portrait
    shown: Portrait


def likeness(a: Points, b: Points) -> tuple[NDArray[np.float64], float]:
    """The 2x2 matrix that turns and scales `a` onto `b`, and how far they then lie apart, in heights of `b`."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, scale, v = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1, np.sign(np.linalg.det(u @ v))]) @ v * (scale.sum() / (a**2).sum())
    return turn, float(np.sqrt(((a @ turn - b) ** 2).sum(axis=1).mean()) / np.ptp(b[:, 1]))


def express(
    face: Portrait, move: Points, changes: Sequence[Change], mouth: Change | None = None, lowers_brows: bool = False
) -> Image:
    """`face` with its landmarks moved by `move`, [478, 2] in pixels, and its light changed as it does in `changes`.

    `mouth` shows the inside of a mouth, should the moved one be open.
    `lowers_brows` for an expression that does: their way is then made longer, for the mesh stops short of it.
    """
    if lowers_brows:
        move = move * _brow_gain(face)[:, None]
    moved = face.points + move
    around = mesh_warp.ring(face.points)
    target, source = (np.vstack([points, around]) for points in (moved, face.points))
    image = taken(face.image, places(target, source, mesh_warp.whole(), face.image.shape[0])).astype(np.float32)
    image *= np.mean([_light(moved, change) for change in changes], axis=0)[..., None]
    if mouth and gap(moved) - gap(face.points) > OPENS:
        inside, mask = _mouth(moved, face, mouth)
        image += (inside - image) * mask[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def inside_mouth(portrait: Portrait, lips: Points) -> NDArray[np.float32]:
    """How bright the inside of a mouth is, 1 as the skin, [24, 48]; `lips` are the landmarks of one for all."""
    low, high = (kind(lips[[*UPPER_LIP, *LOWER_LIP]], axis=0) for kind in (np.min, np.max))
    size = portrait.image.shape[0]
    x, y = np.meshgrid(*(np.linspace(a, b, n) for a, b, n in zip(low, high, (48, 24), strict=True)))
    luma = (taken(portrait.image, places(lips, portrait.points, mesh_warp.lips(), size)) @ LUMA) / (
        portrait.skin @ LUMA + 10
    )
    luma = luma * filled(between_lips(lips), size)
    return np.asarray(cv2.remap(luma, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR), np.float32)


def tinted(face: Portrait, like: Portrait, surroundings: NDArray[np.float32]) -> Portrait:
    """A grey portrait in the colour of another's skin, black and white staying as they are.

    `surroundings` is the colour around the face, RGB.
    """
    size = face.image.shape[0]
    grey = (face.image @ LUMA)[..., None]
    light = grey / 255
    amount = np.clip(4 * light * (1 - light), 0, 1) * np.clip(1.6 - light, 0, 1)
    colour = np.broadcast_to(_hue(surroundings), (size, size, 3))
    oval, lips = face.points[mesh_warp.oval()], face.points[OUTER_LIPS]
    head = oval + (SKIN - 1) * (oval - oval.mean(axis=0))
    for outline, painted, soft in ((head, like.skin, size / 30), (lips, like.skin * LIPS, size / 150)):
        mask = _blurred(filled(outline, size), soft)[..., None]
        colour = colour + (_hue(painted) - colour) * mask
    return Portrait(np.clip(grey * (1 + (colour - 1) * amount), 0, 255).astype(np.uint8), face.points)


def _hue(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """A colour as bright as white."""
    return np.asarray(colour / (colour @ LUMA + 1e-3), np.float32)


def _brow_gain(face: Portrait) -> NDArray[np.float32]:
    distance = np.linalg.norm(face.points[:, None] - face.points[None, BROWS], axis=2).min(axis=1)
    gain = 1 + STRONGER_BROWS * np.exp(-((distance / (BROWS_REACH * face.length)) ** 2))
    gain[[*EYES[468], *EYES[473], *range(468, 478)]] = 1
    return gain.astype(np.float32)


def _light(moved: Points, change: Change) -> Mask:
    """By how much each pixel of the moved face grows brighter; 1 outside the face."""
    size = change.shown.image.shape[0]

    def luma(portrait: Portrait) -> Mask:
        where = places(moved, portrait.points, mesh_warp.skin(), size)
        return _blurred(taken(portrait.image, where).astype(np.float32) @ LUMA, size / 270)

    before, after = (luma(portrait) + 12 for portrait in (change.same, change.shown))  # + 12: no ratio of two blacks
    ratio = np.clip(after / before, DARKEST, BRIGHTEST)
    inside = np.asarray(cv2.erode(filled(moved[mesh_warp.oval()], size), np.ones((9, 9))), np.float32)
    return 1 + (ratio - 1) * SHADING * _blurred(inside, size / 80)


def _mouth(moved: Points, face: Portrait, change: Change) -> tuple[NDArray[np.float32], Mask]:
    """The inside of the other's mouth where the moved one is, and its mask."""
    size = face.image.shape[0]
    mouth = taken(change.shown.image, places(moved, change.shown.points, mesh_warp.lips(), size)).astype(np.float32)
    if face.is_grey:
        mouth = np.repeat((mouth @ LUMA)[..., None], 3, axis=2)
    mouth *= np.clip((face.skin @ LUMA + 10) / (change.same.skin @ LUMA + 10), 0.6, 1.5)
    return mouth, _blurred(filled(between_lips(moved), size), size / 400)


def _blurred(values: Mask, sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
