"""Pairs for `main.py --lambda_pair`: calm faces, each with the five emotions as other people show them.

    python -m research.make_pairs --people data/people512 --faces data/faces512 --mouths PHOTOS --output data/pairs512

The faces are warped, so the pairs are for training only. The judge of real faces looks at each: where the wanted
emotion has not risen most, the face moves farther; where that doesn't help with two emotions, the face is left out.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.emotions import FIVE
from common.errors import UserError, command
from common.progress import progress_bar
from common.whole_files import unwritable_reported, write_atomically
from face_detection import FaceFinder
from imaging.draw_faces import write_jpeg
from imaging.face_geometry import FACE_SIZE
from imaging.image_folder import find_images
from imaging.photo import UnreadablePhoto, read_photo
from research.expression_transfer import Portrait, transfer
from research.mouths import read_mouths
from research.people import ALL, NEUTRAL, People, is_calm
from research.recipes import RECIPES, movement
from scoring.real_face_judge import RealFaceJudge

STRENGTHS = 1.1, 1.3, 1.5  # tried in turn until the wanted emotion rises most; above 1, as a generator shows less
MAY_FAIL = 1  # emotions of a face that may not rise; with more it is left out
KEPT = ""  # the outcome of a face that was not left out


class PairMaker:
    """What faces get their emotions from. `judged` counts faces by emotion and by the strength that was enough."""

    def __init__(self, people: People, mouths: Mapping[str, Sequence[Portrait]], finder: FaceFinder) -> None:
        self._people, self._mouths, self._finder = people, mouths, finder
        self._judge = RealFaceJudge()
        self.judged: Counter[tuple[str, str]] = Counter()

    def write(self, path: Path, output: Path) -> str:
        """Write a calm face with every emotion to the folders of `output`; `KEPT`, or why it was left out."""
        if all((output / emotion / path.name).exists() for emotion in ALL):
            return KEPT
        try:
            image = read_photo(path)
        except UnreadablePhoto as error:
            return str(error)
        if image.shape[:2] != (FACE_SIZE, FACE_SIZE):
            return f"no {FACE_SIZE}x{FACE_SIZE} face crop"
        mesh = self._finder.mesh(image)
        if mesh is None:
            return "no mesh found"
        if not is_calm(mesh):
            return "smiles or opens the mouth"
        faces = self._expressed(Portrait(image, mesh.points))
        if faces is None:
            return f"more than {MAY_FAIL} emotion does not rise"
        for emotion, face in faces.items():
            write_jpeg(output / emotion / path.name, face.image)
        return KEPT

    def _expressed(self, face: Portrait) -> dict[str, Portrait] | None:
        """A calm face with each emotion; None where too many don't show."""
        nearest = self._people.nearest(face)
        ways = {emotion: self._people.way(emotion, face, nearest) for emotion in FIVE}
        calm = self._log_probabilities(face)
        faces, failed = {NEUTRAL: face}, 0
        for emotion in FIVE:
            move, changes = movement(face, ways, RECIPES[emotion]), self._people.changes(emotion, nearest)
            enough = "none"
            for strength in STRENGTHS:
                made = transfer(face, face.points + strength * move, changes, self._mouths.get(emotion, ()))
                faces.setdefault(emotion, made)
                if FIVE[int((self._log_probabilities(made) - calm).argmax())] == emotion:
                    faces[emotion], enough = made, str(strength)
                    break
            failed += enough == "none"
            self.judged[emotion, enough] += 1
        return faces if failed <= MAY_FAIL else None

    def _log_probabilities(self, face: Portrait) -> NDArray[np.float32]:
        return self._judge.log_probabilities([face.image], [face.points], FIVE)[0]


def build_parser() -> argparse.ArgumentParser:
    """All flags."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=Path, required=True, help="people with all six expressions, made by --pairs")
    parser.add_argument("--faces", type=Path, required=True, help="face crops, the calm ones in neutral/")
    parser.add_argument("--mouths", type=Path, required=True, help="the photos that research/mouths.csv names")
    parser.add_argument("--output", type=Path, required=True, help="a folder for each emotion is made in it")
    parser.add_argument(
        "--people_beside", type=int, default=200, metavar="N", help="of the people, written beside (%(default)s)"
    )
    return parser


@command
def main(argv: list[str] | None = None) -> int:
    """Write the pairs that the command line asks for: 0 if a face served, 1 if none did. A second run goes on."""
    args = build_parser().parse_args(argv)
    faces = [Path(path) for path in find_images(args.faces / NEUTRAL)] if (args.faces / NEUTRAL).is_dir() else []
    if not faces:
        raise UserError(f"--faces {args.faces} has no faces in {NEUTRAL}/: crop some first, with --emotions {NEUTRAL}")
    for flag in ("people", "faces", "mouths"):
        folder = getattr(args, flag).resolve()
        if folder in (args.output.resolve(), *args.output.resolve().parents):
            raise UserError(f"--output {args.output} lies inside --{flag} {folder}: name another folder")
    try:
        with unwritable_reported(f"--output {args.output}"), FaceFinder() as finder:
            return make_pairs(args, faces, finder)
    except KeyboardInterrupt:
        print("\nstopped: the same command carries on from here", file=sys.stderr)
        return 130


def make_pairs(args: argparse.Namespace, faces: Sequence[Path], finder: FaceFinder) -> int:
    """The same with the command line read; prints what was left out and what the judge said."""
    people = People(args.people, finder)
    maker = PairMaker(people, read_mouths(args.mouths, finder), finder)
    for emotion in ALL:
        (args.output / emotion).mkdir(parents=True, exist_ok=True)
    outcomes: Counter[str] = Counter()
    with progress_bar(len(faces), "faces") as progress:
        for path in faces:
            outcomes[maker.write(path, args.output)] += 1
            progress.update()
    kept = outcomes.pop(KEPT, 0)
    beside = random.Random(0).sample(people.names, min(args.people_beside, len(people.names)))
    for name in beside:
        for emotion in ALL:
            copy = partial(shutil.copyfile, args.people / emotion / name)
            write_atomically(args.output / emotion / name, copy)
    print(f"{kept} faces and {len(beside)} people with six expressions each in {args.output}")
    for reason, count in outcomes.most_common():
        print(f"left out {count}: {reason}")
    for (emotion, strength), count in sorted(maker.judged.items()):
        print(f"{emotion}: {count} rise most at strength {strength}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
