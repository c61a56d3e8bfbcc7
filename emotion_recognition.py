"""The emotion judge: which emotion does a face show, and how surely.

    python emotion_recognition.py predict PHOTO...
    python emotion_recognition.py train --image_dir data/train512 --output data/models/emotion.pt

`EmotionRecognizer` takes the published `enet_b2_7.pt` or a judge trained here on your own labelled faces.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import UserError, command
from common.flags import add_flags, from_values
from common.settings import JudgeSettings
from common.version import NAME_AND_VERSION
from scoring.emotion_recognizer import EmotionRecognizer

if TYPE_CHECKING:
    import numpy as np


def build_parser() -> argparse.ArgumentParser:
    """`predict` and `train`."""
    parser = argparse.ArgumentParser(description="The emotion judge: ask it, or train your own.")
    parser.add_argument("--version", action="version", version=NAME_AND_VERSION)
    commands = parser.add_subparsers(dest="command", required=True)
    tidy = argparse.ArgumentDefaultsHelpFormatter

    predict = commands.add_parser("predict", help="which emotion photos show", formatter_class=tidy)
    predict.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photos or face crops")
    predict.add_argument("--emotion_model", type=Path, help="a judge file; default: enet_b2_7.pt")

    train = commands.add_parser("train", help="train a judge on labelled faces", formatter_class=tidy)
    add_flags(train, JudgeSettings)
    return parser


def predict(photos: Sequence[Path], emotion_model: Path | None) -> None:
    """Print a table: one row a face, one column an emotion, in percent."""
    from common.device import choose_device
    from imaging.value_range import to_network, to_unit

    faces = [(name, pixels) for photo in photos for name, pixels in _faces(photo)]
    recognizer = EmotionRecognizer.load(emotion_model, choose_device())
    classes = recognizer.judge.classes
    width = max(len(name) for name, _ in faces)
    print(" " * width, *(f"{name:>10}" for name in classes))
    for name, pixels in faces:
        row = recognizer.probabilities(to_unit(to_network(pixels))[None], classes)[0]
        print(f"{name:<{width}}", *(f"{100 * p:9.1f}%" for p in row.tolist()), "", classes[int(row.argmax())])


def _faces(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name and uint8 RGB pixels of each face in a photo; of the photo's middle where no face is found."""
    from face_detection import FaceFinder
    from imaging.face_geometry import CROP_SIZE, face_square, input_square
    from imaging.photo import UnreadablePhoto, read_photo
    from imaging.soft_border import crop_softly

    try:
        pixels = read_photo(file)
    except UnreadablePhoto as error:
        raise UserError(f"{file} is not a readable photo ({error}): give another") from error
    with FaceFinder() as finder:
        boxes = finder.boxes(pixels)
    for i, box in enumerate(boxes, 1):
        name = file.name if len(boxes) == 1 else f"{file.name} face {i}"
        yield name, crop_softly(pixels, input_square(face_square(box)), CROP_SIZE)
    if not boxes:
        height, width = pixels.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        yield f"{file.name} (no face found)", pixels[top : top + side, left : left + side]


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit code."""
    args = build_parser().parse_args(argv)
    if args.command == "predict":
        predict(args.photos, args.emotion_model)
    else:
        from scoring import judge_training

        judge_training.train(from_values(JudgeSettings, vars(args)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
