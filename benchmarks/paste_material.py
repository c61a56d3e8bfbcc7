"""Faces whose translation is known to the pixel: what `benchmarks/paste.py` pastes and compares with.

A rendered person comes with the picture a perfect generator would give. In a real photo the face itself is moved, by
how far the landmarks of rendered people move on average from neutral to an emotion: brows, eyes, corners of the mouth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from common.emotions import FIVE
from face_detection import Face, FaceFinder
from imaging.drawing.picture import draw_face
from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Points, Square
from imaging.image_folder import find_images
from imaging.photo import read_photo

NEUTRAL = "neutral"
FIRST_IDENTITY = 9_200_000  # first random seed of the drawn people
MEASURED = 12  # people whose landmarks tell how far an emotion moves a face
GRID = 64  # places a side at which that movement is worked out; between them it is smooth
REACH = 0.02  # in sides of the square: standard deviation over which a landmark moves what is around it
LEFT_CHEEK, LEFT_TEMPLE, RIGHT_TEMPLE = 280, 356, 127  # landmarks of MediaPipe's mesh
EYES = (33, 133, 159, 145), (263, 362, 386, 374)  # each eye's outer corner, inner corner, upper lid, lower lid

UNKNOWN = ("fringe", "glasses", "hand", "hat", "grey")  # to the generator, at times

Pictures = Mapping[str, Image]  # by emotion, `NEUTRAL` among them; all of one size
Change = Callable[[Image], Image]


@dataclass(frozen=True)
class Subject:
    """A face in a photo, and by emotion the photo as it should come back.

    `seen` is what a generator paints that knows no fringe, no glasses, no hand, no hat and no grey.
    """

    name: str
    photo: Image
    face: Face
    answers: Pictures
    seen: Pictures


def drawn_people(count: int) -> Iterator[tuple[str, Pictures]]:
    """People drawn by `draw_faces`."""
    for identity in range(FIRST_IDENTITY, FIRST_IDENTITY + count):
        yield f"drawn {identity}", {emotion: draw_face(identity, emotion, size=384) for emotion in (NEUTRAL, *FIVE)}


def rendered_people(folder: Path, held_out: bool, count: int) -> Iterator[tuple[str, Pictures]]:
    """`count` people of a folder of emotions, in which a person has one file name; val.txt lists those held out."""
    kept_back = set((folder / "val.txt").read_text().split())
    people = [path for path in sorted((folder / NEUTRAL).glob("*.jpg")) if (path.stem in kept_back) == held_out]
    for path in spread(people, count):
        yield path.stem, {emotion: read_photo(folder / emotion / path.name) for emotion in (NEUTRAL, *FIVE)}


def people_subjects(people: Iterator[tuple[str, Pictures]], finder: FaceFinder) -> Iterator[Subject]:
    """The people in turn as they are, and with what real photos have and they lack."""
    for index, (name, pictures) in enumerate(people):
        points = _largest(finder, pictures[NEUTRAL]).points
        treatments = _treatments(points, np.random.default_rng(index))
        treatment = list(treatments)[index % len(treatments)]
        treated = {emotion: treatments[treatment](picture) for emotion, picture in pictures.items()}
        seen = pictures if treatment in UNKNOWN else treated
        faces = [face for face in finder.faces(treated[NEUTRAL]) if face.points is not None]
        if faces:
            yield Subject(f"{name} {treatment}", treated[NEUTRAL], faces[0], treated, seen)


def photo_subjects(
    folders: list[Path], people: Iterator[tuple[str, Pictures]], finder: FaceFinder, count: int
) -> Iterator[Subject]:
    """Up to `count` faces of each folder's photos, moved as the faces of `people` move."""
    movements = _movements(people, finder) if folders else {}
    for folder in folders:
        found = 0
        for path in spread(find_images(folder), count):
            photo = read_photo(path)
            for number, face in enumerate(finder.faces(photo)):
                if face.points is not None and found < count:
                    found += 1
                    answers = {emotion: _moved(photo, face, movement) for emotion, movement in movements.items()}
                    yield Subject(f"{Path(path).stem}:{number}", photo, face, answers, answers)


def spread(items: list, count: int) -> list:
    """`count` of them, evenly."""
    return [items[round(i)] for i in np.linspace(0, len(items) - 1, min(count, len(items)))]


def _largest(finder: FaceFinder, picture: Image) -> Face:
    return next(face for face in finder.faces(picture) if face.points is not None)


def _treatments(points: Points, rng: np.random.Generator) -> dict[str, Change]:
    """By name, changes that leave a person's six pictures as like each other as they were."""
    length = float(np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN]))
    centre = points.mean(axis=0)

    def glasses(picture: Image) -> Image:
        lenses = [(tuple(points[list(eye)].mean(axis=0)), (0.3 * length, 0.24 * length), 0.0) for eye in EYES]
        strokes = [cv2.boxPoints(lens).astype(np.float32) for lens in lenses]
        bridge = np.float32([points[EYES[0][1]], points[EYES[1][1]]])
        sides = [np.float32([points[eye[0]], points[temple]]) for eye, temple in zip(EYES, (127, 356), strict=True)]
        return _lines(picture, [*strokes, bridge, *sides], (25, 22, 28), 0.022 * length, closed=True)

    seed = int(rng.integers(1 << 30))

    def fringe(picture: Image) -> Image:
        strands = np.random.default_rng(seed)
        across = np.linspace(points[RIGHT_TEMPLE, 0], points[LEFT_TEMPLE, 0], 90)
        top = points[FOREHEAD_TOP, 1] - 0.25 * length
        ends = points[[EYES[0][2], EYES[1][2]], 1].min() - 0.1 * length + strands.normal(0, 0.02 * length, 90)
        lean = strands.normal(0, 0.02 * length, 90)
        lines = [np.float32([(x, top), (x + d, end)]) for x, d, end in zip(across, lean, ends, strict=True)]
        return _lines(picture, lines, (42, 30, 24), 0.016 * length, closed=False)

    def hand(picture: Image) -> Image:
        skin = tuple(int(v) for v in np.median(picture[_around(points[LEFT_CHEEK], 0.05 * length)], axis=(0, 1)) * 0.92)
        cheek, below = points[LEFT_CHEEK], points[CHIN] + (0.3 * length, 0.6 * length)
        fingers = [np.float32([cheek + np.float32((0.09, -0.05)) * length * i, below]) for i in range(4)]
        picture = _lines(picture, fingers, tuple(int(0.8 * v) for v in skin), 0.1 * length, closed=False)
        return _lines(picture, fingers, skin, 0.08 * length, closed=False)

    def grey(picture: Image) -> Image:
        return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))

    def tilted(picture: Image) -> Image:
        matrix = cv2.getRotationMatrix2D(tuple(centre.tolist()), 28, 1)
        size = picture.shape[1], picture.shape[0]
        turned = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(turned)

    def of_thirty_pixels(picture: Image) -> Image:
        small = cv2.resize(picture, None, fx=30 / length, fy=30 / length, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.copyMakeBorder(small, 60, 90, 80, 60, cv2.BORDER_REFLECT_101))

    def in_twelve_megapixels(picture: Image) -> Image:
        noise = np.random.default_rng(seed).normal(0, 4, (1200, 1200, 1)).astype(np.float32)
        large = cv2.resize(picture, (1200, 1200), interpolation=cv2.INTER_CUBIC) + noise
        canvas = np.full((3000, 4000, 3), 120, np.uint8)
        canvas[900:2100, 1400:2600] = np.clip(large, 0, 255)
        return canvas

    return {
        "as rendered": lambda picture: picture,
        "glasses": glasses,
        "fringe": fringe,
        "hand": hand,
        "grey": grey,
        "tilted": tilted,
        "30 pixels": of_thirty_pixels,
        "12 MP": in_twelve_megapixels,
        "hat": lambda picture: _hat(picture, points, length),
    }


def _hat(picture: Image, points: Points, length: float) -> Image:
    brim = points[[EYES[0][2], EYES[1][2]], 1].min() - 0.2 * length
    left, right = points[RIGHT_TEMPLE, 0] - 0.12 * length, points[LEFT_TEMPLE, 0] + 0.12 * length
    outline = np.array([(left, brim), (left, brim - length), (right, brim - length), (right, brim)], np.int32)
    return np.asarray(cv2.fillPoly(picture.copy(), [outline], (40, 60, 140), cv2.LINE_AA))


def _lines(picture: Image, lines: list[Points], colour: tuple[int, ...], width: float, closed: bool) -> Image:
    drawn = [np.round(line * 16).astype(np.int32) for line in lines]
    return np.asarray(cv2.polylines(picture.copy(), drawn, closed, colour, max(1, round(width)), cv2.LINE_AA, shift=4))


def _around(point: Points, reach: float) -> tuple[slice, slice]:
    x, y = point.tolist()
    return slice(max(0, int(y - reach)), int(y + reach) + 1), slice(max(0, int(x - reach)), int(x + reach) + 1)


def _frame(points: Points) -> NDArray:
    """The 2×2 matrix from a face's own directions, its length being 1, to the photo's."""
    down = points[CHIN] - points[FOREHEAD_TOP]
    return np.column_stack([(down[1], -down[0]), down])


def _movements(people: Iterator[tuple[str, Pictures]], finder: FaceFinder) -> dict[str, NDArray]:
    """How far each landmark moves from neutral to each emotion, in the face's own directions, on average."""
    moved: dict[str, list[NDArray]] = {emotion: [] for emotion in FIVE}
    for _, pictures in people:
        square = _largest(finder, pictures[NEUTRAL]).square
        meshes = {emotion: finder.mesh(square.cut(picture, 512)) for emotion, picture in pictures.items()}
        rest = meshes[NEUTRAL]
        for emotion in FIVE:
            mesh = meshes[emotion]
            if rest is not None and mesh is not None:
                moved[emotion].append((mesh.points - rest.points) @ np.linalg.inv(_frame(rest.points)).T)
    return {emotion: np.mean(movements, axis=0) for emotion, movements in moved.items()}


def _moved(photo: Image, face: Face, movement: NDArray) -> Image:
    """The photo with the face's pixels moved; what lies far from any landmark stays."""
    assert face.points is not None
    square: Square = replace(face.square, angle=0.0)
    shift = movement @ _frame(face.points).T
    places = square.to_crop(face.points + shift, GRID)
    y, x = np.mgrid[:GRID, :GRID].astype(np.float32)
    reach = REACH * GRID
    apart = (x[..., None] - places[:, 0]) ** 2 + (y[..., None] - places[:, 1]) ** 2
    weight = np.exp(-0.5 * apart / reach**2)
    field = (weight @ shift / (weight.sum(axis=-1, keepdims=True) + 0.3)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), reach)
    rows, columns = square.region(photo.shape)
    back = np.dstack([square.put_back(np.ascontiguousarray(part), photo.shape) for part in cv2.split(field)])
    y, x = np.mgrid[rows, columns].astype(np.float32)
    answer = photo.copy()
    answer[rows, columns] = cv2.remap(
        photo, x - back[..., 0], y - back[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return answer
