"""Face crops that reach beyond their photos, of which tightly cut data sets are full: how many, and what helps."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from imaging.face_geometry import CROP_SIZE

CLOSE_UPS = 0.2  # share of the faces whose crops may reach beyond their photos
SMALLEST_CROP = 320  # pixels: the face itself, brows to chin, takes 293


def clear_sizes(rows: Iterable[Mapping[str, str]]) -> Counter[int]:
    """How many training faces of a manifest have which largest centre that lies within the photo, in pixels."""
    return Counter(
        int(row["clear"]) for row in rows if row["kept"] == "1" and row["split"] == "train" and row.get("clear")
    )


def beyond(clear: Counter[int], crop_size: int) -> float:
    """The share of the faces whose centre `crop_size` pixels reach beyond their photo, 0 to 1."""
    return sum(count for size, count in clear.items() if size < crop_size) / max(1, clear.total())


def advice(clear: Counter[int], crop_size: int = CROP_SIZE) -> str:
    """What to do where more than a fifth of the faces do; "" where no more do."""
    share = beyond(clear, crop_size)
    if share <= CLOSE_UPS:
        return ""
    fact = f"{share:.0%} of the faces fill their photos: the centre {crop_size} pixels of their crops reach beyond them"
    sizes = (size for size in range(CROP_SIZE - 32, SMALLEST_CROP - 1, -32) if size < crop_size)
    if helps := next((size for size in sizes if beyond(clear, size) <= CLOSE_UPS), None):
        return f"{fact}; train with --crop_size {helps} ({beyond(clear, helps):.0%} do so then)"
    return (
        f"{fact}, and no --crop_size that shows the whole face helps: preprocess the photos these were cut from, or "
        "know that a network learns the edge, too (--border soft mirrors and blurs what is missing)"
    )


def advice_for(image_dir: Path, crop_size: int) -> str:
    """The same of a training folder with its manifest; "" where it has none."""
    try:
        with (image_dir / "manifest.csv").open(encoding="utf-8", newline="") as file:
            return advice(clear_sizes(csv.DictReader(file)), crop_size)
    except (OSError, ValueError, KeyError):  # another file of that name, or none: nothing is known
        return ""
