"""The photo itself moves: its own pixels, in its own resolution, go the way the face in the generator's answer goes.

What movement can't explain is the generator's: light and shadow at low frequencies, furrows as a band in the middle,
the inside of a mouth that opens. All in the photo's own tone, as `paste_back` brings the answer to it.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging import mesh_warp
from imaging.face_geometry import Image, Mask, Points, Square
from imaging.mesh_warp import LOWER_LIP, OUTER_LIPS, UPPER_LIP, Places, Triangles
from translation import face_movement, field_painting, flow_refinement
from translation.face_movement import FIELD_SIZE, PIXEL, Meshes, WrongMovement
from translation.paste_back import FacePaste

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107], [276, 283, 282, 295, 285, 300, 293, 334, 296, 336]
LIDS = list(mesh_warp.EYES.values())
CHEEKS = [50, 280, 101, 330, 118, 347, 205, 425]
NOSE_TIP, NOSE_BRIDGE = 4, 6

LIGHT = 0.018 / PIXEL  # pixels of FIELD_SIZE over which light is averaged
DARK = 12.0  # grey levels added before a ratio is taken: no ratio of two blacks
DARKEST, BRIGHTEST = 0.5, 1.5
FINEST = 0.006 / PIXEL  # furrows are as wide as this at least, and as light at most
FURROW, DEEPEST = 1.2, 22.0  # how much of a furrow is taken over, and its most, in grey levels
FEATURES = 0.015  # how far around brows, eyes and lips there are no furrows, in lengths of the face
BESIDE_MOUTH = 0.045  # how far around lips the light stays: there the generator is least sure
OPENS = 0.004, 0.03  # by how much lips part, in lengths of the face: from there the inside is the generator's, and all
LIP_EDGE = 0.004  # how softly it ends, in lengths of the face
# Teeth are less red than skin, by so much at most; and never greener or bluer than grey, but where the skin is, too.
LESS_RED, GREYEST = np.array([1.3, 1.5], np.float32), np.array([1.0, 0.97], np.float32)  # of green and blue
GRAIN = 1.5  # pixels of FIELD_SIZE: grain moves with the face, and not as generators paint it
NEARER, SAME = 1.02, 0.5  # the error a moved face may have: in that of the face that did not move, and grey levels more


class FaceMotion:
    """One face of a photo, ready to be moved as generated ones move.

    `crop` is what the generator saw: `square` of the photo; `own` is the face's mesh in photo pixels; `paste` of them.
    Where the mouth is covered nothing below the nose changes.
    """

    def __init__(
        self, crop: Image, square: Square, own: Points, paste: FacePaste, mouth_is_covered: bool = False
    ) -> None:
        self._own = own
        self._square = square
        self._paste = paste
        self._field = face_movement.field_square(own, square.angle)
        self._luma = self._seen(crop.astype(np.float32) @ LUMA)
        x, y = np.clip(square.to_crop(own[CHEEKS], len(crop)).round().astype(int), 0, len(crop) - 1).T
        red, *others = np.median(crop[y, x], axis=0) + 1
        skin = np.array(others, np.float32) / np.float32(red)
        self._most_to_red = np.maximum(skin, np.minimum(LESS_RED * skin, GREYEST))  # of green and blue in a mouth
        self._moving = self._above_nose(self._at(own)) if mouth_is_covered else np.ones(len(own), np.float32)
        self._free = self._above_nose(face_movement.grid()) if mouth_is_covered else np.ones_like(self._luma)

    def onto(self, result: Image, generated: Image, meshes: Meshes, strength: float = 1.0) -> Points:
        """Move the face in the photo `result`, in place, `strength` times as far as it moves in `generated`.

        Returns where its landmarks then are. Raises `WrongMovement`, with nothing done, where it would be no face.
        """
        moves = face_movement.movement(self._own, meshes) * self._moving[:, None]
        lit, mask = self._paste.prepared(generated, meshes.answer)
        mask, answer = self._free * np.clip(self._seen(mask), 0, 1), self._seen(lit @ LUMA)
        whole, target = self._own + moves, self._own + np.float32(strength) * moves
        where = face_movement.field(self._own, whole, self._field)
        flow = flow_refinement.to_answer(where, self._luma, answer, mask * (1 - self._around(whole, OUTER_LIPS)))
        reached = face_movement.unfolded(flow_refinement.moved_on(where, flow), self._inside(whole))
        self._refuse_what_explains_nothing(reached, answer, mask * (1 - self._inside(whole)))
        light, furrows = self._shading(reached, answer, mask, whole)
        if strength != 1:
            where = face_movement.field(self._own, target, self._field)
            reached = flow_refinement.moved_on(where, np.float32(strength) * flow)
            reached = face_movement.unfolded(reached, self._inside(target))
            light, furrows = strength * light, strength * furrows
        field_painting.paint(result, self._field, reached, light, furrows)
        self._open(result, lit, meshes.answer, target)
        return target

    def _seen(self, picture: NDArray) -> NDArray[np.float32]:
        """A picture of the generator's square, or a mask, as a layer of the field's."""
        size = max(1, round(self._square.side / self._field.side * FIELD_SIZE))
        if size < picture.shape[0]:
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        matrix = np.vstack([self._square.matrix(picture.shape[0]), (0, 0, 1)])
        matrix = (np.vstack([self._field.matrix(FIELD_SIZE), (0, 0, 1)]) @ np.linalg.inv(matrix))[:2]
        return np.asarray(cv2.warpAffine(picture, matrix, (FIELD_SIZE, FIELD_SIZE), flags=cv2.INTER_CUBIC), np.float32)

    def _above_nose(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """From 0 at the tip of the nose and below to 1 at the eyes and above; of places in the field."""
        tip, bridge = self._at(self._own)[[NOSE_TIP, NOSE_BRIDGE]]
        up = bridge - tip
        return np.clip((places - tip) @ up / (up @ up), 0, 1).astype(np.float32)

    def _at(self, points: Points) -> Points:
        return self._field.to_crop(points, FIELD_SIZE).astype(np.float32)

    def _around(self, points: Points, *outlines: list[int], near: float = FEATURES) -> Mask:
        """The inside of outlines and what is `near` them, in lengths of the face."""
        inside = np.zeros((FIELD_SIZE, FIELD_SIZE), np.uint8)
        for outline in outlines:
            cv2.fillPoly(inside, [np.round(self._at(points)[outline]).astype(np.int32)], 1)
        reach = 2 * round(near / PIXEL) + 1
        wider = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))).astype(np.float32)
        return np.asarray(cv2.GaussianBlur(wider, (0, 0), near / PIXEL / 2), np.float32)

    def _inside(self, points: Points) -> Mask:
        """The inside of the mouth."""
        return np.asarray(
            cv2.GaussianBlur(mesh_warp.filled(mesh_warp.between_lips(self._at(points)), FIELD_SIZE), (0, 0), 1.5),
            np.float32,
        )

    def _refuse_what_explains_nothing(self, where: Places, answer: NDArray, weight: Mask) -> None:
        faces = _taken(self._luma, where), self._luma
        moved, still = (np.abs(cv2.GaussianBlur(face - answer, (0, 0), GRAIN)) for face in faces)
        if (moved * weight).sum() > ((NEARER * still + SAME) * weight).sum():
            raise WrongMovement("the moved face is no nearer to the generator's")

    def _shading(self, where: Places, answer: NDArray, mask: Mask, points: Points) -> tuple[NDArray, NDArray]:
        """By how much brighter the moved face becomes, as a share, and what to add to it then, in grey levels."""
        moved = _taken(self._luma, where)
        low = [cv2.GaussianBlur(picture, (0, 0), LIGHT) for picture in (moved, answer)]
        middle = [cv2.GaussianBlur(picture, (0, 0), FINEST) for picture in (moved, answer)]
        ratio = np.clip((low[1] + DARK) / (low[0] + DARK), DARKEST, BRIGHTEST)
        band = (middle[1] - low[1]) - (middle[0] - low[0])
        smooth = mask * (1 - self._around(points, *BROWS, *LIDS, OUTER_LIPS))
        away = mask * (1 - self._around(points, OUTER_LIPS, near=BESIDE_MOUTH))
        return (ratio - 1) * away, np.clip(FURROW * band, -DEEPEST, DEEPEST) * smooth

    def _open(self, result: Image, lit: NDArray, answer: Points, target: Points) -> None:
        """The inside of a mouth that opens, in the photo's resolution."""
        parted = mesh_warp.gap(target) - mesh_warp.gap(self._own)
        share = float(np.clip((parted - OPENS[0]) / (OPENS[1] - OPENS[0]), 0, 1))
        if not share:
            return
        soft = max(0.7, LIP_EDGE * face_movement.face_length(self._own))
        outline = mesh_warp.between_lips(target)
        low, high = outline.min(axis=0) - 3 * soft - 2, outline.max(axis=0) + 3 * soft + 2
        left, top = np.floor(low).astype(int)
        size = int(np.ceil((high - low).max()))
        rows, columns = (
            slice(max(0, top), min(top + size, result.shape[0])),
            slice(max(0, left), min(left + size, result.shape[1])),
        )
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        inside = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        at = (target - (left, top)).astype(np.float32)
        where = mesh_warp.places(at, self._square.to_crop(answer, lit.shape[0]).astype(np.float32), _mouth(), size)
        mouth = cv2.remap(lit, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[inside]
        mouth[..., 1:] = np.minimum(mouth[..., 1:], mouth[..., :1] * self._most_to_red)
        mask = cv2.GaussianBlur(mesh_warp.filled(mesh_warp.between_lips(at), size), (0, 0), soft)[inside]
        part = result[rows, columns].astype(np.float32)
        result[rows, columns] = np.clip(part + (mouth - part) * (share * mask)[..., None] + 0.5, 0, 255)


@functools.cache
def _mouth() -> Triangles:
    """The inside of the mouth, and the lips."""
    net = mesh_warp.skin()
    return np.vstack([net[np.isin(net, [*UPPER_LIP, *LOWER_LIP]).any(axis=1)], mesh_warp.lips()])


def _taken(luma: NDArray, where: Places) -> NDArray[np.float32]:
    return np.asarray(cv2.remap(luma, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
