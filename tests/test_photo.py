"""Photos of every kind come out upright, 8-bit and RGB, or with the reason why not."""

from __future__ import annotations

import io
import os
import re
import warnings

import numpy as np
import pytest
from broken_photos import png_that_claims
from PIL import Image

from imaging import photo
from imaging.face_crop import load_crop
from imaging.photo import Photo, UnreadablePhoto, read_photo


def corner_picture(width: int = 400, height: int = 300) -> Image.Image:
    """Black, the upper left quarter red."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    return Image.fromarray(pixels)


def saved(image: Image.Image, format: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 240 and pixel[1] < 15 and pixel[2] < 15)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_obeyed(orientation):
    """Stored as the camera would for each orientation, the picture comes out as it was seen."""
    seen = corner_picture()
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that the viewer's one takes back
    stored = seen if orientation == 1 else seen.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[photo.EXIF_ORIENTATION] = orientation
    file = saved(stored, "JPEG", exif=exif.tobytes())
    assert (Photo(file).width, Photo(file).height) == (400, 300)
    pixels = read_photo(file)
    assert pixels.shape == (300, 400, 3)
    assert is_red(pixels[10, 10])
    assert pixels[290, 390].max() < 15


@pytest.mark.parametrize(
    ("mode", "format"),
    [("CMYK", "JPEG"), ("P", "PNG"), ("RGBA", "PNG"), ("RGB", "WEBP"), ("RGB", "GIF"), ("RGB", "TIFF"), ("RGB", "BMP")],
)
def test_colour_modes(mode, format):
    pixels = read_photo(saved(corner_picture().convert(mode), format))
    assert pixels.dtype == np.uint8
    assert pixels.shape == (300, 400, 3)
    assert is_red(pixels[10, 10])


@pytest.mark.parametrize(("format", "dtype"), [("PNG", np.uint16), ("TIFF", np.uint16), ("PPM", np.uint16)])
def test_sixteen_bits_keep_their_brightness(format, dtype):
    grey = Image.fromarray(np.full((30, 40), 0x8000, dtype))
    assert read_photo(saved(grey, format)).mean() == pytest.approx(127, abs=1)


def test_transparent_pixels_become_white():
    clear = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    assert read_photo(saved(clear, "PNG")).min() == 255


def test_a_jpeg_is_decoded_no_larger_than_asked_for():
    file = saved(corner_picture(1600, 1200), "JPEG")
    assert Photo(file).pixels(0.5).shape == (600, 800, 3)
    assert Photo(file).pixels(0.51).shape == (1200, 1600, 3)
    assert read_photo(file, longest=200).shape == (150, 200, 3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}])
@pytest.mark.parametrize("reduction", photo.JPEG_REDUCTIONS)
def test_a_jpeg_has_the_pixels_that_pillow_finds(mode, options, reduction):
    noise = np.random.default_rng(0).integers(0, 255, (37, 53, 3), np.uint8)
    smooth = Image.fromarray(noise).resize((401, 299))  # neither side is a multiple of what a JPEG is coded in
    file = saved(smooth.convert(mode), "JPEG", **options)
    with Image.open(file) as image:
        image.draft(None, (401 // reduction, 299 // reduction))
        expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(Photo(file).pixels(1 / reduction), expected)


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduction", [1, 2])
def test_a_view_shows_the_region_and_no_more_than_it_must(orientation, options, reduction):
    noise = np.random.default_rng(0).integers(0, 255, (37, 53, 3), np.uint8)
    exif = Image.Exif()
    exif[photo.EXIF_ORIENTATION] = orientation
    opened = Photo(saved(Image.fromarray(noise).resize((800, 608)), "JPEG", exif=exif, **options))
    whole = opened.pixels(1 / reduction)
    pieces = 0
    for region in [(10, 10, 90, 80), (500, 10, 560, 90), (10, 500, 90, 560), (500, 500, 560, 560)]:
        view = opened.view(1 / reduction, region)
        assert view.holds(region, opened)
        top, left = view.top // reduction, view.left // reduction
        height, width = view.pixels.shape[:2]
        same = view.pixels == whole[top : top + height, left : left + width]
        x0, y0, x1, y1 = (edge // reduction for edge in region)
        assert same[y0 - top : y1 - top, x0 - left : x1 - left].all()
        pieces += view.pixels.size < 0.4 * whole.size
        assert not view.holds((0, 0, opened.width, opened.height), opened) or view.pixels.size == whole.size
    assert pieces == 2, "two of the four lie where decoding begins"


@pytest.mark.parametrize("inserted", [b"\xff\xff\xff", b"\xff\xfe\xff\xf0", b"\xff\xfe\x00"])
def test_a_view_of_a_jpeg_with_an_odd_header_is_as_good_as_the_whole(inserted):
    """Padding is allowed; a comment that is longer than the file is not, and shows when the photo is decoded."""
    data = saved(corner_picture(800, 600), "JPEG").getvalue()
    odd = data[:20] + inserted + data[20:]
    try:
        whole = read_photo(io.BytesIO(odd))
    except UnreadablePhoto as error:
        with pytest.raises(UnreadablePhoto, match=re.escape(str(error))):
            Photo(io.BytesIO(odd)).view(1, (0, 0, 100, 100))
    else:
        assert np.array_equal(Photo(io.BytesIO(odd)).view(1, (0, 0, 100, 100)).pixels[:100], whole[:100])


def test_a_view_of_a_jpeg_cut_short_is_refused_though_the_region_is_there():
    data = saved(corner_picture(800, 600), "JPEG").getvalue()
    with pytest.raises(UnreadablePhoto, match="truncated"):
        Photo(io.BytesIO(data[: len(data) * 9 // 10])).view(1, (0, 0, 100, 100))


def test_a_jpegs_small_flaws_are_forgiven():
    data = saved(corner_picture(), "JPEG").getvalue()
    middle = len(data) * 3 // 4
    for flawed in (data[:middle] + b"\xff\xd3" + data[middle:], data + bytes(1000)):  # a stray mark; a film behind it
        pixels = read_photo(io.BytesIO(flawed))
        assert pixels.shape == (300, 400, 3) and is_red(pixels[10, 10])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_a_file_cut_short_is_refused(format, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    data = saved(noise, format).getvalue()
    with pytest.raises(UnreadablePhoto):
        read_photo(io.BytesIO(data[: int(len(data) * share)]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello " * 100, "not a photo"),
        (png_that_claims(60_000, 60_000), "absurdly large"),
        (png_that_claims(9_000, 9_000), "absurdly large"),
        (saved(corner_picture(), "EPS").getvalue(), "not a photo"),  # Pillow would have Ghostscript run it
    ],
)
def test_reasons(data, reason):
    with pytest.raises(UnreadablePhoto, match=reason):
        read_photo(io.BytesIO(data))


def test_an_orientation_that_exif_does_not_know_is_none():
    exif = Image.Exif()
    exif[photo.EXIF_ORIENTATION] = 9
    assert read_photo(saved(corner_picture(), "JPEG", exif=exif.tobytes())).shape == (300, 400, 3)


def test_damaged_metadata_does_not_cost_the_photo():
    exif = b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(20)
    assert is_red(read_photo(saved(corner_picture(), "JPEG", exif=exif))[10, 10])


def test_a_large_jpeg_is_read_reduced(monkeypatch):
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 100_000)
    file = saved(corner_picture(800, 600), "JPEG")
    assert Photo(file).pixels().shape == (150, 200, 3)
    with pytest.raises(UnreadablePhoto, match="absurdly large"):
        Photo(saved(corner_picture(800, 600), "PNG"))


def test_iphone_photos():
    pytest.importorskip("pillow_heif")
    assert is_red(read_photo(saved(corner_picture(), "HEIF"))[10, 10])


def test_a_training_image_of_100_megapixels_gives_its_centre_and_no_warning(tmp_path):
    Image.new("RGB", (10_000, 10_000), (200, 100, 50)).save(tmp_path / "huge.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crop = load_crop(str(tmp_path / "huge.jpg"), 448, 32)
    assert crop.shape == (32, 32, 3)
    assert np.abs(crop.astype(int) - (200, 100, 50)).max() < 4


@pytest.mark.parametrize("mode", ["RGB", "P", "LA", "I;16"])
def test_a_large_png_is_reduced_as_a_jpeg_is(tmp_path, monkeypatch, mode):
    """60 megapixels, where 50 are decoded at once; here a thousandth of both."""
    monkeypatch.setattr(photo, "MAX_DECODED_PIXELS", 50_000)
    monkeypatch.setattr(photo, "MAX_WHOLE_PIXELS", 90_000)
    monkeypatch.setattr(photo, "STRIP", 16)
    ramp = np.broadcast_to(np.linspace(0, 255, 301, dtype=np.uint8), (201, 301))
    if mode == "I;16":
        Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "a.png")
    else:
        Image.fromarray(ramp).convert(mode).save(tmp_path / "a.png")
    pixels = Photo(tmp_path / "a.png").pixels()
    assert pixels.shape == (100, 150, 3)
    expected = ramp[:200:2, :300].reshape(100, 150, 2).mean(axis=2)
    assert np.abs(pixels[..., 0] - expected).max() <= 3
    monkeypatch.setattr(photo, "MAX_WHOLE_PIXELS", 60_000)
    with pytest.raises(UnreadablePhoto, match="absurdly large"):
        Photo(tmp_path / "a.png")


def test_a_named_pipe_is_no_photo(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadablePhoto, match="not a regular file"):
        Photo(tmp_path / "pipe.jpg")
