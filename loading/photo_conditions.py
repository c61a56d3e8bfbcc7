"""What cameras do to faces: `--augment photo` gives rendered or drawn faces the flaws of photos.

A face and its known answer get the same flaws, since a camera treats every expression alike. Only the sensor's noise
lies on the input alone: the generator should not learn to paint it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

WIDER = 1.2  # what is loaded, in crop sizes: room to move and scale the crop
ZOOM = (0.85, 1.15)  # side of the crop, in crop sizes
GREY = 0.15  # share of the faces that turn grey
BLURRED, COMPRESSED = 0.3, 0.4  # and of those that are unsharp, or stored as a poor JPEG
GAMMA = (0.7, 1.4)
GAIN = (0.7, 1.35)
COLOUR_GAIN = (0.88, 1.12)  # gain of each channel: the colour of the light
NOISE = 6.0  # grey levels, the most of its standard deviation


@dataclass(frozen=True)
class Conditions:
    """What chance decided for one sample."""

    zoom: float
    shift: tuple[float, float]  # -1 to 1: how much of the room left and right, above and below
    grey: bool
    gamma: float
    gains: np.ndarray  # float32 [3]
    blur: float  # standard deviation in pixels of the loaded picture; 0: sharp
    jpeg: int  # quality; 0: not compressed
    noise: float  # standard deviation, grey levels
    seed: int  # random seed of the noise


def draw_conditions(seed: int) -> Conditions:
    """The conditions of the sample with this seed."""
    rng = np.random.default_rng((seed, 1))
    gain = np.exp(rng.uniform(*np.log(GAIN)))
    return Conditions(
        zoom=rng.uniform(*ZOOM),
        shift=(rng.uniform(-1, 1), rng.uniform(-1, 1)),
        grey=rng.random() < GREY,
        gamma=float(np.exp(rng.uniform(*np.log(GAMMA)))),
        gains=np.float32(gain * rng.uniform(*COLOUR_GAIN, 3)),
        blur=rng.uniform(0.4, 1.5) if rng.random() < BLURRED else 0.0,
        jpeg=int(rng.integers(30, 90)) if rng.random() < COMPRESSED else 0,
        noise=rng.uniform(0, NOISE),
        seed=seed,
    )


def size_to_load(crop_size: int, image_size: int, full: int = 512) -> tuple[int, int]:
    """Crop and image size to load instead, so that there is room around the crop, within the `full` stored pixels."""
    wider = min(round(WIDER * crop_size), full)
    return wider, round(image_size * wider / crop_size)


def under_conditions(pixels: np.ndarray, image_size: int, crop_share: float, given: Conditions) -> np.ndarray:
    """uint8 RGB [L, L, 3], of which the crop is `crop_share` of the side, -> [image_size, image_size, 3]; no noise."""
    loaded = len(pixels)
    if given.blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), given.blur)
    side = min(given.zoom * crop_share * loaded, loaded)
    left, top = ((loaded - side) / 2 * (1 + shift) for shift in given.shift)
    scale = image_size / side
    matrix = np.array([[scale, 0, (0.5 - left) * scale - 0.5], [0, scale, (0.5 - top) * scale - 0.5]], np.float32)
    pixels = cv2.warpAffine(pixels, matrix, (image_size, image_size), borderMode=cv2.BORDER_REFLECT_101)
    if given.grey:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tones = np.float32(np.arange(256) / 255) ** given.gamma * 255
    gains = np.full(3, given.gains.mean()) if given.grey else given.gains
    curves = np.clip(tones[:, None] * gains, 0, 255).astype(np.uint8)  # [256, 3]
    pixels = cv2.LUT(pixels, curves[None])
    if given.jpeg:
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, given.jpeg])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return pixels


def add_noise(pixels: np.ndarray, given: Conditions) -> np.ndarray:
    """The sensor's noise on uint8 RGB [H, W, 3]; the same in all channels of a grey picture."""
    rng = np.random.default_rng((given.seed, 2))
    noise = rng.standard_normal((*pixels.shape[:2], 1 if given.grey else 3), np.float32) * given.noise
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)
