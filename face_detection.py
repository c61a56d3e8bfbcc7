"""Find the faces in a photo, and the mesh of each, with MediaPipe. Coordinates are those of `imaging.face_geometry`."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from common import pretrained_files
from imaging.face_geometry import (
    FACE_SIZE,
    LEFT_EYE_CORNER,
    RIGHT_EYE_CORNER,
    Box,
    Image,
    Points,
    Square,
    face_square,
    input_square,
    shrink,
)

VIEW_SIZE = 384  # pixels: what the detectors see of any photo. Their networks' inputs are 192 and 128
CLOSE_UP_SIZE = 256  # pixels: what the detectors see of one face, to place its box
SAME_FACE_OVERLAP = 0.5  # boxes that share more than this of the smaller one are one face
SAME_FACE_SIDES = 3  # but not when one is this many times as long: several people together can pass for one face
MIN_SCORE = 0.5  # lowest detector score of a face seen from near
MIN_SCORE_AFAR = 0.4  # lowest score worth a look from near, where faces at every angle are looked for
MIN_SCORE_SMALL = 0.7  # lowest score, from near, of a face found in a tile: 99 of 100 have more
SETTLING = 2  # looks at a face turned upright, after which its box no longer depends on how the photo was turned
SURE = 0.75  # score from which a box without a mesh is a face all the same
NEAR = 0.25  # a face is near if its box is this long, in shorter sides of the frame
MESH_VIEWS = (1.0, 0.8, 1.3)  # parts of a crop to look at, tried in turn until the landmarker sees the face
MAX_TILES = 32  # along a very long photo
SMALL = 0.15  # in shorter sides of the photo: below this the look at the whole of it begins to overlook faces
TILE_OVERLAP = 0.25  # of neighbouring tiles, so that each face lies whole in one
FINEST = 12  # tiles along the longer side, more or less, at most: a photo of more pixels takes no more time
TURNS = (0, 45, -45, 90, -90, 135, -135, 180)  # degrees: the detectors see faces turned by up to 30 or so
LEANING = (45, -45)  # degrees: as far as a head leans on a body
LYING = (90, -90, 180)  # degrees: how photos lie whose file does not say which side is up


@dataclass(frozen=True)
class Face:
    """A face of a photo: its square, turned as the face is, and its mesh in pixels of the photo.

    `points` is None where the landmarker sees no mesh: then `square` is turned only as the detector says.
    """

    square: Square
    points: Points | None


@dataclass(frozen=True)
class Mesh:
    """A face's 478 landmarks (float32 [478, 2], pixels of the image they were found in), 52 blendshapes in [0, 1].

    `depths`, float32 [478], are in the same pixels, smaller towards the camera.
    """

    points: Points
    depths: Points
    blendshapes: dict[str, float]


class FaceFinder:
    """MediaPipe's two face detectors and its landmarker, made once and kept. Use as a context manager, or `close()`.

    The full-range detector sees small and far faces, the short-range one faces that fill the frame.
    Raises `errors.UserError` when their files can't be had.
    """

    def __init__(self) -> None:
        full_range, short_range, landmarker = (
            pretrained_files.path(name).read_bytes()
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
            and not any(_lies_within(box, sure) for other, sure in found if _outdoes(other, box))
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
        Where that shows no face, or a small one, the photo is searched again in tiles: in 12 megapixels faces from 28
        pixels on, upright, and from 56 at any angle.
        """
        found: list[Box] = []
        for seen in self._looks(image, turned):
            found += seen
            if not far and any(box.side > NEAR * min(image.shape[:2]) for box in seen):
                near = self._confirmed(image, found, turned)
                if near:
                    return near
        confirmed = self._confirmed(image, found, turned)
        if confirmed and confirmed[-1].side > SMALL * min(image.shape[:2]):
            return confirmed
        return self._search_closely(image, confirmed, turned)

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

    def _search_closely(self, image: Image, found: list[Box], turned: bool) -> list[Box]:
        """`found` and the smaller faces that are seen in tiles of the photo.

        All tiles but the smallest are turned, too: as far as heads lean, or, where no face is upright, as photos lie.
        """
        levels = _levels(image)
        found = self._with_small(image, found, [box for level in levels for box in self._in_tiles(level, 0)], turned)
        if not turned:
            return found
        turns = LEANING if found else LYING
        leaning = [box for level in levels[1:] or levels for turn in turns for box in self._in_tiles(level, turn)]
        return self._with_small(image, found, leaning, turned)

    def _with_small(self, image: Image, found: list[Box], seen: list[Box], turned: bool) -> list[Box]:
        """`found` and those of the boxes `seen` in tiles that from near are surely faces: many looks err often."""
        largest = SMALL * min(image.shape[:2])
        small = self._confirmed(image, [box for box in seen if box.side < largest], turned)
        together = _without_duplicates(found + [box for box in small if box.score > MIN_SCORE_SMALL])
        return sorted(together, key=lambda box: box.side, reverse=True)

    def _in_tiles(self, level: Level, turn: float) -> Iterator[Box]:
        """The full-range detector sees the smaller faces there, the short-range one those that fill their picture."""
        for tile in level.tiles:
            picture = replace(tile, angle=turn).cut(level.image, VIEW_SIZE)
            in_photo = Square(*level.to_photo(tile), tile.side * level.scale, turn)
            for detector in (self._full_range, self._short_range):
                yield from _detect(detector, picture, in_photo, bool(turn), MIN_SCORE_AFAR)

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
                mesh = np.array([(point.x, point.y, point.z) for point in result.face_landmarks[0]])
                points = view.to_photo(mesh[:, :2] * FACE_SIZE - 0.5, FACE_SIZE).astype(np.float32)
                depths = (mesh[:, 2] * view.side).astype(np.float32)
                blendshapes = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[0]}
                return Mesh(points, depths, blendshapes)
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
    return scale, shrink(image, max(1, round(scale * width)), max(1, round(scale * height)))


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


@dataclass(frozen=True)
class Level:
    """A photo shrunk by `scale`, and the tiles of VIEW_SIZE pixels that cover it."""

    image: Image
    scale: float
    tiles: list[Square]

    def to_photo(self, tile: Square) -> tuple[float, float]:
        """A tile's centre in the photo."""
        return (tile.cx + 0.5) * self.scale - 0.5, (tile.cy + 0.5) * self.scale - 0.5


def _levels(image: Image) -> list[Level]:
    """The photo in ever fewer pixels, as long as it takes several tiles; the first as large as may be."""
    levels: list[Level] = []
    height, width = image.shape[:2]
    scale = max(1.0, max(height, width) / (FINEST * VIEW_SIZE))
    longest = max(width, height)
    while VIEW_SIZE * scale < longest / 2 or (not levels and longest > VIEW_SIZE):
        size = [max(1, round(length / scale)) for length in (width, height)]
        smaller = shrink(levels[-1].image if levels else image, *size)
        columns, rows = (_tile_centres(length) for length in size)
        levels.append(Level(smaller, scale, [Square(cx, cy, VIEW_SIZE) for cy in rows for cx in columns]))
        scale *= 2
    return levels


def _tile_centres(length: int) -> list[float]:
    """The centres, along one axis, of overlapping tiles from end to end, their edges between pixels."""
    if length <= VIEW_SIZE:
        return [length // 2 - 0.5]
    count = math.ceil((length - VIEW_SIZE) / (VIEW_SIZE * (1 - TILE_OVERLAP))) + 1
    return [round(start) + (VIEW_SIZE - 1) / 2 for start in np.linspace(0, length - VIEW_SIZE, count)]


def _detect(detector: Any, picture: Image, view: Square, turned: bool, min_score: float = MIN_SCORE) -> list[Box]:
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


def _outdoes(one: Box, other: Box) -> bool:
    """Whether of two boxes, one within the other's face, the first is the face.

    It has the better score, or it is a face beyond doubt and far larger: what was seen in tiles, an eye perhaps, was
    looked at more often, and the best look counts.
    """
    return one.score > other.score or (one.score > SURE and one.side > SAME_FACE_SIDES * other.side)


def _lies_within(box: Box, face: Face) -> bool:
    """Whether `box` is a part of `face`: from near an eye can pass for a face, mesh and all."""
    return face.points is not None and cv2.pointPolygonTest(cv2.convexHull(face.points), box.centre, False) >= 0


def media_pipe_image(image: Image) -> Any:
    """uint8 RGB [H, W, 3] as MediaPipe takes it."""
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


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
