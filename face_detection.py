"""Faces in a photo: find them, cut them out, put them back, mesh, mask and blend. One geometry for training and use.

Coordinates: x to the right, y down, in pixels, the centre of the first pixel being (0, 0), as OpenCV has it. A photo
of width 100 therefore reaches from -0.5 to 99.5. Images are uint8 RGB [height, width, 3] in [0, 255].
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

import weights

FACE_SIZE = 512  # pixels: side of a stored face crop
CROP_SIZE = 448  # pixels: side of the centre of it that the networks see

# The face square in units of the detector's box, which spans 0.92 of the mesh's height (median of 128 faces). With
# these, 512 holds the hair and the neck's beginning, and the centre 448 the whole face with room for a dropped jaw.
HEAD_ROOM = 1.75
LIFT = 0.1

VIEW_SIZE = 384  # pixels: what the detectors see of any photo. Their networks' inputs are 192 and 128
CLOSE_UP_SIZE = 256  # pixels: what the detectors see of one face, to place its box
SAME_FACE_OVERLAP = 0.5  # boxes that share more than this of the smaller one are one face
SAME_FACE_SIDES = 3  # but not when one is this many times as long: several people together can pass for one face
MIN_SCORE = 0.5  # of a face seen from near
MIN_SCORE_AFAR = 0.4  # of one worth a look from near, where faces at every angle are looked for
SETTLING = 2  # looks at a face turned upright, after which its box no longer depends on how the photo was turned
SURE = 0.75  # score from which a box without a mesh is a face all the same
NEAR = 0.25  # of the frame's shorter side: a face whose box is that long is near
MESH_VIEWS = (1.0, 0.8, 1.3)  # of a crop, tried in turn until the landmarker sees the face in it
MAX_TILES = 32  # along a very long photo
TURNS = (0, 45, -45, 90, -90, 135, -135, 180)  # degrees: the detectors see faces turned by up to 30 or so

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
            return _shrink(self._with_border(photo), size, size)
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

    def put_back(self, crop: NDArray, shape: tuple[int, ...], region: Region | None = None) -> NDArray:
        """Warp a square crop back to its place in a photo of `shape`: the pixels of `region`, or of `region(shape)`.

        An RGB crop goes on beyond its own border; a mask (float [S, S]) is 0 there.
        """
        rows, columns = region or self.region(shape)
        matrix = cv2.invertAffineTransform(self.matrix(crop.shape[0]))
        matrix[:, 2] -= columns.start, rows.start
        return _warp(crop, matrix, columns.stop - columns.start, rows.stop - rows.start)


@dataclass(frozen=True)
class Face:
    """A face of a photo: its square, turned as the face is, and its mesh in pixels of the photo.

    `points` is None where the landmarker sees no mesh: then `square` is turned only as the detector says.
    """

    square: Square
    points: Points | None


@dataclass(frozen=True)
class Mesh:
    """A face's 478 landmarks (float32 [478, 2], pixels of the image they were found in), 52 blendshapes in [0, 1]."""

    points: Points
    blendshapes: dict[str, float]


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


def face_mask(points: Points, shape: tuple[int, ...], forehead: float = 0.2, feather: float = 0.1) -> Mask:
    """The inside of a face mesh as float32 [height, width] in [0, 1] for an image of `shape`.

    The forehead is raised by `forehead` × the face's length: an angry brow moves down, and the old one would show
    above it. The edge fades over `feather` × the face's length, inwards, so that outside the outline all is exactly 0.
    """
    outline = np.float32(cv2.convexHull(_raise_forehead(points, forehead))).reshape(-1, 2)
    mask = np.zeros(shape[:2], np.float32)
    (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
    region = _slice(top, bottom, shape[0]), _slice(left, right, shape[1])
    ramp = np.clip(_depth(outline, region) / (feather * _face_length(points)), 0, 1)
    mask[region] = ramp * ramp * (3 - 2 * ramp)  # no kink where the fade begins or ends
    return mask


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


def blend(photo: Image, generated: Image, mask: Mask) -> Image:
    """`generated` over `photo` (both [height, width, 3]) where `mask` says; where it is 0 the photo's very pixels."""
    weight = mask[..., None]
    return np.rint(photo * (1 - weight) + generated * weight).astype(np.uint8)


class FaceFinder:
    """MediaPipe's two face detectors and its landmarker, made once and kept. Use as a context manager, or `close()`.

    The full-range detector sees small and far faces, the short-range one faces that fill the frame.
    Raises `errors.UserError` when their files can't be had.
    """

    def __init__(self) -> None:
        full_range, short_range, landmarker = (
            weights.path(name).read_bytes()
            for name in ("face_detector_full_range", "face_detector_short_range", "face_landmarker")
        )
        with native_log_muted():
            from mediapipe.tasks.python import BaseOptions, vision

            self._full_range, self._short_range = (
                vision.FaceDetector.create_from_options(
                    vision.FaceDetectorOptions(
                        BaseOptions(model_asset_buffer=detector), min_detection_confidence=MIN_SCORE_AFAR
                    )
                )
                for detector in (full_range, short_range)
            )
            self._landmarker = vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(BaseOptions(model_asset_buffer=landmarker), output_face_blendshapes=True)
            )
            blank = np.zeros((CLOSE_UP_SIZE, CLOSE_UP_SIZE, 3), np.uint8)  # the first run has more to log
            self.boxes(blank)
            self.mesh(blank)

    def faces(self, image: Image) -> list[Face]:
        """Every face of `image`, largest first, at whatever angle, with its mesh."""
        found = [(box, self._face(image, box)) for box in self.boxes(image, turned=True)]
        return [
            face
            for box, face in found
            if (face.points is not None or box.score > SURE)
            and not any(_lies_within(box, sure) for other, sure in found if other.score > box.score)
        ]

    def _face(self, image: Image, box: Box) -> Face:
        square = input_square(face_square(box))
        mesh = self.mesh(square.cut(image, FACE_SIZE))
        if mesh is None:
            return Face(face_square(box), None)
        points = square.to_photo(mesh.points, FACE_SIZE).astype(np.float32)
        upright = replace(box, angle=_roll(points[RIGHT_EYE_CORNER], points[LEFT_EYE_CORNER]))
        for _ in range(SETTLING):
            upright = self._look_again(image, upright, turned=False) or upright
        return Face(face_square(upright), points)

    def boxes(self, image: Image, far: bool = True, turned: bool = False) -> list[Box]:
        """Every face of `image`, largest first, both detectors' findings merged.

        With `far` False the search ends, at a third of the time, once a face fills enough of the frame: what may be
        missing then is farther away. With `turned` faces at every angle are looked for, and the boxes turned with them.
        """
        found: list[Box] = []
        for seen in self._looks(image, turned):
            found += seen
            if not far and any(box.side > NEAR * min(image.shape[:2]) for box in seen):
                near = self._confirmed(image, found, turned)
                if near:
                    return near
        return self._confirmed(image, found, turned)

    def near(self, image: Image, box: Box) -> Box | None:
        """The face that `box` is around, more or less, as seen from near; None where the detectors see none."""
        return self._look_again(image, box, turned=False)

    def _looks(self, image: Image, turned: bool) -> Iterator[list[Box]]:
        """What each detector sees in each view of the photo, the quickest first."""
        scale, small = _small(image)
        height, width = small.shape[:2]
        for turn in TURNS if turned else TURNS[:1]:
            upright = _views(width, height) if turn == 0 else [_whole(width, height)]
            for view in (replace(square, angle=turn).snapped() for square in upright):
                picture = view.cut(small, VIEW_SIZE)
                cx, cy = ((c + 0.5) / scale - 0.5 for c in (view.cx, view.cy))
                in_photo = Square(cx, cy, view.side / scale, turn)
                for detector in (self._short_range, self._full_range):
                    yield _detect(detector, picture, in_photo, turned, MIN_SCORE_AFAR if turned else MIN_SCORE)

    def _confirmed(self, image: Image, found: list[Box], turned: bool) -> list[Box]:
        """The boxes that a look from near confirms, each face once, largest first."""
        looked_at_again = (self._look_again(image, box, turned) for box in _without_duplicates(found))
        confirmed = [box for box in looked_at_again if box]
        return sorted(_without_duplicates(confirmed), key=lambda box: box.side, reverse=True)

    def _look_again(self, image: Image, box: Box, turned: bool) -> Box | None:
        """The box as seen from near: from afar the detectors' boxes differ by up to 40 %, and some are no face."""
        close_up = Square(*box.centre, 2 * box.side, box.angle).snapped()
        picture = close_up.cut(image, CLOSE_UP_SIZE)
        for detector in (self._short_range, self._full_range):
            near = [
                again
                for again in _detect(detector, picture, close_up, turned)
                if math.dist(again.centre, box.centre) < box.side / 2 < again.side
            ]
            if near:
                nearest = min(near, key=lambda again: math.dist(again.centre, box.centre))
                return replace(nearest, score=max(nearest.score, box.score))
        return None

    def mesh(self, image: Image) -> Mesh | None:
        """The mesh of the face in `image`, a crop of one face (1.5 to 3 times its box); None where none is found."""
        whole = _whole(image.shape[1], image.shape[0])
        for fraction in MESH_VIEWS:
            view = whole.centre(fraction)
            result = self._landmarker.detect(media_pipe_image(view.cut(image, FACE_SIZE)))
            if result.face_landmarks:
                points = np.array([(point.x, point.y) for point in result.face_landmarks[0]]) * FACE_SIZE - 0.5
                blendshapes = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[0]}
                return Mesh(view.to_photo(points, FACE_SIZE).astype(np.float32), blendshapes)
        return None

    def close(self) -> None:
        """Free the networks; a second call does nothing. Left to Python's exit, MediaPipe fails at it noisily."""
        with native_log_muted():
            for task in (self._full_range, self._short_range, self._landmarker):
                task.close()

    def __enter__(self) -> FaceFinder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _whole(width: int, height: int) -> Square:
    return Square((width - 1) / 2, (height - 1) / 2, max(width, height))


def _small(image: Image) -> tuple[float, Image]:
    """`image` shrunk to what the detectors can see of it, and by what scale: cutting many views is then quick."""
    height, width = image.shape[:2]
    long, short = max(width, height), min(width, height)
    scale = min(1.0, VIEW_SIZE / (short if long > 2 * short else long))
    return scale, _shrink(image, max(1, round(scale * width)), max(1, round(scale * height)))


def _views(width: int, height: int) -> Iterator[Square]:
    """What to show the detectors: the whole photo, the photo with a border, and pieces along a very long one.

    The full-range detector overlooks faces that fill the frame; the border makes them smaller.
    """
    long, short = max(width, height), min(width, height)
    whole = _whole(width, height)
    yield whole
    yield whole.centre(2)
    if long > 2 * short:
        tiles = min(MAX_TILES, math.ceil(2 * long / short))
        for place in np.linspace(short / 2, long - short / 2, tiles) - 0.5:
            cx, cy = (place, whole.cy) if width > height else (whole.cx, place)
            yield Square(cx, cy, 1.2 * short)


def _detect(detector, picture: Image, view: Square, turned: bool, min_score: float = MIN_SCORE) -> list[Box]:
    """The detector's boxes in `picture`, the square crop of `view`, as boxes of the whole image.

    They are turned as `view` is, and where `turned` says so on to the line of the eyes.
    """
    scale = view.side / picture.shape[0]
    boxes = []
    for detection in detector.detect(media_pipe_image(picture)).detections:
        score = float(detection.categories[0].score)
        if score < min_score:
            continue
        box = detection.bounding_box
        centre = (box.origin_x + box.width / 2 - 0.5, box.origin_y + box.height / 2 - 0.5)
        ((cx, cy),) = view.to_photo(np.array([centre]), picture.shape[0]).tolist()
        width, height = box.width * scale / 2, box.height * scale / 2
        right_eye, left_eye = ((eye.x, eye.y) for eye in detection.keypoints[:2])
        angle = view.angle + (_roll(right_eye, left_eye) if turned else 0)
        boxes.append(Box(cx - width, cy - height, cx + width, cy + height, score, angle))
    return boxes


def _roll(right_eye: Sequence[float] | Points, left_eye: Sequence[float] | Points) -> float:
    """By how many degrees a face is turned clockwise whose eyes these are."""
    return math.degrees(math.atan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0]))


def _without_duplicates(boxes: list[Box]) -> list[Box]:
    """Of boxes that overlap, the one with the best score; eyeglasses within a face pass for a smaller one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.score, reverse=True):
        if all(_overlap(box, better) < SAME_FACE_OVERLAP for better in kept):
            kept.append(box)
    return kept


def _overlap(a: Box, b: Box) -> float:
    """The area two boxes share, as a fraction of the smaller one's; 0 where they are of quite different sizes."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    if max(a.side, b.side) > SAME_FACE_SIDES * min(a.side, b.side):
        return 0.0
    return max(0.0, width) * max(0.0, height) / min(a.width * a.height, b.width * b.height)


def _lies_within(box: Box, face: Face) -> bool:
    """Whether `box` is a part of `face`: from near an eye can pass for a face, mesh and all."""
    return face.points is not None and cv2.pointPolygonTest(cv2.convexHull(face.points), box.centre, False) >= 0


def media_pipe_image(image: Image):
    """uint8 RGB [H, W, 3] as MediaPipe takes it."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


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


def _warp(image: NDArray, matrix: NDArray, width: int, height: int) -> NDArray:
    """Warp by an affine matrix that scales both axes alike. Beyond the border an RGB image repeats it, a mask is 0."""
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if scale < 1:  # average first: warping looks at 4×4 pixels however far apart they then lie
        before = image.shape[1], image.shape[0]
        image = cv2.resize(image, [max(1, round(scale * length)) for length in before], interpolation=cv2.INTER_AREA)
        grow = np.array(before) / (image.shape[1], image.shape[0])
        matrix = np.column_stack([matrix[:, :2] * grow, _apply(matrix, (grow - 1) / 2)])
    interpolation, border = (
        (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT) if image.ndim == 2 else (cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)
    )
    return cv2.warpAffine(image, matrix, (width, height), flags=interpolation, borderMode=border)


def _shrink(image: Image, width: int, height: int) -> Image:
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


@contextlib.contextmanager
def native_log_muted() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: MediaPipe's C++ logs there whatever the environment says.

    Errors still arrive, as Python exceptions.
    """
    stderr = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
