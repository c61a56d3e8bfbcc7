"""How many faces are found in group photos, how long that takes, and what a portrait pays for it.

    git show BEFORE:face_detection.py > before.py
    python benchmarks/group_photos.py --heads ../shared/photolike --before before.py

Heads are pasted into a 3000x2000 picture: 24 and 30 of 200 pixels, one of 128, and 100 of 150 into 1500x1500. With
`--before` a portrait is searched by this and by another version in turn, in one run. Writes nothing.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from PIL import Image

import face_detection
from face_detection import FaceFinder

SCENES = {  # name: width, height, heads, their size in pixels
    "24 heads of 200 in 3000x2000": (3000, 2000, 24, 200),
    "30 heads of 200 in 3000x2000": (3000, 2000, 30, 200),
    "one head of 128 in 3000x2000": (3000, 2000, 1, 128),
    "100 heads of 150 in 1500x1500": (1500, 1500, 100, 150),
    "nobody, 4000x3000": (4000, 3000, 0, 0),
}


def heads_of(folder: Path) -> list[np.ndarray]:
    """Pictures of one face seen from the front, in the order of the folder's list."""
    with (folder / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["faces"] == "1" and abs(float(row["yaw"])) < 0.4]
    rows = [row for row in rows if row["split"] == "val"]
    return [np.asarray(Image.open(folder / row["file"]).convert("RGB")) for row in rows]


def scene(
    heads: list[np.ndarray], width: int, height: int, count: int, size: int, seed: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """A picture of blurred noise with `count` heads, spread over it, and where their centres are."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 200, (height // 40, width // 40, 3), np.uint8)
    photo = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8).copy()
    columns = max(1, round((count * width / height) ** 0.5))
    rows = -(-count // columns)
    centres = []
    for number in range(count):
        cell_x, cell_y = width / columns, height / rows
        x = int(number % columns * cell_x + random.uniform(0, max(0, cell_x - size)))
        y = int(number // columns * cell_y + random.uniform(0, max(0, cell_y - size)))
        head = heads[int(random.integers(len(heads)))]
        photo[y : y + size, x : x + size] = cv2.resize(head, (size, size), interpolation=cv2.INTER_AREA)
        centres.append((x + size / 2, y + size / 2))
    return photo, centres


def count_found(faces: list[face_detection.Face], centres: list, size: int) -> tuple[int, int]:
    """How many heads have a face with a mesh, and how many faces are no head's."""
    with_mesh = [face.points.mean(axis=0) for face in faces if face.points is not None]
    near = [[abs(x - cx) < size / 2 and abs(y - cy) < size / 2 for x, y in with_mesh] for cx, cy in centres]
    found = sum(any(row) for row in near)
    return found, len(faces) - found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=Path, required=True, help="shared/photolike")
    parser.add_argument("--before", type=Path, help="another version of face_detection.py")
    parser.add_argument("--scenes", type=int, default=3, help="of each kind (%(default)s)")
    args = parser.parse_args()
    heads = heads_of(args.heads)
    with FaceFinder() as finder:
        for name, (width, height, count, size) in SCENES.items():
            counts = []
            for seed in range(args.scenes):
                photo, centres = scene(heads, width, height, count, size, seed)
                start = time.perf_counter()
                faces = finder.faces(photo)
                seconds = time.perf_counter() - start
                counts.append((*count_found(faces, centres, size), seconds))
            results = (f"{found} found, {more} more, {seconds:.2f} s" for found, more, seconds in counts)
            print(f"{name}: {'; '.join(results)}", flush=True)
        if args.before:
            compare_portraits(finder, args.before, heads)


def compare_portraits(finder: FaceFinder, before: Path, heads: list[np.ndarray]) -> None:
    """A portrait of 12 megapixels whose head fills 40 % of the height, 40 times by each version, in turn."""
    spec = importlib.util.spec_from_file_location("before", before)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["before"] = module
    spec.loader.exec_module(module)
    photo, _ = scene(heads, 4000, 3000, 0, 0, 0)
    photo[600:1800, 1400:2600] = cv2.resize(heads[3], (1200, 1200), interpolation=cv2.INTER_CUBIC)
    seconds: tuple[list[float], list[float]] = ([], [])
    with module.FaceFinder() as other:
        for number in range(80):
            start = time.process_time()
            assert len((finder, other)[number % 2].faces(photo)) == 1
            seconds[number % 2].append(time.process_time() - start)
    now, then = (1000 * statistics.median(times) for times in seconds)
    print(f"portrait: {now:.1f} ms of processor time, before {then:.1f} ms: {now / then:.2f} times")


if __name__ == "__main__":
    main()
