"""One photo of a data set: open it, find the face that is meant, store its crop, measure it."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from face_detection import FaceFinder
from imaging import face_geometry
from imaging.face_geometry import Box, Square, crop_face, face_square
from imaging.photo import Photo, PhotoArea, UnreadablePhoto, View
from imaging.soft_border import crop_softly
from preprocessing.aihub import Corners
from preprocessing.likeness import likeness
from preprocessing.output import ManifestRow, Output, left_out
from preprocessing.plan import CropSettings, Task

# A photo is decoded once, small enough to be quick and large enough that the crop of a face which fills a third of
# it needs no second look: decoding a 12-megapixel JPEG takes 20 ms before the first pixel, whatever the size.
FIRST_LOOK = 1500

# Where the annotators say where the face is, decoding ends below it, and the detectors look there alone.
SMALLER = 0.8  # a face this much smaller than the annotators' box needs no second look
MARGIN = 1.05  # how much is decoded, in sides of the crop

SAME_FACE = 0.1  # share of the union: annotators draw their boxes around more or less of the head
CENTRAL = 0.5  # how much of its weight a face loses from the photo's centre to its corner


def crop_photo(task: Task, settings: CropSettings, output: Output) -> ManifestRow:
    """Do one task: its crop is written below `output.folder(task.split)`, whole or not at all."""
    row = left_out(task, "")
    try:
        photo = Photo(task.source.open())
        shows_face = Photo(task.neutral.open()) if task.neutral else photo
        if (shows_face.width, shows_face.height) != (photo.width, photo.height):
            return replace(row, reason="not of the same size as the neutral photo")
        if min(photo.width, photo.height) < settings.min_face:
            return replace(row, reason=f"photo smaller than --min_face ({photo.width} x {photo.height} pixels)")
        view, boxes = find_faces(shows_face, task.box)
        box, box_from = choose_face(boxes, photo.width, photo.height, task.box)
        if box is None:
            return replace(row, faces=0, reason="no face found")
        row = _with_face(row, box, box_from, len(boxes))
        if settings.divides and task.box is None:  # an annotated photo was decoded in part
            row = replace(row, likeness=likeness(view.pixels))
        if box.side < settings.min_face:
            return replace(row, reason="face smaller than --min_face")
        square = face_square(box)
        if task.neutral:
            view = _whole(photo)
        crop = _cut(photo, view, square, settings, settings.align and not task.neutral)
    except UnreadablePhoto as error:
        return replace(row, reason=str(error))
    file = f"{task.emotion}/{task.stem}.{settings.format}"
    _write(crop, output.folder(task.split) / file, output.part(task.split), settings.quality)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return replace(
        row,
        kept=1,
        file=file,
        outside=round(_share_outside(square, photo.width, photo.height), 3),
        clear=_clear_size(square, photo.width, photo.height),
        sharpness=round(deviation.item() ** 2, 1),
        brightness=round(cv2.mean(grey)[0], 1),
    )


def find_faces(photo: Photo, annotated: Corners | None = None) -> tuple[View, list[Box]]:
    """What was decoded of a photo, and the faces there, in full-size pixels.

    Where annotators drew a box, that is the face in it alone if the detectors see one, else every face.
    """
    if annotated is not None and _is_inside(annotated, photo.width, photo.height):
        meant = Box(*annotated, score=0.0)
        square = face_square(meant)
        view = photo.view(face_geometry.FACE_SIZE / (SMALLER * square.side), _bounds(square.centre(MARGIN)))
        if found := _finder().near(view.pixels, _in_view(meant, view)):
            return view, [_in_photo(found, view)]
    view = _whole(photo)
    return view, [_in_photo(box, view) for box in _finder().boxes(view.pixels, far=annotated is not None)]


def _whole(photo: Photo) -> View:
    """The whole photo, small enough to be quick."""
    pixels = photo.pixels(FIRST_LOOK / max(photo.width, photo.height))
    return View(pixels, pixels.shape[1] / photo.width)


def choose_face(boxes: list[Box], width: int, height: int, annotated: Corners | None = None) -> tuple[Box | None, str]:
    """The face a photo is about, and who found it ("detector" or "annotators").

    With an annotators' box inside the photo that is the detected face it overlaps most, or the box itself where it
    overlaps none; otherwise the largest and most central face.
    """
    if annotated is not None and _is_inside(annotated, width, height):
        meant = Box(*annotated, score=0.0)
        best = max(boxes, key=lambda box: overlap(box, meant), default=meant)
        return (best, "detector") if best is not meant and overlap(best, meant) >= SAME_FACE else (meant, "annotators")

    def weight(box: Box) -> float:
        off_centre = math.dist(box.centre, (width / 2, height / 2)) / (math.hypot(width, height) / 2)
        return box.side * (1 - CENTRAL * off_centre)

    return max(boxes, key=weight, default=None), "detector"


def overlap(a: Box, b: Box) -> float:
    """The part of two boxes' union that both cover, 0 to 1."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


@functools.cache
def _finder() -> FaceFinder:
    """This process's detectors, kept alive for all its photos."""
    return FaceFinder()


def _cut(photo: Photo, view: View, square: Square, settings: CropSettings, align: bool) -> np.ndarray:
    """The 512×512 crop of `square` (in full-size pixels), from what was decoded where that is enough."""
    needed = min(1.0, face_geometry.FACE_SIZE / square.side)
    region = _bounds(square.centre(math.sqrt(2) if align else 1))  # it may be turned
    if view.scale < needed or not view.holds(region, photo):
        view = photo.view(needed, region)
    (cx, cy), side = _point_in_view(square.cx, square.cy, view), square.side * view.scale
    square = Square(cx, cy, side)
    cut = crop_softly if settings.border == "soft" else crop_face
    crop = cut(view.pixels, square.snapped())
    if align and (mesh := _finder().mesh(crop)):
        right, left = mesh.points[[face_geometry.RIGHT_EYE_CORNER, face_geometry.LEFT_EYE_CORNER]]
        crop = cut(view.pixels, replace(square, angle=math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))))
    return crop


def _share_outside(square: Square, width: int, height: int) -> float:
    """The share of an upright square that lies beyond the edges of the photo, 0 to 1."""
    half = square.side / 2
    inside_x = min(square.cx + half, width - 0.5) - max(square.cx - half, -0.5)
    inside_y = min(square.cy + half, height - 0.5) - max(square.cy - half, -0.5)
    return max(0.0, 1 - max(0.0, inside_x) * max(0.0, inside_y) / square.side**2)


def _clear_size(square: Square, width: int, height: int) -> int:
    """The largest centre of the 512 pixels of an upright square that lies within the photo, to a pixel of the photo."""
    to_edge = min(square.cx, width - 1 - square.cx, square.cy, height - 1 - square.cy) + 1.5
    share = min(1.0, max(0.0, 2 * to_edge / square.side))
    return int(face_geometry.FACE_SIZE * share)


def _bounds(square: Square) -> PhotoArea:
    """The edges of an upright square."""
    half = square.side / 2
    return square.cx - half, square.cy - half, square.cx + half, square.cy + half


def _point_in_view(x: float, y: float, view: View) -> tuple[float, float]:
    """A point of the photo in pixels of what was decoded: pixel centres lie at whole numbers in both."""
    return (x + 0.5 - view.left) * view.scale - 0.5, (y + 0.5 - view.top) * view.scale - 0.5


def _in_view(box: Box, view: View) -> Box:
    return Box(*_point_in_view(box.x0, box.y0, view), *_point_in_view(box.x1, box.y1, view), box.score)


def _in_photo(box: Box, view: View) -> Box:
    x0, y0, x1, y1 = ((value + 0.5) / view.scale - 0.5 for value in (box.x0, box.y0, box.x1, box.y1))
    return Box(x0 + view.left, y0 + view.top, x1 + view.left, y1 + view.top, box.score)


def _is_inside(corners: Corners, width: int, height: int) -> bool:
    x0, y0, x1, y1 = corners
    return 0 <= (x0 + x1) / 2 < width and 0 <= (y0 + y1) / 2 < height


def _with_face(row: ManifestRow, box: Box, box_from: str, faces: int) -> ManifestRow:
    return replace(
        row,
        x0=round(box.x0, 1),
        y0=round(box.y0, 1),
        x1=round(box.x1, 1),
        y1=round(box.y1, 1),
        box_from=box_from,
        score=round(box.score, 3) if box_from == "detector" else "",
        faces=faces,
        face_size=round(box.side, 1),
    )


def _write(crop: np.ndarray, file: Path, part: Path, quality: int) -> None:
    """Write a crop under another name first: a crop that is there is whole."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if file.suffix == ".jpg" else []
    _, data = cv2.imencode(file.suffix, cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), parameters)
    file.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(data.tobytes())
    part.replace(file)
