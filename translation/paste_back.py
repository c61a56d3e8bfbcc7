"""A generated face into its photo: inside the face mesh, in the photo's own light, with an edge that does not show."""

from __future__ import annotations

import cv2
import numpy as np

from imaging.face_geometry import Image, Mask, Points, Region, Square, face_mask

MASK_SIZE = 256  # pixels: side of the square crop that a mask is drawn in, whatever the face's size in the photo
LIGHT_SIZE = 64  # pixels: light changes slowly over a face
LIGHT_REACH = 0.12  # of the crop's side: standard deviation over which light is averaged along the mask's edge
OVERALL = 1e-3  # share of the mean over the whole edge, which alone reaches the middle of a large face
MAX_GAIN = 3.0

# A face that reaches beyond what the generator saw fades towards the crop's border: 0 there, 1 from 6 % on.
_RAMP = np.clip(np.minimum(np.arange(MASK_SIZE), np.arange(MASK_SIZE)[::-1]) / (0.06 * MASK_SIZE), 0, 1)
FADE = np.minimum.outer(_RAMP, _RAMP).astype(np.float32)


def paste(result: Image, crop: Image, generated: Image, square: Square, points: Points) -> None:
    """Replace the face of `square` in the photo `result`, in place.

    `crop` is what the generator saw, `generated` what it made of it, both uint8 [S, S, 3]; `points` is the face's mesh
    in photo pixels. Outside the mesh, forehead raised, no pixel changes.
    """
    mask = face_mask(square.to_crop(points, MASK_SIZE).astype(np.float32), (MASK_SIZE, MASK_SIZE)) * FADE
    region = _bounds(mask, square, result.shape)
    if region is None:
        return
    lit = match_light(generated, crop, mask)
    weight = square.put_back(mask, result.shape, region)
    face = square.put_back(lit, result.shape, region)
    result[region] = cv2.blendLinear(result[region], face, 1 - weight, weight)


def match_light(generated: Image, crop: Image, mask: Mask) -> Image:
    """`generated` in the light of `crop`: each colour channel times a slowly varying gain.

    The gain is what makes both equally bright along the edge of `mask`, where they meet, carried inwards.
    """
    edge = _shrink(4 * mask * (1 - mask))[..., None]
    wanted, has = (_spread(edge * _shrink(image)) for image in (crop, generated))
    dark = _spread(edge)  # one grey level added to both, so that black over black is no change
    gain = ((wanted + dark) / (has + dark)).clip(1 / MAX_GAIN, MAX_GAIN)
    size = generated.shape[1], generated.shape[0]
    return np.rint(generated * cv2.resize(gain, size)).clip(0, 255).astype(np.uint8)


def _shrink(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image.astype(np.float32), (LIGHT_SIZE, LIGHT_SIZE), interpolation=cv2.INTER_AREA)


def _spread(light: np.ndarray) -> np.ndarray:
    """Averaged over the neighbourhood, and a little over the whole."""
    blurred = cv2.GaussianBlur(light, (0, 0), LIGHT_REACH * LIGHT_SIZE).reshape(light.shape)
    return blurred + OVERALL * light.mean(axis=(0, 1)) + np.float32(1e-9)


def _bounds(mask: Mask, square: Square, shape: tuple[int, ...]) -> Region | None:
    """The part of a photo of `shape` that `mask` touches; None where the face lies outside the photo."""
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if not width:
        return None
    around = np.array([(x, y) for x in (left - 1, left + width) for y in (top - 1, top + height)])
    x, y = square.to_photo(around, MASK_SIZE).T
    columns, rows = (
        slice(max(0, int(np.floor(values.min()))), min(length, int(np.ceil(values.max())) + 1))
        for values, length in ((x, shape[1]), (y, shape[0]))
    )
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None
