"""A picture to draw on in face units, and the shapes to draw."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from imaging.drawing.people import Colour, DrawnPerson, Image, Outline


def smooth(control: list[tuple[float, float]], closed: bool = False, steps: int = 10) -> Outline:
    """A Catmull-Rom curve through `control`, `steps` points to a segment."""
    points = np.asarray(control, dtype=float)
    ends = (points[-1:], points[:2]) if closed else (points[:1], points[-1:])
    padded = np.vstack((ends[0], points, ends[1]))
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.vstack((curve.reshape(-1, 2), points[:1] if closed else points[-1:]))


def mirrored(right: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The closed outline whose right half is `right`, from top to bottom, both ends on the axis."""
    return right + [(-x, y) for x, y in right[-2:0:-1]]


def ellipse(x: float, y: float, rx: float, ry: float, steps: int = 40) -> Outline:
    """An ellipse's closed outline."""
    angle = np.linspace(0, 2 * np.pi, steps)
    return np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), 1)


def between(upper: Outline, lower: Outline) -> Outline:
    """The outline of what lies between two curves that run the same way."""
    return np.vstack((upper, lower[::-1]))


class Canvas:
    """A picture that is drawn on in face units."""

    def __init__(self, image: Image, person: DrawnPerson, *, upright: bool = False) -> None:
        self.image = image
        self.size = image.shape[0]
        self._unit = person.head_size * self.size  # pixels in a face unit
        angle = 0.0 if upright else np.radians(person.tilt)
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self._to_pixels = rotation * self._unit
        self._origin = np.array(person.centre) * self.size
        self._turn, self._width = person.turn, person.width

    def pixels(self, points: Outline) -> Outline:
        """Face units to pixels: what lies near the middle of the head shifts most when it turns."""
        turned = np.array(points, dtype=float)
        turned[:, 0] += self._turn * np.clip(1 - (turned[:, 0] / self._width) ** 2, 0, 1)
        return turned @ self._to_pixels + self._origin

    def region(self, outline: Outline, margin: float, step: int = 1) -> tuple[slice, slice]:
        """Rows and columns around an outline in pixels, inside the picture, at multiples of `step`."""
        low = np.clip((outline.min(0) - margin) // step * step, 0, self.size).astype(int)
        high = np.clip(-((-outline.max(0) - margin) // step) * step, low, self.size).astype(int)
        return slice(low[1], high[1]), slice(low[0], high[0])

    def fill(self, points: Outline, colour: Colour) -> None:
        """Fill an outline with one colour."""
        cv2.fillPoly(self.image, [fixed(self.pixels(points))], rgb(colour), shift=4)

    def stroke(self, points: Outline, colour: Colour, width: float) -> None:
        """Draw a line of even width."""
        pixels = max(1, round(width * self._unit))
        cv2.polylines(self.image, [fixed(self.pixels(points))], False, rgb(colour), pixels, shift=4)

    def paint(self, points: Outline, texture: Image) -> None:
        """Fill an outline with `texture`, a smaller picture of the whole frame."""
        step = self.size // texture.shape[0]
        outline = self.pixels(points)
        rows, columns = self.region(outline, step, step)
        view = self.image[rows, columns]
        if not view.size:
            return
        part = texture[rows.start // step : rows.stop // step, columns.start // step : columns.stop // step]
        mask = np.zeros(view.shape[:2], np.uint8)
        cv2.fillPoly(mask, [fixed(outline - (columns.start, rows.start))], (255,), shift=4)
        cv2.copyTo(cv2.resize(part, view.shape[1::-1]), mask, view)

    def glaze(self, points: Outline, colour: Colour, opacity: float, blur: float) -> None:
        """Tint an outline softly: `opacity` from 0 to 1, `blur` the width of the edge."""
        outline, sigma = self.pixels(points), max(blur * self._unit / 2, 0.5)
        rows, columns = self.region(outline, 3 * sigma)
        view = self.image[rows, columns]
        if opacity <= 0 or not view.size:
            return
        mask = np.zeros(view.shape[:2], np.float32)
        cv2.fillPoly(mask, [fixed(outline - (columns.start, rows.start))], (min(opacity, 1.0),), shift=4)
        soft = cv2.GaussianBlur(mask, (0, 0), sigma)[..., None]
        view[:] = view + (np.clip(colour, 0, 255).astype(np.float32) - view) * soft


def fixed(points: Outline) -> npt.NDArray[np.int32]:
    """Pixels as OpenCV's fixed-point numbers with four fractional bits."""
    return np.round(points * 16).astype(np.int32)


def rgb(colour: Colour) -> tuple[float, float, float]:
    """A colour as OpenCV wants it."""
    r, g, b = np.clip(colour, 0, 255).tolist()
    return r, g, b
