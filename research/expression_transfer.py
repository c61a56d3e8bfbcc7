"""Give a face an expression: warp it as its mesh shall move, change its light, put a mouth's inside where one opens.

The light changes as it does on other people with that expression (expression ratio images: Liu, Shan and Zhang,
"Expressive expression mapping with ratio images", SIGGRAPH 2001).
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
from imaging.mesh_warp import between_lips, filled, gap, places, taken

CHEEKS = [50, 280, 101, 330, 118, 347, 205, 425]  # landmarks of MediaPipe's mesh
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

OPENS = 0.012  # lips that part by more, in lengths of the face, open the mouth
DARKEST, BRIGHTEST = 0.45, 1.3  # limits of the change of light
SHADING = 0.85  # how much of it is taken over
LIGHT_SIZE = 256  # pixels: light changes slowly over a face
TINT = 0.75, 1.3  # limits of a channel's gain where light of one colour is replaced by that of another
TINTING = 0.8  # how much of it is taken over


@dataclass(frozen=True)
class Portrait:
    """A face crop, uint8 RGB [S, S, 3], and its 478 landmarks in its pixels."""

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

    def sized(self, size: int) -> Portrait:
        """The same in `size` pixels."""
        before = self.image.shape[0]
        method = cv2.INTER_AREA if size < before else cv2.INTER_CUBIC
        image = np.asarray(cv2.resize(self.image, (size, size), interpolation=method), np.uint8)
        return Portrait(image, ((self.points + 0.5) * size / before - 0.5).astype(np.float32))


@dataclass(frozen=True)
class Change:
    """Somebody without an expression and with it, in one pose; both `LIGHT_SIZE` pixels large."""

    same: Portrait
    shown: Portrait


def likeness(a: Points, b: Points) -> tuple[NDArray[np.float64], float]:
    """The 2x2 matrix that turns and scales `a` onto `b`, and how far they then lie apart, in heights of `b`."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    u, scale, v = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1, np.sign(np.linalg.det(u @ v))]) @ v * (scale.sum() / (a**2).sum())
    return turn, float(np.sqrt(((a @ turn - b) ** 2).sum(axis=1).mean()) / np.ptp(b[:, 1]))


def transfer(face: Portrait, moved: Points, changes: Sequence[Change], mouths: Sequence[Portrait]) -> Portrait:
    """`face` with its landmarks at `moved` and its light changed as on average in `changes`.

    Where the mouth opens, its inside is that of the one of `mouths` whose lips are as far apart and whose skin is as
    bright.
    """
    size = face.image.shape[0]
    around = mesh_warp.ring(face.points)
    target, source = (np.vstack([points, around]) for points in (moved, face.points))
    image = taken(face.image, places(target, source, mesh_warp.whole(), size)).astype(np.float32)
    image *= _light(Portrait(face.image, moved).sized(LIGHT_SIZE).points, changes, size)[..., None]
    if mouths and gap(moved) - gap(face.points) > OPENS:
        donor = _fitting(mouths, moved, face)
        inside = taken(donor.image, places(moved, donor.points, mesh_warp.lips(), size)) * _in_light_of(face, donor)
        image += (inside - image) * _blurred(filled(between_lips(moved), size), size / 400)[..., None]
    return Portrait(np.clip(image, 0, 255).astype(np.uint8), moved)


def _light(moved: Points, changes: Sequence[Change], size: int) -> Mask:
    """By how much each pixel of the moved face grows brighter, [size, size]; 1 outside the face."""
    ratio = np.mean([_ratio(moved, change) for change in changes], axis=0)
    inside = np.asarray(cv2.erode(filled(moved[mesh_warp.oval()], LIGHT_SIZE), np.ones((9, 9))), np.float32)
    light = 1 + (ratio - 1) * SHADING * _blurred(inside, LIGHT_SIZE / 80)
    return np.asarray(cv2.resize(light.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def _ratio(moved: Points, change: Change) -> Mask:
    def luma(portrait: Portrait) -> Mask:
        where = places(moved, portrait.points, mesh_warp.skin(), LIGHT_SIZE)
        return _blurred(taken(portrait.image, where).astype(np.float32) @ LUMA, LIGHT_SIZE / 270)

    before, after = (luma(portrait) + 12 for portrait in (change.same, change.shown))  # + 12: no ratio of two blacks
    return np.clip(after / before, DARKEST, BRIGHTEST)


def _fitting(mouths: Sequence[Portrait], moved: Points, face: Portrait) -> Portrait:
    def differs(donor: Portrait) -> float:
        brightness = np.log((donor.skin @ LUMA + 10) / (face.skin @ LUMA + 10))
        return float(15 * abs(gap(donor.points) - gap(moved)) + abs(brightness))

    return min(mouths, key=differs)


def _in_light_of(face: Portrait, donor: Portrait) -> NDArray[np.float32]:
    """Gains of the channels that bring the donor's skin to the face's: coloured light must not dye the teeth."""
    gain = (face.skin + 10) / (donor.skin + 10)
    brightness = np.clip((face.skin @ LUMA + 10) / (donor.skin @ LUMA + 10), 0.55, 1.6)
    tint = np.clip(gain / (gain @ LUMA), *TINT)
    return np.asarray(brightness * (1 + (tint - 1) * TINTING), np.float32)


def _blurred(values: Mask, sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
