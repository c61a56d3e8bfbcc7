"""Any photo file to upright RGB pixels, whatever a camera, a scanner or a broken disk made of it.

A JPEG is decoded at the reduced size asked for (libjpeg scales inside the DCT): a 12-megapixel photo at half its
size costs two thirds of the time and a quarter of the memory. Where only a region is asked for, decoding ends below
it: the rows above cannot be skipped.
"""

from __future__ import annotations

import math
import stat
import warnings
from dataclasses import dataclass
from os import SEEK_END, PathLike
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

try:
    from pillow_heif import register_heif_opener

    register_heif_opener()
except ImportError:  # iPhone photos are then set aside as unreadable, nothing else changes
    pass

Image.init()  # Pillow registers the rarer formats only when asked

# What cameras, phones and scanners write. Pillow reads more, among it EPS, which it hands to Ghostscript to *run*.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "ICO")

# No more than this ever comes out: about 350 MB while it is converted. A larger photo is reduced: a JPEG as it is
# decoded, any other, up to the second number, in strips after it was.
MAX_DECODED_PIXELS = 50_000_000
MAX_WHOLE_PIXELS = 80_000_000
STRIP = 512  # rows
JPEG_REDUCTIONS = (1, 2, 4, 8)
MAX_JPEG_BYTES = 64 << 20  # phones append films to their photos, which is no reason to read gigabytes

EXIF_ORIENTATION = 0x0112

# JPEG markers: the frame headers that libjpeg decodes (baseline, extended, progressive), and the end of the image.
FRAME_HEADERS = (0xC0, 0xC1, 0xC2)
END_OF_IMAGE = b"\xff\xd9"
LARGEST_BLOCK = 32  # pixels: what a JPEG is coded in, at most

# File names that such photos have. MPO is JPEG with a second picture behind it.
SUFFIXES = frozenset(s for s, format in Image.registered_extensions().items() if format in (*FORMATS, "MPO"))


class UnreadablePhoto(Exception):
    """Why a file is no photo that can be used, in a few words."""


PhotoArea = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the upright photo


@dataclass(frozen=True)
class View:
    """What was decoded of a photo: uint8 RGB [H, W, 3], upright, at `scale` times the photo's size.

    `left` and `top` say how many of the full-size photo's pixels lie beside and above it.
    """

    pixels: np.ndarray
    scale: float
    left: int = 0
    top: int = 0

    def holds(self, region: PhotoArea, photo: Photo) -> bool:
        """Whether it shows all that `photo` has of `region`, to a pixel: reduced sizes are rounded."""
        x0, y0, x1, y1 = region
        height, width = self.pixels.shape[:2]
        right, bottom = self.left + (width + 1) / self.scale, self.top + (height + 1) / self.scale
        return (
            max(x0, 0) >= self.left
            and max(y0, 0) >= self.top
            and min(x1, photo.width) <= right
            and min(y1, photo.height) <= bottom
        )


class Photo:
    """An opened photo: its size at once, its pixels when asked for, at the size asked for.

    `file` is a path or a seekable binary file, which must stay open while the photo is used. `icc_profile` says
    which RGB its pixels are in; None where the file does not say, or is not RGB. Raises
    `UnreadablePhoto` for everything that is not a whole, sane picture.
    """

    def __init__(self, file: str | PathLike[str] | BinaryIO) -> None:
        self._file = file
        with self._open() as image:
            self._is_jpeg = image.format in ("JPEG", "MPO")
            self._orientation = orientation_of(image)
            self._plain = self._is_jpeg and image.mode in ("RGB", "L")  # no CMYK
            self.width, self.height = image.size
            self.icc_profile = _rgb_profile(image)
        if self._orientation >= 5:  # the camera lay on its side
            self.width, self.height = self.height, self.width
        if self._reduction(scale=0) is None:
            raise UnreadablePhoto(f"absurdly large ({self.width} x {self.height} pixels)")

    def pixels(self, scale: float = 1.0) -> np.ndarray:
        """uint8 RGB [H, W, 3], upright, at the smallest size the decoder offers that is at least `scale` x full size.

        Divide `shape[1]` by `width` for the scale it came out at. It is smaller than asked for only where
        `MAX_DECODED_PIXELS` forces it.
        """
        reduction = self._reduction(scale) or 1
        pixels = self._plain_jpeg(reduction)
        if pixels is None:
            pixels = self._by_pillow(reduction)
        return upright(pixels, self._orientation)

    def view(self, scale: float, region: PhotoArea) -> View:
        """Pixels as from `pixels`, but of no more of the photo than what must be decoded to see `region`.

        That is all of it, unless it is an ordinary JPEG which shows no sign of being cut short.
        """
        reduction = self._reduction(scale) or 1
        rows = self._rows_down_to(region)
        if rows < self._stored_size[1] and (pixels := self._plain_jpeg(reduction, rows)) is not None:
            beyond = self._stored_size[1] - rows
            left = beyond if self._orientation in (6, 7) else 0
            top = beyond if self._orientation in (3, 4) else 0
            return View(upright(pixels, self._orientation), 1 / reduction, left, top)
        pixels = self.pixels(scale)
        return View(pixels, pixels.shape[1] / self.width)

    @property
    def _stored_size(self) -> tuple[int, int]:
        """Width and height as the file has them, before the photo is turned upright."""
        return (self.height, self.width) if self._orientation >= 5 else (self.width, self.height)

    def _rows_down_to(self, region: PhotoArea) -> int:
        """How many rows of the stored photo reach beyond `region`, in whole blocks."""
        x0, y0, x1, y1 = region
        end = {1: y1, 2: y1, 3: self.height - y0, 4: self.height - y0, 6: self.width - x0, 7: self.width - x0}
        rows = math.ceil(end.get(self._orientation, x1) / LARGEST_BLOCK + 1) * LARGEST_BLOCK
        return min(max(rows, LARGEST_BLOCK), self._stored_size[1])

    def _plain_jpeg(self, reduction: int, rows: int | None = None) -> np.ndarray | None:
        """The pixels of an ordinary JPEG without a flaw, in two thirds of Pillow's time; None for any other."""
        if not self._plain:
            return None
        width, height = self._stored_size
        try:
            data = self._bytes()
            if rows is not None:
                data, height = _with_height(data, rows), rows
            return simplejpeg.decode_jpeg(
                data,
                "RGB",
                min_height=-(-height // reduction),
                min_width=-(-width // reduction),
                strict=rows is None,  # what follows the last row asked for is superfluous to the decoder
            )
        except (ValueError, OSError):
            return None

    def _bytes(self) -> bytes:
        if isinstance(self._file, (str, PathLike)):
            path = Path(self._file)
            with path.open("rb") as file:  # asked for more than there is, it would take new memory for all of that
                return file.read(min(path.stat().st_size, MAX_JPEG_BYTES))
        self._file.seek(0)
        return self._file.read(MAX_JPEG_BYTES)

    def _by_pillow(self, reduction: int) -> np.ndarray:
        with self._open() as image:
            if reduction > 1:
                image.draft(None, (image.width // reduction, image.height // reduction))
            try:
                return np.asarray(_to_rgb(image)) if self._is_jpeg or reduction == 1 else _reduced(image, reduction)
            except Exception as error:
                raise UnreadablePhoto(_reason(error)) from error

    def _open(self) -> Image.Image:
        if not isinstance(self._file, (str, PathLike)):
            self._file.seek(0)
        elif not is_openable(self._file):
            raise UnreadablePhoto("not a regular file")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its warnings are about files that this class judges itself
                return Image.open(self._file, formats=FORMATS)
        # Pillow's decoders raise nearly anything on a file made to break them (struct.error, SyntaxError, KeyError,
        # OverflowError ...), so nothing narrower would do.
        except Exception as error:
            raise UnreadablePhoto("empty file" if self._is_empty() else _reason(error)) from error

    def _is_empty(self) -> bool:
        if isinstance(self._file, (str, PathLike)):
            return Path(self._file).is_file() and not Path(self._file).stat().st_size
        return not self._file.seek(0, SEEK_END)

    def _reduction(self, scale: float) -> int | None:
        """The strongest reduction that keeps `scale`, or the weakest that can be held in memory; None: none can."""
        pixels = self.width * self.height
        if not self._is_jpeg:
            if pixels > min(MAX_WHOLE_PIXELS, 4 * MAX_DECODED_PIXELS):
                return None
            return 1 if pixels <= MAX_DECODED_PIXELS else 2
        possible = [r for r in JPEG_REDUCTIONS if pixels <= r * r * MAX_DECODED_PIXELS]
        return max((r for r in possible if r * scale <= 1), default=min(possible, default=None))


def is_openable(path: str | PathLike[str]) -> bool:
    """Whether opening `path` ends or fails: opening a named pipe waits for ever for somebody to write."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def read_photo(file: str | PathLike[str] | BinaryIO, longest: int | None = None) -> np.ndarray:
    """The photo in `file` as upright uint8 RGB [H, W, 3].

    With `longest`, a JPEG's longer side comes out at least that long, but as small as it decodes to. Raises
    `UnreadablePhoto`.
    """
    photo = Photo(file)
    return photo.pixels(1.0 if longest is None else longest / max(photo.width, photo.height))


def _reduced(image: Image.Image, reduction: int) -> np.ndarray:
    """RGB at 1/`reduction` of the size, by averages, converted a strip of rows at a time."""
    image.load()
    strips = []
    for top in range(0, image.height - image.height % reduction, STRIP * reduction):
        bottom = min(top + STRIP * reduction, image.height - image.height % reduction)
        rgb = np.asarray(_to_rgb(image.crop((0, top, image.width - image.width % reduction, bottom))))
        size = rgb.shape[1] // reduction, rgb.shape[0] // reduction
        strips.append(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(strips)


def _with_height(jpeg: bytes, rows: int) -> bytes:
    """A JPEG that says it has so many rows: decoders stop there. Raises `ValueError` where the end is missing."""
    if not jpeg.endswith(END_OF_IMAGE):
        raise ValueError("cut short, or followed by something else")
    position = 2
    while jpeg[position : position + 1] == b"\xff" and jpeg[position + 1] not in FRAME_HEADERS:
        is_padding = jpeg[position + 1] == 0xFF
        position += 1 if is_padding else 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    if jpeg[position : position + 1] != b"\xff":
        raise ValueError("no frame header where one should be")
    return jpeg[: position + 5] + rows.to_bytes(2, "big") + jpeg[position + 7 :]


def _rgb_profile(image: Image.Image) -> bytes | None:
    """The embedded ICC profile, if it is one of RGB: a scanner's CMYK profile would not fit the converted pixels."""
    profile = image.info.get("icc_profile") or b""
    return profile if profile[16:20] == b"RGB " else None


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the photo has none that can be read."""
    try:
        orientation = int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged metadata raises anything, and is no reason to lose the pixels
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as they were stored, turned and mirrored as they were seen."""
    if orientation >= 5:
        pixels = cv2.transpose(pixels)
    axis = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)  # OpenCV's: 1 mirrors left and right, -1 all
    return pixels if axis is None else cv2.flip(pixels, axis)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any colour mode as 8-bit RGB; what is transparent becomes white, as in a browser."""
    if image.mode.startswith("I;16") or image.mode == "I":  # 16-bit grey, the second as PGM and some PNG give it
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    elif image.mode == "F":  # floating-point scans: 0 to 1, or 0 to 255
        values = np.nan_to_num(np.asarray(image))
        image = Image.fromarray((values * (255 if values.max() <= 1 else 1)).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _reason(error: Exception) -> str:
    """What is wrong with a file, as one would say it."""
    words = str(error).lower()
    if isinstance(error, Image.DecompressionBombError):
        return "absurdly large"
    if isinstance(error, UnidentifiedImageError):
        return "not a photo"
    if isinstance(error, OSError) and error.strerror:  # what the file system says: permission denied, no such file
        return f"cannot be opened ({error.strerror})"
    if isinstance(error, MemoryError):
        return "too large for this machine's memory"
    if "truncated" in words or "broken data stream" in words or isinstance(error, EOFError):
        return "truncated"
    return f"damaged ({(str(error) or type(error).__name__).splitlines()[0]})"
