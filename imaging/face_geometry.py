"""Where a face lies in a photo, how it is cut out and put back, and its mask. One geometry for training and use.

Coordinates: x to the right, y down, in pixels, the centre of the first pixel being (0, 0), as OpenCV has it. A photo
of width 100 therefore reaches from -0.5 to 99.5. Images are uint8 RGB [height, width, 3] in [0, 255].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

FACE_SIZE = 512  # pixels: side of a stored face crop
CROP_SIZE = 448  # pixels: side of the centre of it that the networks see

# The face square in units of the detector's box, which spans 0.92 of the mesh's height (median of 128 faces). With
# these, 512 holds the hair and the neck's beginning, and the centre 448 the whole face with room for a dropped jaw.
HEAD_ROOM = 1.75
LIFT = 0.1

# Landmarks of MediaPipe's face mesh.
FOREHEAD_TOP, CHIN, RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 10, 152, 33, 263

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Mask = NDArray[np.float32]
Region = tuple[slice, slice]  # rows, columns


@dataclass(frozen=True)
class Box:
    """A face's place in a photo, from the brows to the chin; may leave the frame. `score` in [0, 1].

    Of a face turned by `angle` degrees clockwise these are the sides before the box is turned about its centre.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    angle: float = 0.0

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def side(self) -> float:
        """The longer side."""
        return max(self.width, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


@dataclass(frozen=True)
class Square:
    """A square region of a photo: its centre, its side in pixels, and by how many degrees it is turned clockwise."""

    cx: float
    cy: float
    side: float
    angle: float = 0.0

    def centre(self, fraction: float) -> Square:
        """The square with the same centre and `fraction` of the side."""
        return replace(self, side=self.side * fraction)

    def within(self, shape: tuple[int, ...], least: float) -> Square:
        """The square moved into a photo of `shape`, and made smaller, down to `least` of its side, where it must be.

        For showing only: training and translation keep a face's own square.
        """
        spread = sum(abs(f(math.radians(self.angle))) for f in (math.cos, math.sin))
        side = min(self.side, max(min(shape[:2]) / spread, least * self.side))
        half = side * spread / 2
        cx, cy = (
            min(max(place, min(half, length - half) - 0.5), max(half, length - half) - 0.5)
            for place, length in ((self.cx, shape[1]), (self.cy, shape[0]))
        )
        return replace(self, cx=cx, cy=cy, side=side)

    def snapped(self) -> Square:
        """The nearest upright square whose edges lie between pixels, of an even side; a turned square as it is.

        To cut it out takes a third of the time: what a pixel more or less does not matter for should be snapped.
        """
        if self.angle:
            return self
        side = max(2, 2 * round(self.side / 2))
        left, top = round(self.cx - (side - 1) / 2), round(self.cy - (side - 1) / 2)
        return Square(left + (side - 1) / 2, top + (side - 1) / 2, side)

    def matrix(self, size: int) -> NDArray[np.float64]:
        """The 2×3 matrix that takes photo coordinates to coordinates of this square's `size`×`size` crop."""
        scale = size / self.side
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        turn = scale * np.array([[cos, sin], [-sin, cos]])
        shift = (size - 1) / 2 - turn @ (self.cx, self.cy)
        return np.column_stack([turn, shift])

    def to_crop(self, points: NDArray, size: int) -> NDArray:
        """Photo points [N, 2] as points of the `size`×`size` crop."""
        return _apply(self.matrix(size), points)

    def to_photo(self, points: NDArray, size: int) -> NDArray:
        """Points [N, 2] of the `size`×`size` crop as points of the photo: the inverse of `to_crop`."""
        return _apply(cv2.invertAffineTransform(self.matrix(size)), points)

    def cut(self, photo: Image, size: int) -> Image:
        """This square of `photo` as a `size`×`size` crop. What lies beyond the border repeats the border's pixels.

        Shrinks by area averages, grows by cubic interpolation; touches only the part of the photo it needs.
        """
        # No quick way for a square far larger than the photo: the border it repeats would fill the memory.
        if not self.angle and self == self.snapped() and size <= self.side <= 2 * max(photo.shape):
            return shrink(self._with_border(photo), size, size)
        rows, columns = self.region(photo.shape, margin=2 + self.side / size)
        matrix = self.matrix(size)
        matrix[:, 2] = _apply(matrix, np.array((columns.start, rows.start)))
        return _warp(photo[rows, columns], matrix, size, size)

    def _with_border(self, photo: Image) -> Image:
        """The very pixels of a snapped square, the photo's border repeated beyond it."""
        half = self.side / 2
        left, top, right, bottom = self.cx - half, self.cy - half, self.cx + half, self.cy + half
        rows, columns = _slice(top, bottom, photo.shape[0]), _slice(left, right, photo.shape[1])
        inside = photo[rows, columns]
        if inside.shape[0] == inside.shape[1] == self.side:
            return inside
        beyond = (
            rows.start - top - 0.5,
            bottom + 0.5 - rows.stop,
            columns.start - left - 0.5,
            right + 0.5 - columns.stop,
        )
        above, below, before, after = (max(0, round(pixels)) for pixels in beyond)
        return np.asarray(cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE), np.uint8)

    def region(self, shape: tuple[int, ...], margin: float = 0.0) -> Region:
        """Rows and columns of the part of a photo of `shape` that this square touches (one pixel at least)."""
        corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        x, y = self.to_photo(corners, 1).T
        rows = _slice(y.min() - margin, y.max() + margin, shape[0])
        columns = _slice(x.min() - margin, x.max() + margin, shape[1])
        return rows, columns

    def put_back(
        self, crop: NDArray, shape: tuple[int, ...], region: Region | None = None, smooth: bool = False
    ) -> NDArray:
        """Warp a square crop back to its place in a photo of `shape`: the pixels of `region`, or of `region(shape)`.

        An RGB crop goes on beyond its own border; a mask (float [S, S]) is 0 there. For a `smooth` crop two neighbours
        in each direction do instead of four, in a third of the time.
        """
        rows, columns = region or self.region(shape)
        matrix = cv2.invertAffineTransform(self.matrix(crop.shape[0]))
        matrix[:, 2] -= columns.start, rows.start
        return _warp(crop, matrix, columns.stop - columns.start, rows.stop - rows.start, smooth)


def face_square(box: Box) -> Square:
    """The square that holds the head whose face is `box`, with room in proportion to the box."""
    cx, cy = box.centre
    angle, lift = math.radians(box.angle), LIFT * box.side
    return Square(cx + lift * math.sin(angle), cy - lift * math.cos(angle), HEAD_ROOM * box.side, box.angle)


def crop_face(photo: Image, square: Square) -> Image:
    """The 512×512 face crop that is stored for training."""
    return square.cut(photo, FACE_SIZE)


def input_square(square: Square, crop_size: int = CROP_SIZE) -> Square:
    """The part of a face square that the networks see: the centre `crop_size` pixels of its 512."""
    return square.centre(crop_size / FACE_SIZE)


def published_square(square: Square, crop_size: int = CROP_SIZE) -> Square:
    """What the networks of the published repo saw of the face that `square` is around.

    Their training stretched the detector's box itself to 512 pixels, without head-room, and cut out the centre.
    """
    side = square.side / HEAD_ROOM
    angle, lift = math.radians(square.angle), LIFT * side
    box = Square(square.cx - lift * math.sin(angle), square.cy + lift * math.cos(angle), side, square.angle)
    return input_square(box, crop_size)


def face_mask(
    points: Points, shape: tuple[int, ...], forehead: float = 0.2, feather: float = 0.1, framed: bool = False
) -> Mask:
    """The inside of a face mesh as float32 [height, width] in [0, 1] for an image of `shape`.

    The forehead is raised by `forehead` × the face's length: an angry brow moves down, and the old one would show
    above it. The edge fades over `feather` × the face's length, inwards, so that outside the outline all is exactly 0.
    With `framed` the image's border is an edge like the rest, for a crop that ends where a photo goes on.
    """
    mask = np.zeros(shape[:2], np.float32)
    outline = np.float32(cv2.convexHull(_raise_forehead(points, forehead))).reshape(-1, 2)
    if framed:
        outline = _within(outline, shape)
        if len(outline) < 3:
            return mask
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    region = _slice(top, bottom, shape[0]), _slice(left, right, shape[1])
    ramp = np.clip(_depth(outline, region) / (feather * _face_length(points)), 0, 1)
    mask[region] = ramp * ramp * (3 - 2 * ramp)  # no kink where the fade begins or ends
    return mask


def _within(outline: Points, shape: tuple[int, ...]) -> Points:
    """The part of a convex outline inside an image of `shape`, whose outermost pixels are the edge; may be empty."""
    right, bottom = shape[1] - 1, shape[0] - 1
    frame = np.array([(0, 0), (right, 0), (right, bottom), (0, bottom)], np.float32)
    area, part = cv2.intersectConvexConvex(outline, frame)
    return np.float32(cv2.convexHull(part)).reshape(-1, 2) if area > 0 else np.zeros((0, 2), np.float32)


def _depth(outline: Points, region: Region) -> NDArray[np.float32]:
    """How far each pixel of `region` lies inside a convex outline, in pixels; negative outside."""
    y, x = np.ogrid[region]
    along = np.roll(outline, -1, axis=0) - outline
    inwards = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1, keepdims=True)
    inwards *= np.sign(np.sum(inwards * (outline.mean(axis=0) - outline), axis=1, keepdims=True))
    depth = np.full(np.broadcast_shapes(y.shape, x.shape), np.inf, np.float32)
    for (px, py), (nx, ny) in zip(outline, inwards, strict=True):
        np.minimum(depth, np.float32(nx) * (x - px) + np.float32(ny) * (y - py), out=depth)
    return depth


def _face_length(points: Points) -> float:
    return float(np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN]))


def _raise_forehead(points: Points, amount: float) -> Points:
    """Stretch the face above the eyes so that its top moves up by `amount` × the face's length."""
    length = _face_length(points)
    up = (points[FOREHEAD_TOP] - points[CHIN]) / length
    height = points @ up
    eyes = (height[RIGHT_EYE_CORNER] + height[LEFT_EYE_CORNER]) / 2
    above_eyes = np.clip((height - eyes) / (height[FOREHEAD_TOP] - eyes), 0, 1)
    return points + above_eyes[:, None] * (amount * length * up)


def _warp(image: NDArray, matrix: NDArray, width: int, height: int, smooth: bool = False) -> NDArray:
    """Warp by an affine matrix that scales both axes alike. Beyond the border an RGB image repeats it, a mask is 0."""
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 1:  # average first: warping looks at 4×4 pixels however far apart they then lie
        before = image.shape[1], image.shape[0]
        image = cv2.resize(image, [max(1, round(scale * length)) for length in before], interpolation=cv2.INTER_AREA)
        grow = np.array(before) / (image.shape[1], image.shape[0])
        matrix = np.column_stack([matrix[:, :2] * grow, _apply(matrix, (grow - 1) / 2)])
    interpolation = cv2.INTER_LINEAR if image.ndim == 2 or smooth else cv2.INTER_CUBIC
    border = cv2.BORDER_CONSTANT if image.ndim == 2 else cv2.BORDER_REPLICATE
    return cv2.warpAffine(image, matrix, (width, height), flags=interpolation, borderMode=border)


def shrink(image: Image, width: int, height: int) -> Image:
    """`image` in fewer pixels, by averages.

    OpenCV halves many times as fast as it averages by any other factor, so that comes first, as often as it goes. For
    the rest, less than half, two neighbours do: of six photos they came out no farther from Lanczos' than by averages.
    """
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        if image.shape[0] % 2 or image.shape[1] % 2:
            return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        half = image.shape[1] // 2, image.shape[0] // 2
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _apply(matrix: NDArray, points: NDArray) -> NDArray:
    return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]


def _slice(first: float, last: float, length: int) -> slice:
    """The pixels of an axis of `length` pixels that the interval [first, last] touches, one at least."""
    start = min(max(math.floor(first + 0.5), 0), length - 1)
    return slice(start, min(max(math.ceil(last + 0.5), start + 1), length))
