"""Draw labelled faces: pictures without a camera, a licence or a download.

python -m imaging.draw_faces --output data/demo_drawn/train --per_emotion 150 --seed 0
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from pathlib import Path

import cv2

from common.emotions import EMOTIONS, FIVE, canonical
from common.errors import UserError, command
from common.flags import Switch
from common.progress import progress_bar
from common.worker_processes import WorkerDied, map_in_processes
from imaging.drawing.people import Image
from imaging.drawing.picture import draw_face, usual_intensity

IDENTITIES_PER_SEED = 1_000_000  # a seed's identities are seed * this + index, so no two seeds share one
JOBS_AT_ONCE = 8  # faces a worker process takes at a time
WORTH_PROCESSES = 100  # faces from which on starting processes pays


def identity_number(seed: int, index: int, emotion: str | None = None) -> int:
    """Who is in a seed's picture `index`: somebody else for each emotion, the same for all where it is None."""
    shift = 0 if emotion is None else list(EMOTIONS).index(emotion)
    return seed * IDENTITIES_PER_SEED + index * len(EMOTIONS) + shift


def write_faces(output: Path, emotions: list[str], per_emotion: int, seed: int, same_identities: bool) -> int:
    """Draw `output`/<emotion>/<identity>.jpg, `per_emotion` of each, and return how many were drawn.

    Raises `UserError` where a picture cannot be written.
    """
    jobs = [
        (emotion, identity_number(seed, index, None if same_identities else emotion))
        for emotion in emotions
        for index in range(per_emotion)
    ]
    try:
        for emotion in emotions:
            (output / emotion).mkdir(parents=True, exist_ok=True)
        workers = 0 if len(jobs) < WORTH_PROCESSES else (os.cpu_count() or 1)
        with progress_bar(len(jobs), "faces", "drawing") as progress:
            for drawn in map_in_processes(functools.partial(_write_batch, output), jobs, workers, JOBS_AT_ONCE):
                progress.update(drawn)
    except OSError as error:
        raise UserError(f"--output {output} cannot be written ({error.strerror}): name another folder") from error
    except WorkerDied as error:
        raise UserError("a drawing process was killed, perhaps for want of memory: run the command again") from error
    return len(jobs)


def _write_batch(output: Path, jobs: list[tuple[str, int]]) -> int:
    for emotion, identity in jobs:
        face = draw_face(identity, emotion, intensity=usual_intensity(identity))
        write_jpeg(output / emotion / f"{identity:09d}.jpg", face)
    return len(jobs)


def write_jpeg(path: Path, image: Image) -> None:
    """Write an RGB picture whole or not at all."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(data.tobytes())
    partial.replace(path)


def build_parser() -> argparse.ArgumentParser:
    """Every flag."""
    parser = argparse.ArgumentParser(
        description="Draw labelled faces of 512 x 512 pixels: <output>/<emotion>/<identity>.jpg.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=Path("data/demo_drawn/train"), help="folder to fill")
    parser.add_argument("--per_emotion", type=int, default=150, help="faces of each emotion")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other people")
    parser.add_argument("--emotions", nargs="+", default=FIVE, help=f"some of {', '.join(EMOTIONS)}")
    parser.add_argument(
        "--same_identities",
        action=Switch,
        default=False,
        help="the same people in every emotion, so that each one's true translation is known",
    )
    return parser


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line; raises `UserError` for a value that cannot be."""
    args = build_parser().parse_args(argv)
    most = IDENTITIES_PER_SEED // len(EMOTIONS)
    if not 1 <= args.per_emotion <= most:
        raise UserError(f"--per_emotion {args.per_emotion} is not possible: give a number from 1 to {most}")
    if args.seed < 0:
        raise UserError(f"--seed {args.seed} is not possible: give 0 or more")
    for word in args.emotions:
        if canonical(word) is None:
            raise UserError(f"--emotions {word} is not an emotion: choose from {', '.join(EMOTIONS)}")
    args.emotions = sorted({canonical(word) for word in args.emotions})
    return args


@command
def main(argv: list[str] | None = None) -> int:
    """Draw the faces the command line asks for."""
    args = parse_arguments(argv)
    count = write_faces(args.output, args.emotions, args.per_emotion, args.seed, args.same_identities)
    print(f"{count} faces drawn in {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
