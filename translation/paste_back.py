"""A generated face into its photo: what changed, in the photo's own light, with an edge that does not show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Mask, Points, Region, Square, face_mask

MASK_SIZE = 128  # pixels: side of the square crop that masks are drawn in, whatever the face's size in the photo
LIGHT_SIZE = 64  # pixels: light changes slowly over a face

# Change, in shares of the brightness there. Below the first a face has not changed, above the second it is another.
UNCHANGED, CHANGED = 0.03, 0.09
DARKEST = 24.0  # grey levels added to a brightness before a share of it is taken: noise in the dark is no change
CHANGE_BLUR = 1.5  # pixels of MASK_SIZE: texture that is only blurred has not changed
CHANGE_REACH = 7  # pixels of MASK_SIZE: the old edge of a moved brow has its trace beside it

# Above the brows no expression changes what is not skin. Heights in face lengths from which that may be, and surely is.
BROWS = [63, 105, 66, 293, 334, 296]  # landmarks of MediaPipe's mesh: their upper edge
FOREHEAD = 0.01, 0.07
HAIR_BLUR, HAIR = 1.5, (0.25, 0.6)  # pixels of LIGHT_SIZE, and shares of such pixels around

INSIDE = 0.9  # mask value above which a pixel is farther inwards than the edge

# A face much larger in the photo is enlarged in two steps: by a whole number, which is quick, and then smoothly.
ENLARGED, DENSER = 1.5, 3
AT_ONCE = 1 << 16  # pixels of the photo: more do not fit the processor's cache

# Light, as natural logarithms of brightness.
BLACK = 8.0  # grey levels added before the logarithm, so that black over black says nothing
SAME_KIND = 0.5, 0.15  # from the face's median brightness and colour: more than that is hair, glasses, shadow, lips
SAME_LIGHT = 0.12  # standard deviation of what generated skin may differ from the photo's, beside the overall gain
LIGHT_REACH = 0.12  # standard deviation over which light is averaged along the mask's edge, in sides of the crop
FALLING_BACK = 0.1  # weight of "no change" against the skin around: far from any skin on the edge nothing is changed
MAX_GAIN, MAX_LOCAL, MAX_COLOUR = 0.7, 0.2, 0.25
AGREED, DIFFERENT = 0.04, 0.10  # the largest difference of a channel: below the first a place needs no other light
AGREED_BLUR, AGREED_REACH = 1.5, 5  # pixels of LIGHT_SIZE
EVIDENCE = 0.1, 0.3  # share of skin in the face: below the first light is left alone, above the second it is matched
GREY, MIXED = 4, 0.01  # levels between the channels of a grey photo, and the share of it that may have more


class FacePaste:
    """One face of a photo, ready to be replaced by generated ones, all uint8 RGB.

    `crop` [S, S, 3] is what the generator saw: `square` of the photo; `points` is the face's mesh in photo pixels.
    """

    def __init__(self, crop: Image, square: Square, points: Points) -> None:
        self.square = square
        self._crop = _floats(crop)
        self._own_mask = self._drawn(points)
        self._small = _resized(self._crop, MASK_SIZE)
        self._scale = 1 / (_mean(self._small) + DARKEST)
        self._light = light_of(self._crop)
        self._skin = _like_its_face(self._light, _resized(self._own_mask, LIGHT_SIZE) > INSIDE)
        no_skin = cv2.GaussianBlur((~self._skin).astype(np.float32), (0, 0), HAIR_BLUR)
        self._no_skin = _smooth_step(no_skin, *HAIR)
        self._forehead = self._above_brows(points)
        channels = cv2.split(self._small)
        self._is_grey = np.mean(_largest(channels) + _largest([-channel for channel in channels]) > GREY) < MIXED

    def onto(self, result: Image, generated: Image, points: Points) -> None:
        """Replace the face in the photo `result`, in place, by `generated` [S, S, 3], whose mesh is `points`.

        Outside both meshes, foreheads raised, no pixel changes, nor where the generator left its input as it was.
        """
        lit, mask = self.prepared(generated, points)
        region = _bounds(mask, self.square, result.shape)
        if region is None:
            return
        layer = self._layer(lit, mask)
        enlarged = self.square.side > ENLARGED * layer.shape[0] and layer.shape[0] == MASK_SIZE
        if enlarged:
            layer = cv2.resize(layer, None, fx=DENSER, fy=DENSER, interpolation=cv2.INTER_CUBIC)
        for part in _parts(region):
            _compose(result[part], self.square.put_back(layer, result.shape, part, smooth=enlarged))

    def prepared(self, generated: Image, points: Points) -> tuple[NDArray, Mask]:
        """The generated face in the photo's light (float [S, S, 3]), and the mask it belongs in [MASK_SIZE, MASK_SIZE].

        A fringe or a hat above the brows stays the photo's: painted over, it would end where the mask ends.
        """
        if self._is_grey:
            generated = np.asarray(cv2.cvtColor(cv2.cvtColor(generated, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
        face = _floats(generated)
        mask = np.maximum(self._own_mask, self._drawn(points))
        small_mask, light = _resized(mask, LIGHT_SIZE), light_of(face)
        skin = _like_its_face(light, small_mask > INSIDE)
        gain = light_gain(self._light - light, self._skin & skin, small_mask)
        lit = cv2.multiply(face + BLACK, _resized(gain, face.shape[0])) - BLACK
        hair = self._no_skin * np.minimum(self._forehead, self._above_brows(points))
        return np.clip(lit, 0, 255, out=lit), mask * (1 - _resized(hair, MASK_SIZE))

    def _above_brows(self, points: Points) -> Mask:
        """The forehead and what is above it, at LIGHT_SIZE; the brows themselves may move, and are not in it."""
        places = self.square.to_crop(points, LIGHT_SIZE).astype(np.float32)
        up = places[FOREHEAD_TOP] - places[CHIN]
        up /= max(float(up @ up), 1e-6)
        y, x = np.mgrid[:LIGHT_SIZE, :LIGHT_SIZE].astype(np.float32)
        height = x * up[0] + y * up[1] - (places[BROWS] @ up).max()
        return _smooth_step(height, *FOREHEAD)

    def _drawn(self, points: Points) -> Mask:
        return face_mask(self.square.to_crop(points, MASK_SIZE).astype(np.float32), (MASK_SIZE, MASK_SIZE), framed=True)

    def _layer(self, lit: NDArray, mask: Mask) -> NDArray:
        """What to add to the photo, and in the fourth channel what share of the photo to take away first.

        Where the face has not changed that share is 0: the photo keeps its own detail, finer than any network's.
        """
        size = max(MASK_SIZE, lit.shape[0])
        keep = unchanged((_resized(lit, MASK_SIZE) - self._small) * self._scale[..., None])
        mask, keep = _resized(mask, size), _resized(keep, size)
        channels = zip(cv2.split(_resized(lit, size)), cv2.split(_resized(self._crop, size)), strict=True)
        added = [mask * (face - keep * own) for face, own in channels]
        return cv2.merge([*added, mask * (1 - keep)])


def unchanged(change: NDArray) -> Mask:
    """Where a generated face is still the one before, from 0 to 1; `change` is [MASK_SIZE, MASK_SIZE, 3], in shares."""
    largest = _largest([np.abs(channel) for channel in cv2.split(cv2.GaussianBlur(change, (0, 0), CHANGE_BLUR))])
    widened = cv2.dilate(largest, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (CHANGE_REACH, CHANGE_REACH)))
    return 1 - _smooth_step(cv2.GaussianBlur(widened, (0, 0), CHANGE_BLUR), UNCHANGED, CHANGED)


def light_gain(wanted: NDArray, skin: NDArray, mask: Mask) -> NDArray:
    """By what to multiply a generated face [LIGHT_SIZE, LIGHT_SIZE, 3]; `wanted` is the logarithm of it everywhere.

    One gain for the whole face, and along the mask's edge another that varies slowly: both learned where `skin` says
    that both pictures show it. Hair, glasses or a hat are of another kind in one of them and say nothing about light.
    Where both pictures agree anyhow there is nothing to match, whatever the rest of the face needs.
    """
    inside = mask > INSIDE
    if not (skin & inside).any():
        return np.ones_like(wanted)
    overall = np.median(wanted[skin & inside], axis=0)
    rest = _mean(wanted) - overall.mean()
    weight = skin * np.exp(-0.5 * (rest / SAME_LIGHT) ** 2)
    evidence = float(_smooth_step(weight[inside].mean(), *EVIDENCE))
    brightness = np.clip(overall.mean(), -MAX_GAIN, MAX_GAIN)
    colour = np.clip(overall - overall.mean(), -MAX_COLOUR, MAX_COLOUR)
    weight *= 4 * mask * (1 - mask)
    blurred = [cv2.GaussianBlur(part, (0, 0), LIGHT_REACH * LIGHT_SIZE) for part in (weight * rest, weight)]
    local = np.clip(blurred[0] / (blurred[1] + FALLING_BACK), -MAX_LOCAL, MAX_LOCAL)
    gain = evidence * (brightness + colour + local[..., None]) * _disagreement(wanted)[..., None]
    return np.exp(gain).astype(np.float32)


def _disagreement(wanted: NDArray) -> Mask:
    """From 0, where two pictures show the same in the same light, to 1."""
    largest = cv2.GaussianBlur(_largest(cv2.split(np.abs(wanted))), (0, 0), 1)
    widened = cv2.dilate(largest, np.ones((AGREED_REACH, AGREED_REACH)))
    return _smooth_step(cv2.GaussianBlur(widened, (0, 0), AGREED_BLUR), AGREED, DIFFERENT)


def _like_its_face(light: NDArray, inside: NDArray) -> NDArray:
    """Where a picture is about as bright as its face and of its colour; nowhere, if there is no face inside."""
    if not inside.any():
        return inside
    brightness = _mean(light)
    colour = light - brightness[..., None]
    from_face = np.abs(brightness - np.median(brightness[inside]))
    in_colour = _largest(cv2.split(np.abs(colour - np.median(colour[inside], axis=0).astype(np.float32))))
    return (from_face < SAME_KIND[0]) & (in_colour < SAME_KIND[1])


def _compose(photo: Image, layer: NDArray) -> None:
    """Take its share away from `photo`, in place, and add what comes instead."""
    *added, share = cv2.split(layer)
    kept = 1 - share
    for channel, more in enumerate(added):
        own = np.ascontiguousarray(photo[..., channel])
        photo[..., channel] = cv2.add(cv2.multiply(own, kept, dtype=cv2.CV_32F), more, dtype=cv2.CV_8U)


def _mean(image: NDArray) -> NDArray:
    """Over the three channels; NumPy takes many times as long."""
    return cv2.transform(image, np.full((1, 3), 1 / 3))


def _largest(channels: Sequence[NDArray]) -> NDArray:
    first, second, third = channels
    return np.maximum(np.maximum(first, second), third)


def _floats(image: Image) -> NDArray:
    return image.astype(np.float32)


def light_of(image: NDArray) -> NDArray:
    """The logarithm of a square picture's brightness by channel, [LIGHT_SIZE, LIGHT_SIZE, 3]."""
    return np.log(_resized(image, LIGHT_SIZE) + np.float32(BLACK))


def _resized(image: NDArray, size: int) -> NDArray:
    if image.shape[0] == size:
        return image
    way = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_CUBIC if image.ndim == 3 else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=way)


def _smooth_step(value: NDArray, low: float, high: float) -> NDArray:
    """0 below `low`, 1 above `high`, without a kink."""
    ramp = np.clip((value - low) / (high - low), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _parts(region: Region) -> Iterator[Region]:
    """A region of a photo from top to bottom, `AT_ONCE` pixels at a time."""
    rows, columns = region
    height = max(1, AT_ONCE // (columns.stop - columns.start))
    for top in range(rows.start, rows.stop, height):
        yield slice(top, min(top + height, rows.stop)), columns


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
