"""Does an angry translation show one pair of eyebrows? Counts them on drawn people a generator was never trained on.

    python benchmarks/eyebrows.py data/demo/models/2250-G.ckpt [--people 50] [--sheet eyebrows.png]

A generator that leaves a trace of the old brow above the new one makes three or four dark spots of two. The same is
counted on the same people drawn angry. People with glasses, whose rims count as brows, are passed over. Look at the
sheet as well: a trace fainter than the count's threshold is there for the eye to see.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from tqdm import tqdm

from common.errors import UserError, door
from face_detection import FaceFinder
from imaging import picture_grid
from imaging.drawing.picture import draw_face
from imaging.face_geometry import CHIN, FOREHEAD_TOP, Image, Points

FIRST_IDENTITY = 9_100_000
PHOTO = 448  # pixels: side of the drawn photo
SHOWN = 8  # people on the sheet
DARK = 0.72  # brightness of a brow, at most, in times the forehead's median
SMALLEST = 0.0018  # smallest area of a brow, in squared lengths of the face
LIDS, NOSE_BRIDGE = [159, 386], 168  # landmarks of MediaPipe's mesh


def count_brows(photo: Image, points: Points) -> tuple[int, int]:
    """Dark spots above the eyes of a face (uint8 RGB, its mesh in photo pixels): on the left and on the right."""
    up = points[FOREHEAD_TOP] - points[CHIN]
    length = float(np.linalg.norm(up))
    up = up / length
    right = np.array([-up[1], up[0]])
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    skin = cv2.fillConvexPoly(np.zeros(photo.shape[:2], np.uint8), cv2.convexHull(points).astype(int), 1)
    skin = cv2.erode(skin, np.ones([int(0.05 * length)] * 2))
    skin[x * up[0] + y * up[1] < (points[LIDS] @ up).max() + 0.02 * length] = 0
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    spots = (skin > 0) & (grey < DARK * np.median(grey[skin > 0]))
    _, _, sizes, centres = cv2.connectedComponentsWithStats(spots.astype(np.uint8))
    brows = centres[1:][sizes[1:, 4] > SMALLEST * length**2]
    on_the_right = (brows - points[NOSE_BRIDGE]) @ right > 0
    return int((~on_the_right).sum()), int(on_the_right.sum())


def one_pair(photo: Image, finder: FaceFinder) -> bool:
    """Whether the one face of `photo` has one brow on either side; not, if it is no face to MediaPipe."""
    points = [face.points for face in finder.faces(photo) if face.points is not None]
    return len(points) == 1 and count_brows(photo, points[0]) == (1, 1)


@door
def main() -> int:
    """Print the counts and save the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", type=Path, help="the -G.ckpt of a training on drawn faces")
    parser.add_argument("--people", type=int, default=50, help="how many to translate")
    parser.add_argument("--sheet", type=Path, help="picture of the first of them: input, translated, as drawn")
    arguments = parser.parse_args()
    from translation.translator import Translator

    kinds = ("neutral", "translated", "as drawn")
    counts, rows = Counter[str](), []
    with Translator.load(arguments.generator) as translator, tqdm(total=arguments.people, unit="person") as bar:
        if "angry" not in translator.domains:
            raise UserError(f"{arguments.generator} gives {', '.join(translator.domains)}, not angry: name another one")
        for identity in itertools.count(FIRST_IDENTITY):
            neutral, drawn = (draw_face(identity, emotion, size=PHOTO) for emotion in ("neutral", "angry"))
            if not one_pair(neutral, translator.finder):
                continue  # the rims of glasses count as brows
            translated = translator.translate(neutral).results["angry"]
            rows.append([neutral, translated, drawn])
            counts.update(k for k, photo in zip(kinds, rows[-1], strict=True) if one_pair(photo, translator.finder))
            bar.update()
            if len(rows) == arguments.people:
                break
    for kind in kinds:
        print(f"{kind:12} {counts[kind]} of {arguments.people} with one pair of eyebrows")
    if arguments.sheet:
        picture_grid.grid(rows[:SHOWN], kinds).save(arguments.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
