"""The pixels of a training face: the centre of a face crop, at the size the networks see."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from common.errors import UserError
from imaging.photo import FORMATS, orientation_of, upright


class UnreadableImage(UserError):
    """A file that is no image, or was one once."""


def _opened(path: str) -> Image.Image:
    """Without Pillow's warning above 89 megapixels: a JPEG is decoded reduced, and anything else below 179 fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(path, formats=FORMATS)


def load_crop(path: str, crop_size: int, image_size: int) -> np.ndarray:
    """The centre `crop_size` square of a face crop as uint8 RGB [image_size, image_size, 3].

    A smaller picture gives its largest square, scaled up. A JPEG is decoded at a reduced size where that loses nothing
    at `image_size` (libjpeg's DCT scaling); EXIF turns it upright. PyTorch resizes (bicubic, antialiased) in a third of
    Pillow's time.
    """
    try:
        with _opened(path) as image:
            width, height = image.size
            side = min(crop_size, width, height)
            image.draft("RGB", (-(-width * image_size // side), -(-height * image_size // side)))
            scale_x, scale_y = image.width / width, image.height / height
            left, top = round((width - side) / 2 * scale_x), round((height - side) / 2 * scale_y)
            square = image.crop((left, top, left + round(side * scale_x), top + round(side * scale_y)))
            pixels = np.ascontiguousarray(upright(np.array(square.convert("RGB")), orientation_of(image)))
    except Exception as error:  # Pillow raises a dozen unrelated types for a broken file
        raise UnreadableImage(f"{path} is not a readable image ({error}): remove it or preprocess again") from error
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    resized = F.interpolate(planes, (image_size, image_size), mode="bicubic", antialias=True)
    return resized[0].permute(1, 2, 0).contiguous().numpy()
