"""report.html: what preprocessing kept and left out, on one page a researcher looks through before training.

One file that needs no network, its pictures inside it, made from the manifest and the crops alone.
"""

from __future__ import annotations

import base64
import hashlib
import io
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from common.html_page import render
from common.whole_files import write_text
from imaging import close_ups
from preprocessing.output import Output, read_rows, read_settings_file

TEMPLATE = Path(__file__).with_name("report.html")
THUMBNAIL = 112  # pixels
RANDOM_CROPS = 24  # shown of each emotion
BORDERLINE_CROPS = 12  # shown of each kind
BINS = 40

MEASURES = {
    "face_size": "Face size in pixels",
    "sharpness": "Sharpness (variance of the Laplacian)",
    "brightness": "Brightness (0 to 255)",
    "score": "Certainty of the face detector",
    "outside": "Share of the crop beyond the photo's edge",
    "clear": "Largest --crop_size that stays within the photo",
}


class Least:
    """The `count` rows with the smallest keys, out of a stream of any length."""

    def __init__(self, count: int, key: Callable[[dict[str, str]], Any]) -> None:
        self._count, self._key = count, key
        self._rows: list[tuple[Any, str, dict[str, str]]] = []

    def offer(self, row: dict[str, str]) -> None:
        """Take a row into account."""
        self._rows.append((self._key(row), row["source"], row))
        if len(self._rows) >= 20 * self._count:
            self.rows()

    def rows(self) -> list[dict[str, str]]:
        """The rows, the smallest key first; of equal ones the first by source."""
        self._rows = sorted(self._rows, key=lambda entry: entry[:2])[: self._count]
        return [row for _, _, row in self._rows]


def _at_random(row: dict[str, str]) -> str:
    """A key that draws rows at random, but the same ones each time."""
    return hashlib.sha256(row["source"].encode()).hexdigest()


@dataclass
class Summary:
    """What the page says about the manifest, gathered in one pass."""

    kept: Counter[tuple[str, str]] = field(default_factory=Counter)  # (emotion, split)
    left_out: Counter[str] = field(default_factory=Counter)  # emotion
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # reason: sources
    persons: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # split: persons
    nameless: int = 0  # kept crops without a known person
    measures: dict[str, array] = field(default_factory=lambda: {name: array("f") for name in MEASURES})
    random: dict[str, Least] = field(default_factory=lambda: defaultdict(lambda: Least(RANDOM_CROPS, _at_random)))
    borderline: dict[str, Least] = field(
        default_factory=lambda: {
            "The most blurred": Least(BORDERLINE_CROPS, lambda row: float(row["sharpness"])),
            "The darkest": Least(BORDERLINE_CROPS, lambda row: float(row["brightness"])),
            "The brightest": Least(BORDERLINE_CROPS, lambda row: -float(row["brightness"])),
            "The smallest faces": Least(BORDERLINE_CROPS, lambda row: float(row["face_size"])),
            "The farthest beyond the photo's edge": Least(BORDERLINE_CROPS, lambda row: -float(row["outside"])),
            "The detector was least sure": Least(BORDERLINE_CROPS, lambda row: float(row["score"] or 1)),
            "Only the annotators saw a face": Least(BORDERLINE_CROPS, _at_random),
            "The annotators disagreed in part": Least(BORDERLINE_CROPS, _at_random),
        }
    )

    def add(self, row: dict[str, str]) -> None:
        """Count one row of the manifest."""
        if row["kept"] == "1":
            self._add_kept(row)
            return
        self.left_out[row["emotion"]] += 1
        reason = row["reason"].split(" (")[0]
        self.reasons[reason] += 1
        if len(self.examples[reason]) < 3:
            self.examples[reason].append(row["source"])

    def _add_kept(self, row: dict[str, str]) -> None:
        self.kept[row["emotion"], row["split"]] += 1
        if row["person"]:
            self.persons[row["split"]].add(row["person"])
        else:
            self.nameless += 1
        for name, values in self.measures.items():
            if row.get(name):
                values.append(float(row[name]))
        self.random[row["emotion"]].offer(row)
        for title, least in self.borderline.items():
            if title.startswith("Only the annotators") and row["box_from"] != "annotators":
                continue
            if title.startswith("The annotators") and len(set(row["votes"].split())) < 2:
                continue
            least.offer(row)


def write_report(output: Output) -> Path:
    """Write report.html beside the manifest and return its path."""
    summary = Summary()
    for row in read_rows(output.manifest):
        summary.add(row)
    page = render(
        TEMPLATE,
        settings=read_settings_file(output),
        emotions=sorted({emotion for emotion, _ in summary.kept} | set(summary.left_out)),
        summary=summary,
        advice=close_ups.advice(close_ups.clear_sizes(read_rows(output.manifest))),
        histograms=[_histogram(title, summary.measures[name]) for name, title in MEASURES.items()],
        random={emotion: _thumbnails(least, output) for emotion, least in sorted(summary.random.items())},
        borderline={title: _thumbnails(least, output) for title, least in summary.borderline.items()},
    )
    report = output.train / "report.html"
    write_text(report, page)
    return report


def _histogram(title: str, values: array) -> dict[str, Any]:
    """Heights in [0, 1] of the bars between `low` and `high`; what lies above the 99.5th percentile joins the last."""
    if not values:
        return {"title": title, "bars": [], "low": 0, "high": 0, "median": 0}
    data = np.asarray(values)
    high = np.percentile(data, 99.5)
    counts, edges = np.histogram(data.clip(max=high), BINS)
    return {
        "title": title,
        "bars": (counts / counts.max()).round(4).tolist(),
        "low": f"{edges[0]:.3g}",
        "high": f"{edges[-1]:.3g}",
        "median": f"{np.median(data):.3g}",
    }


def _thumbnails(least: Least, output: Output) -> list[dict[str, str]]:
    """The crops' small pictures as data URLs, with what the reader wants to know about each."""
    pictures = []
    for row in least.rows():
        with Image.open(output.folder(row["split"]) / row["file"]) as crop:
            crop.thumbnail((THUMBNAIL, THUMBNAIL))
            data = io.BytesIO()
            crop.save(data, "JPEG", quality=85)
        caption = [row["source"], row["emotion"], f"votes: {row['votes']}" if row["votes"] else ""]
        caption += [f"{name.replace('_', ' ')} {row[name]}" for name in MEASURES if row.get(name)]
        url = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
        pictures.append({"url": url, "caption": ", ".join(filter(None, caption))})
    return pictures
