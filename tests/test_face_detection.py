"""Finding faces, the crop geometry and its inverse, the mask and the blend: on drawn faces and one real photo."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from apps.portrait import portrait as apps_portrait
from common import emotions
from face_detection import Face, FaceFinder, Mesh
from imaging.drawing.picture import draw_face
from imaging.face_geometry import FACE_SIZE, Box, Square, crop_face, face_mask, face_square, input_square

SQUARES = [
    Square(150, 110, 120),
    Square(140.3, 97.6, 83.7, 20),
    Square(160, 120, 60, -75),
    Square(10, 230, 100, 5),
    Square(139.7, 98.2, 161.4).snapped(),
    Square(10, 230, 100).snapped(),
]


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as made_once:
        yield made_once


@pytest.fixture(scope="module")
def portrait() -> NDArray:
    """A real photo of one person (Grace Hopper, public domain), shipped with matplotlib, which MediaPipe needs."""
    import matplotlib

    file = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.fixture(scope="module")
def mesh_in_crop(finder: FaceFinder, portrait: NDArray) -> tuple[NDArray, Mesh]:
    crop = crop_face(portrait, face_square(finder.boxes(portrait)[0]))
    mesh = finder.mesh(crop)
    assert mesh is not None
    return crop, mesh


def draw_dot(shape: tuple[int, int], x: float, y: float) -> NDArray:
    rows, columns = np.indices(shape)
    dot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2))
    return np.repeat(dot[..., None], 3, axis=2).astype(np.uint8)


def centre_of_light(image: NDArray) -> tuple[float, float]:
    light = image[..., 0].astype(float)
    rows, columns = np.indices(light.shape)
    return (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()


@pytest.mark.parametrize("square", SQUARES)
@pytest.mark.parametrize("size", [40, 256])
def test_crop_and_its_inverse_keep_a_pixels_place(square: Square, size: int) -> None:
    photo_shape = (240, 320)
    x, y = square.to_photo(np.array([(0.62 * size, 0.41 * size)]), size)[0]
    crop = square.cut(draw_dot(photo_shape, x, y), size)
    pixel = max(1, size / square.side)  # one pixel of the photo, in the crop
    assert math.dist(centre_of_light(crop), (0.62 * size, 0.41 * size)) < 0.25 * pixel

    rows, columns = square.region(photo_shape)
    back = np.zeros((*photo_shape, 3), np.uint8)
    back[rows, columns] = square.put_back(crop, photo_shape)
    assert math.dist(centre_of_light(back), (x, y)) < 0.25 * max(1, square.side / size)


@pytest.mark.parametrize("square", SQUARES)
def test_points_go_to_the_crop_and_back(square: Square) -> None:
    points = np.array([(0.0, 0.0), (310.5, 20.25), (7.0, 239.0)])
    assert np.allclose(square.to_photo(square.to_crop(points, 512), 512), points)


def test_an_aligned_square_is_copied_bit_by_bit() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (100, 120, 3), np.uint8)
    square = Square(49.5, 39.5, 60)  # columns 20 to 79, rows 10 to 69
    crop = square.cut(photo, 60)
    assert np.array_equal(crop, photo[10:70, 20:80])
    assert np.array_equal(square.put_back(crop, photo.shape), photo[square.region(photo.shape)])


def test_a_snapped_square_has_whole_pixels_and_lies_where_it_lay() -> None:
    square = Square(139.7, 98.2, 161.4)
    snapped = square.snapped()
    edges = np.array([snapped.cx - snapped.side / 2, snapped.cy - snapped.side / 2]) + 0.5
    assert (edges == edges.round()).all() and snapped.side % 2 == 0
    assert max(abs(snapped.cx - square.cx), abs(snapped.cy - square.cy)) <= 0.5 and abs(snapped.side - 161.4) <= 1
    assert replace(square, angle=3.0).snapped() == replace(square, angle=3.0)


def test_a_square_far_larger_than_the_photo_is_cut_without_filling_the_memory() -> None:
    assert (Square(49.5, 49.5, 1_000_000).cut(np.full((100, 100, 3), 7, np.uint8), 64) == 7).all()


def test_shrinking_averages() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    for angle in (0, 30):
        crop = Square(255.5, 255.5, 300, angle).cut(stripes, 64)
        assert abs(int(crop.min()) - 128) < 40 and abs(int(crop.max()) - 128) < 40


def test_beyond_the_border_pixels_repeat_and_nothing_is_squeezed() -> None:
    photo = np.full((50, 80, 3), 200, np.uint8)
    assert (Square(0, 0, 60).cut(photo, 128) == 200).all()
    assert (Square(-500, -500, 60).cut(photo, 128) == 200).all()
    circle: NDArray = cv2.circle(np.zeros((50, 80, 3), np.uint8), (10, 25), 8, (255, 255, 255), -1)
    rows, columns = np.nonzero(Square(10, 25, 40).cut(circle, 400)[..., 0] > 127)
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)


def test_a_12_megapixel_photo_is_touched_only_where_the_face_is() -> None:
    rows, columns = Square(2000, 1500, 300, 45).region((3000, 4000, 3))
    assert rows.stop - rows.start < 430 and columns.stop - columns.start < 430


def test_training_and_use_see_the_same_pixels(portrait: NDArray) -> None:
    square = face_square(Box(200, 70, 330, 200, 1.0))
    stored = crop_face(portrait, square)
    assert stored.shape == (FACE_SIZE, FACE_SIZE, 3)
    seen_in_training = stored[32:480, 32:480]
    seen_in_use = input_square(square).cut(portrait, 448)
    assert np.abs(seen_in_training.astype(int) - seen_in_use).max() <= 2


def test_the_face_square_grows_with_the_box() -> None:
    small, large = (face_square(Box(0, 0, side, side, 1.0)) for side in (100, 200))
    assert large.side == 2 * small.side and large.cy == 2 * small.cy


def test_drawn_faces_of_every_emotion_are_found_whole(finder: FaceFinder) -> None:
    for identity in range(4):
        for emotion in emotions.EMOTIONS:
            image = draw_face(identity, emotion)
            boxes = finder.boxes(image)
            assert len(boxes) == 1, f"{len(boxes)} faces in identity {identity}, {emotion}"
            mesh = finder.mesh(input_square(face_square(boxes[0])).cut(image, 448))
            assert mesh is not None and mesh.points.shape == (478, 2) and len(mesh.blendshapes) == 52
            assert mesh.points.min() > 0 and mesh.points.max() < 447, "the centre of the crop cuts the face"


def test_a_mesh_tells_happy_from_sad(finder: FaceFinder) -> None:
    smile = {}
    for emotion in ("happy", "sadness"):
        mesh = finder.mesh(draw_face(1, emotion))
        assert mesh is not None
        smile[emotion] = mesh.blendshapes["mouthSmileLeft"] + mesh.blendshapes["mouthSmileRight"]
    assert smile["happy"] > smile["sadness"] + 0.3


def test_a_mesh_lies_on_the_same_pixels_whatever_the_crop(finder: FaceFinder, portrait: NDArray) -> None:
    square = face_square(finder.boxes(portrait)[0])
    places = []
    for part, size in ((square, 512), (square.centre(0.8), 200), (square.centre(1.3), 701)):
        mesh = finder.mesh(part.cut(portrait, size))
        assert mesh is not None
        places.append(part.to_photo(mesh.points, size))
    for place in places[1:]:
        assert np.linalg.norm(place - places[0], axis=1).mean() < 0.02 * square.side


def test_a_real_face_near_and_far_grey_and_tiny(finder: FaceFinder, portrait: NDArray) -> None:
    (box,) = finder.boxes(portrait)
    grey: NDArray = np.repeat(cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    (of_grey,) = finder.boxes(grey)
    assert math.dist(of_grey.centre, box.centre) < 0.1 * box.side

    filling_the_frame = Square(*box.centre, box.side).cut(portrait, 300)
    assert len(finder.boxes(filling_the_frame)) == 1

    far = np.full((2400, 3600, 3), 90, np.uint8)
    far[1200 : 1200 + portrait.shape[0], 2500 : 2500 + portrait.shape[1]] = portrait
    (of_far,) = finder.boxes(far)
    assert math.dist(of_far.centre, np.add(box.centre, (2500, 1200))) < 0.2 * box.side

    tiny: NDArray = cv2.resize(filling_the_frame, (30, 30), interpolation=cv2.INTER_AREA)
    assert len(finder.boxes(tiny)) == 1


def test_several_faces_come_largest_first(finder: FaceFinder) -> None:
    photo = np.full((600, 1600, 3), 120, np.uint8)
    photo[50:306, 40:296] = draw_face(3, "happy", size=256)
    photo[40:552, 700:1212] = draw_face(4, "angry", size=512)
    boxes = finder.boxes(photo)
    assert [round(box.centre[0] / 100) for box in boxes] == pytest.approx([10, 2], abs=1)
    near = finder.boxes(photo, far=False)
    assert math.dist(near[0].centre, boxes[0].centre) < 0.1 * boxes[0].side


def group_photo(count: int, size: int, width: int, height: int) -> tuple[NDArray, NDArray]:
    """A picture of `count` drawn heads in rows, and where their centres are [count, 2]."""
    photo = np.full((height, width, 3), 120, np.uint8)
    columns = math.ceil(math.sqrt(count * width / height))
    cell_x, cell_y = width / columns, height / math.ceil(count / columns)
    heads = [draw_face(identity, emotion, size=size) for identity, emotion in enumerate(emotions.EMOTIONS)]
    corners = [(int(n % columns * cell_x), int(n // columns * cell_y)) for n in range(count)]
    for number, (x, y) in enumerate(corners):
        photo[y : y + size, x : x + size] = heads[number % len(heads)]
    return photo, np.array(corners) + size / 2


def found_of(centres: NDArray, faces: list[Face], size: int) -> int:
    """How many heads have a face; no face may lie elsewhere, and none twice."""
    places = np.array([(face.square.cx, face.square.cy) for face in faces]).reshape(-1, 1, 2)
    on_head = np.abs(places - centres).max(axis=2) < size / 2
    assert (on_head.sum(axis=1) == 1).all() and on_head.sum(axis=0).max() == 1
    return int(on_head.sum())


@pytest.mark.parametrize(
    ("count", "size", "width", "height", "least"),
    [
        (24, 200, 3000, 2000, 24),
        (30, 200, 3000, 2000, 30),
        (1, 128, 3000, 2000, 1),
        (100, 150, 1500, 1500, 95),
    ],
)
def test_everybody_in_a_group_photo_is_found(
    finder: FaceFinder, count: int, size: int, width: int, height: int, least: int
) -> None:
    photo, centres = group_photo(count, size, width, height)
    with_mesh = [face for face in finder.faces(photo) if face.points is not None]
    assert found_of(centres, with_mesh, size) >= least


def test_a_group_photo_that_lies_on_its_side(finder: FaceFinder) -> None:
    photo, centres = group_photo(12, 200, 2400, 1600)
    lying = np.ascontiguousarray(np.rot90(photo))
    turned_centres = np.column_stack([centres[:, 1], 2400 - centres[:, 0]])
    assert found_of(turned_centres, finder.faces(lying), 200) == 12


def test_a_portrait_is_not_searched_for_small_faces(finder: FaceFinder, portrait: NDArray) -> None:
    """That would take many times as long; a small face beside the near one is reason enough, though."""
    searched = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            FaceFinder, "_search_closely", lambda _, image, found, turned: searched.append(len(found)) or found
        )
        finder.faces(portrait)
        assert searched == []
        finder.faces(group_photo(24, 200, 3000, 2000)[0])
        assert len(searched) == 1


def test_a_face_in_a_very_long_picture(finder: FaceFinder, portrait: NDArray) -> None:
    scroll = np.full((6000, portrait.shape[1], 3), 128, np.uint8)
    scroll[4100 : 4100 + portrait.shape[0]] = portrait
    (box,) = finder.boxes(scroll)
    assert 4100 < box.centre[1] < 4100 + portrait.shape[0] / 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (5000, 3), (31, 17), (200, 200)])
def test_no_face_no_box(finder: FaceFinder, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert finder.boxes(noise) == []
    assert finder.mesh(noise) is None


def test_the_mask_covers_the_face_and_the_raised_forehead_only(mesh_in_crop: tuple[NDArray, Mesh]) -> None:
    crop, mesh = mesh_in_crop
    mask = face_mask(mesh.points, crop.shape)
    assert mask.dtype == np.float32 and mask.shape == crop.shape[:2]
    assert mask.min() == 0 and mask.max() == 1
    brows, nose, mouth, forehead_top, chin = mesh.points[[105, 1, 13, 10, 152]]
    for inside in (brows, nose, mouth):
        assert mask[round(float(inside[1])), round(float(inside[0]))] == 1
    length = float(np.linalg.norm(forehead_top - chin))
    rows = np.nonzero(mask.any(axis=1))[0]
    assert rows[0] == pytest.approx(forehead_top[1] - 0.2 * length, abs=3)
    assert rows[-1] == pytest.approx(chin[1], abs=3)
    assert np.abs(np.diff(mask, axis=0)).max() < 0.1, "the edge is a step"


def test_the_feather_is_in_proportion_to_the_face(mesh_in_crop: tuple[NDArray, Mesh]) -> None:
    _, mesh = mesh_in_crop
    faded = [
        np.count_nonzero((mask > 0) & (mask < 1)) / np.count_nonzero(mask)
        for mask in (face_mask(mesh.points * scale, (int(512 * scale),) * 2) for scale in (0.5, 1, 3))
    ]
    assert faded == pytest.approx([faded[1]] * 3, rel=0.05)


def test_a_face_at_the_frames_edge_does_not_fade_there(mesh_in_crop: tuple[NDArray, Mesh]) -> None:
    crop, mesh = mesh_in_crop
    left_of_nose = mesh.points - (mesh.points[1, 0], 0)
    mask = face_mask(left_of_nose.astype(np.float32), crop.shape)
    assert mask[round(float(mesh.points[1, 1])), 0] == 1
    assert face_mask(mesh.points + np.float32(5000), crop.shape).max() == 0


def test_a_mask_put_back_into_a_photo_is_zero_beyond_the_crop() -> None:
    square = Square(100, 80, 90, 33)
    back = square.put_back(np.ones((64, 64), np.float32), (200, 200))
    rows, columns = square.region((200, 200))
    photo_mask = np.zeros((200, 200), np.float32)
    photo_mask[rows, columns] = back
    assert photo_mask.sum() == pytest.approx(90 * 90, rel=0.02)
    assert photo_mask[80, 100] == 1 and back[0, 0] == 0


def test_media_pipe_writes_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with FaceFinder() as fresh:
        image = draw_face(0, "happy")
        assert fresh.boxes(image) and fresh.mesh(image)
    assert capfd.readouterr().err == ""


def test_the_installed_media_pipe_reports_to_nobody() -> None:
    """Photos are of children. MediaPipe from 0.10.35 on sends usage figures to its maker and can't be told not to."""
    spec = importlib.util.find_spec("mediapipe")
    assert spec is not None and spec.origin is not None
    libraries = [
        file for file in Path(spec.origin).parent.rglob("*") if file.suffix in (".so", ".dylib", ".dll", ".pyd")
    ]
    assert libraries
    with_upload_address = [library.name for library in libraries if b"play.googleapis.com/log" in library.read_bytes()]
    assert not with_upload_address


@pytest.mark.parametrize("angle", [0, 20, -90])
@pytest.mark.parametrize("centre", [(10, 15), (290, 190), (150, 100)])
def test_a_square_for_showing_is_moved_into_the_photo(centre: tuple[int, int], angle: int) -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    photo[[0, -1]] = photo[:, [0, -1]] = 255  # what a square that leaves the photo would repeat
    inside = Square(*centre, 120, angle).within(photo.shape, 0.85)
    assert inside.side == 120
    assert (inside.cut(photo, 60) == 255).all(axis=(1, 2)).sum() <= 1
    assert inside.centre(0.99).cut(photo, 60).mean() < 20


@pytest.mark.parametrize("centre", [(30, 40), (270, 160)])
def test_the_apps_portrait_of_a_head_at_the_photos_border_is_not_smeared(centre: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    head = Face(Square(*centre, 110), None)
    shown = apps_portrait(photo, head, 128).astype(int)
    for rows in (shown, shown.swapaxes(0, 1)):
        assert np.abs(np.diff(rows, axis=0)).mean(axis=(1, 2)).min() > 5, "rows repeat each other"


def test_a_square_larger_than_the_photo_shrinks_but_not_below_the_head() -> None:
    assert Square(150, 100, 220).within((200, 300), 0.85) == Square(150, 99.5, 200)
    assert Square(150, 100, 400).within((200, 300), 0.85).side == 340
