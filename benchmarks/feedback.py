"""What the mirror's table alone makes of faces whose emotion is known, and how many frames a second the mirror takes.

    python benchmarks/feedback.py
    python benchmarks/feedback.py --faces FOLDER      # real faces, one folder an emotion

The drawn people are none the rules were fitted on, and of a folder of real faces only the half is looked at that the
rules were not fitted on.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tqdm import tqdm

from apps import expression_rules
from apps.emokids.mirror import Mirror
from apps.expression_rules import Blendshapes
from common import emotions
from common.errors import UserError, door
from face_detection import FaceFinder
from imaging.draw_faces import draw_face, usual_intensity
from imaging.photo import read_photo

FIRST_IDENTITY = 9_000_000
IDENTITIES = 100  # each drawn with every emotion: 500 faces, and 100 resting ones
FRAMES = 300
FRAME = (480, 640, 3)


@dataclass(frozen=True)
class Known:
    """A face whose emotion is known, and the person's resting face where that is."""

    emotion: str
    face: Blendshapes
    rest: Blendshapes | None = None


def drawn_faces(finder: FaceFinder) -> Iterator[Known]:
    """Every emotion and the resting face of the drawn people."""
    for identity in tqdm(range(FIRST_IDENTITY, FIRST_IDENTITY + IDENTITIES), desc="drawing", unit="person"):
        neutral = finder.mesh(draw_face(identity, "neutral"))
        for emotion in emotions.EMOTIONS:
            mesh = finder.mesh(draw_face(identity, emotion, intensity=usual_intensity(identity)))
            if mesh and neutral:
                yield Known(emotion, mesh.blendshapes, neutral.blendshapes)


def real_faces(folder: Path, finder: FaceFinder) -> Iterator[Known]:
    """The half of a folder's faces that the rules were not fitted on; those without a mesh are left out."""
    files = [file for file in sorted(folder.glob("*/*")) if emotions.canonical(file.parent.name)]
    if not files:
        raise UserError(f"--faces {folder} holds no folders of emotions ({', '.join(emotions.EMOTIONS)}): name another")
    for file in tqdm([file for file in files if zlib.crc32(file.name.encode()) % 2], desc="looking", unit="face"):
        mesh = finder.mesh(read_photo(file))
        emotion = emotions.canonical(file.parent.name)
        if mesh and emotion:
            yield Known(emotion, mesh.blendshapes)


def report(title: str, faces: Iterable[Known]) -> None:
    """Print one table: a row for what the faces show, how they were named, and for what they would be praised."""
    faces = list(faces)
    scores = np.array(
        [[expression_rules.score(emotion, one.face, one.rest) for emotion in emotions.FIVE] for one in faces]
    )
    shown = np.array([one.emotion for one in faces])
    named = np.array(emotions.FIVE)[scores.argmax(axis=1)]
    reached = scores >= expression_rules.REACHED
    five = shown != "neutral"
    counts = [np.sum(shown == emotion) for emotion in emotions.FIVE]
    print(f"\n### {title}\n")
    print(f"| shows | faces | {' | '.join(emotions.FIVE)} | AUC | praised rightly | praised for another |")
    print("| --- |" + " ---: |" * (len(emotions.FIVE) + 4))
    for emotion in emotions.EMOTIONS:
        rows = shown == emotion
        shares = [f"{100 * np.mean(named[rows] == name):.0f} %" for name in emotions.FIVE]
        own = np.array(emotions.FIVE) == emotion
        rightly = f"{100 * reached[rows][:, own].mean():.0f} %" if own.any() else ""
        auc = f"{area_under_curve(scores[rows][:, own], scores[five & ~rows][:, own]):.2f}" if own.any() else ""
        wrongly = f"{100 * reached[rows][:, ~own].any(axis=1).mean():.0f} %"
        print(f"| {emotion} | {rows.sum()} | {' | '.join(shares)} | {auc} | {rightly} | {wrongly} |")
    recalls = [np.mean(named[shown == emotion] == emotion) for emotion in emotions.FIVE]
    print(
        f"\nNamed rightly: {100 * np.mean(named[five] == shown[five]):.1f} % of {five.sum()} faces; "
        f"mean over the emotions {100 * np.mean(recalls):.1f} %. Always naming the most frequent one: "
        f"{100 * max(counts) / five.sum():.1f} %; mean over the emotions {100 / len(counts):.0f} %."
    )


def area_under_curve(inside: np.ndarray, outside: np.ndarray) -> float:
    """How often a face that shows the emotion scores higher than one that shows another."""
    return float(np.mean(inside > outside.T) + np.mean(inside == outside.T) / 2)


def rate() -> None:
    """Print frames a second of the mirror, and the processor time each takes."""
    frames = []
    for emotion, intensity in itertools.product(emotions.FIVE, (0.3, 0.6, 0.9)):
        frame = np.full(FRAME, 128, np.uint8)
        frame[:, 80:560] = draw_face(FIRST_IDENTITY, emotion, intensity=intensity, size=480)
        frames.append(frame)
    with Mirror() as mirror:
        mirror.begin("happy")
        wall, processor = time.perf_counter(), time.process_time()
        for i in range(FRAMES):
            mirror.see(frames[i % len(frames)], i / 30)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    height, width, _ = FRAME
    print(
        f"\nThe mirror: {FRAMES / wall:.0f} frames a second of {width} × {height}, "
        f"{1000 * processor / FRAMES:.1f} ms of one core each."
    )


@door
def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The mirror's table on faces whose emotion is known.")
    parser.add_argument("--faces", type=Path, help="a folder of real faces, one folder an emotion")
    args = parser.parse_args(argv)
    with FaceFinder() as finder:
        if args.faces:
            report("Real faces, nobody's resting face known", real_faces(args.faces, finder))
            return 0
        drawn = list(drawn_faces(finder))
    report("Drawn faces, the person's resting face known", drawn)
    report("The same, resting face not known", (Known(one.emotion, one.face) for one in drawn))
    rate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
