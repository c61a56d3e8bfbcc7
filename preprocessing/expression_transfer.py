"""Give a face the expression of other people, of whom pictures with the face's own expression are known as well.

The face is warped as the others' meshes move; its light changes as theirs does (expression ratio images: Liu, Shan
and Zhang, "Expressive expression mapping with ratio images", SIGGRAPH 2001); the inside of a mouth that opens is
another's, as bright as the skin is. Good enough to learn from at 128 pixels, not to be shown to anybody.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Mask, Points

# Landmarks of MediaPipe's mesh. Lips and eyes are holes in its net of triangles.
UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
EYES = {
    468: [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    473: [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
}
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336, 9, 8]
OUTER_LIPS = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
CHEEKS = [50, 280, 101, 330, 118, 347, 205, 425]

AROUND = 1.6  # how far around the face its surroundings give way, in its own radii
OPENS = 0.012  # lips that part by more, in lengths of the face, open the mouth
STRONGER_BROWS = 0.4  # how much farther a lowered brow goes than MediaPipe's mesh, to the eye
BROWS_REACH = 0.08  # how far around the brows that holds, in lengths of the face
DARKEST, BRIGHTEST = 0.45, 1.3  # limits of the change of light
SHADING = 0.85  # how much of it is taken over
SKIN = 1.2  # how far the skin's colour reaches, in the face's own radii
LIPS = np.array([1.12, 0.9, 0.93], np.float32)  # their colour over the skin's
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

Triangles = NDArray[np.intp]  # [N, 3] indices of points
Places = NDArray[np.float32]  # [height, width, 2]: for each pixel where in another picture it comes from


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
    ring = _ring(face.points)
    target, source = (np.vstack([points, ring]) for points in (moved, face.points))
    image = _taken(face.image, _where(target, source, _whole(), face.image.shape[0])).astype(np.float32)
    image *= np.mean([_light(moved, change) for change in changes], axis=0)[..., None]
    if mouth and gap(moved) - gap(face.points) > OPENS:
        inside, mask = _mouth(moved, face, mouth)
        image += (inside - image) * mask[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def gap(points: Points) -> float:
    """How far the lips are apart, in lengths of the face."""
    return float(np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN]))


def inside_mouth(portrait: Portrait, lips: Points) -> NDArray[np.float32]:
    """How bright the inside of a mouth is, 1 as the skin, [24, 48]; `lips` are the landmarks of one for all."""
    low, high = (kind(lips[[*UPPER_LIP, *LOWER_LIP]], axis=0) for kind in (np.min, np.max))
    size = portrait.image.shape[0]
    x, y = np.meshgrid(*(np.linspace(a, b, n) for a, b, n in zip(low, high, (48, 24), strict=True)))
    luma = (_taken(portrait.image, _where(lips, portrait.points, _lips(), size)) @ LUMA) / (portrait.skin @ LUMA + 10)
    luma = luma * _filled(lips[[*UPPER_LIP, *LOWER_LIP[::-1]]], size)
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
    oval, lips = face.points[_oval()], face.points[OUTER_LIPS]
    head = oval + (SKIN - 1) * (oval - oval.mean(axis=0))
    for outline, painted, soft in ((head, like.skin, size / 30), (lips, like.skin * LIPS, size / 150)):
        mask = _blurred(_filled(outline, size), soft)[..., None]
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
        places = _where(moved, portrait.points, _skin(), size)
        return _blurred(_taken(portrait.image, places).astype(np.float32) @ LUMA, size / 270)

    before, after = (luma(portrait) + 12 for portrait in (change.same, change.shown))  # + 12: no ratio of two blacks
    ratio = np.clip(after / before, DARKEST, BRIGHTEST)
    inside = np.asarray(cv2.erode(_filled(moved[_oval()], size), np.ones((9, 9))), np.float32)
    return 1 + (ratio - 1) * SHADING * _blurred(inside, size / 80)


def _mouth(moved: Points, face: Portrait, change: Change) -> tuple[NDArray[np.float32], Mask]:
    """The inside of the other's mouth where the moved one is, and its mask."""
    size = face.image.shape[0]
    mouth = _taken(change.shown.image, _where(moved, change.shown.points, _lips(), size)).astype(np.float32)
    if face.is_grey:
        mouth = np.repeat((mouth @ LUMA)[..., None], 3, axis=2)
    mouth *= np.clip((face.skin @ LUMA + 10) / (change.same.skin @ LUMA + 10), 0.6, 1.5)
    return mouth, _blurred(_filled(moved[[*UPPER_LIP, *LOWER_LIP[::-1]]], size), size / 400)


def _taken(image: Image, places: Places) -> Image:
    return np.asarray(cv2.remap(image, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _where(target: Points, source: Points, triangles: Triangles, size: int) -> Places:
    """For each pixel of a `size`-pixel picture of `target` its place in that of `source`; outside all, its own."""
    corners = np.concatenate([target[triangles], np.ones((len(triangles), 3, 1))], axis=2).astype(np.float64)
    triangles = triangles[flat := np.abs(np.linalg.det(corners)) > 1e-3]
    to_source = np.linalg.solve(corners[flat], source[triangles].astype(np.float64))
    owner = np.full((size, size), -1, np.int32)
    for number, triangle in enumerate(np.round(target[triangles] * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, triangle, number, shift=4)
    y, x = np.mgrid[:size, :size]
    pixels = np.stack([x, y, np.ones_like(x)], axis=2).astype(np.float64)
    places = np.einsum("yxk,yxkc->yxc", pixels, to_source[owner])
    return np.where(owner[..., None] < 0, pixels[..., :2], places).astype(np.float32)


def _filled(outline: Points, size: int) -> Mask:
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    return mask


def _blurred(values: Mask, sigma: float) -> Mask:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _ring(points: Points) -> Points:
    """Points around the face, one for each of its outline, that stay where they are."""
    outline = points[_oval()]
    middle = outline.mean(axis=0)
    return middle + AROUND * (outline - middle)


@functools.cache
def _whole() -> Triangles:
    """Face, inside of the mouth, eyes, and the surroundings up to `_ring`, whose points come after the 478."""
    oval, ring = _oval(), np.arange(478, 478 + len(_oval()))
    return np.vstack([_strip(oval, ring), _strip([oval[-1], oval[0]], [ring[-1], ring[0]]), _lips(), _skin()])


@functools.cache
def _skin() -> Triangles:
    """MediaPipe's net, every three landmarks that are joined with each other, and the eyes in its holes."""
    from mediapipe.tasks.python.vision import FaceLandmarksConnections

    joined: dict[int, set[int]] = {}
    for edge in FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION:
        joined.setdefault(edge.start, set()).add(edge.end)
        joined.setdefault(edge.end, set()).add(edge.start)
    net = {tuple(sorted((a, b, c))) for a, near in joined.items() for b in near for c in near & joined[b]}
    eyes = [(a, b, iris) for iris, lids in EYES.items() for a, b in zip(lids, [*lids[1:], lids[0]], strict=True)]
    return np.array([*sorted(net), *eyes])


@functools.cache
def _lips() -> Triangles:
    return _strip(UPPER_LIP, LOWER_LIP)


@functools.cache
def _oval() -> list[int]:
    """The landmarks of the face's outline in their order."""
    from mediapipe.tasks.python.vision import FaceLandmarksConnections

    following = {edge.start: edge.end for edge in FaceLandmarksConnections.FACE_LANDMARKS_FACE_OVAL}
    outline = [FOREHEAD_TOP]
    while (point := following[outline[-1]]) != FOREHEAD_TOP:
        outline.append(point)
    return outline


def _strip(one: Sequence[int] | NDArray[np.intp], other: Sequence[int] | NDArray[np.intp]) -> Triangles:
    """The triangles between two lines of as many points."""
    pairs = list(zip(one, other, strict=True))
    return np.array([t for (a, b), (c, d) in itertools.pairwise(pairs) for t in ((a, b, c), (b, c, d))])
