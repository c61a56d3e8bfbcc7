"""What the mirror makes of faces whose emotion is known, and the time a frame takes it.

    python benchmarks/feedback.py
    python benchmarks/feedback.py --faces FOLDER      # real faces, one folder an emotion
    python benchmarks/feedback.py --people FOLDER     # rendered people, the same person with each emotion
    python benchmarks/feedback.py --fit --faces FOLDER --people FOLDER    # writes apps/feedback_weights.json
    python benchmarks/feedback.py --rate              # the time a frame takes, here and on the phone's page

Measured are drawn people, the half of the real faces and those rendered people (val.txt) that nothing was fitted on.
`--readings FOLDER` keeps what MediaPipe reads between runs.
"""

from __future__ import annotations

import argparse
import base64
import csv
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import cv2
import feedback_fit
import numpy as np
from tqdm import tqdm

from apps import expression_rules, learned_feedback
from apps.expression_rules import Blendshapes
from common import emotions
from common.errors import UserError, door
from face_detection import FaceFinder
from imaging.draw_faces import draw_face, usual_intensity
from imaging.photo import read_photo
from real_face_judge import RealFaceJudge

TO_FIT = range(7_000_000, 7_000_060)  # drawn people, each with every emotion and at rest
TO_MEASURE = range(9_000_000, 9_000_040)
DIM, NOISE = 0.25, 6.0  # share of the light that is left; standard deviation of a camera's noise in it
FRAME_COLOUR = (30, 25, 25)
EYES = ((33, 133), (362, 263))  # the corners of either in MediaPipe's mesh
FRAMES = 300
FRAME = (480, 640, 3)

TIME_FRAMES = """async ([address, frames]) => {
    const { loadMirror } = await import("./mirror.js");
    const { Coach } = await import("./feedback.js");
    const image = new Image();
    image.src = address;
    await image.decode();
    const mirror = await loadMirror();
    await mirror.landmarker.setOptions({ runningMode: "VIDEO" });
    let coach, face, began, coached = 0;
    for (let i = -10; i < frames; i += 1) {  // the first ones warm up
        if (i === 0) [began, coached] = [performance.now(), 0];
        const [shapes] = mirror.landmarker.detectForVideo(image, performance.now()).faceBlendshapes;
        const before = performance.now();
        face = Object.fromEntries(shapes.categories.map(({ categoryName, score }) => [categoryName, score]));
        coach ??= new Coach(mirror.table, "happy", face);
        coach.see(face, i / 30);
        coached += performance.now() - before;
    }
    return [(performance.now() - began) / frames, coached / frames];
}"""


@dataclass(frozen=True)
class Known:
    """A face whose emotion is known, and the person's resting face where that is."""

    emotion: str
    face: Blendshapes
    rest: Blendshapes | None = None


@dataclass(frozen=True)
class Readings:
    """What was read off pictures: MediaPipe's blendshapes [N, 52], the judge's log-probabilities [N, 7], and of which
    file (emotion/name) each is.
    """

    names: list[str]
    values: np.ndarray
    network: np.ndarray
    files: list[str]

    @property
    def emotions(self) -> np.ndarray:
        """The number of each face's emotion among `feedback_fit.CLASSES`."""
        shown = [emotions.canonical(file.partition("/")[0]) for file in self.files]
        return np.array([feedback_fit.CLASSES.index(str(emotion)) for emotion in shown])

    @property
    def stems(self) -> list[str]:
        """Each picture's name: the person's, where the pictures come in pairs."""
        return [Path(file).stem for file in self.files]

    def face(self, i: int) -> Blendshapes:
        """One of them as the apps take it."""
        return dict(zip(self.names, self.values[i].tolist(), strict=True))

    def where(self, keep: Sequence[bool]) -> Readings:
        """Some of them."""
        files = [file for file, kept in zip(self.files, keep, strict=True) if kept]
        kept = np.array(keep)
        return Readings(self.names, self.values[kept], self.network[kept], files)

    def rest_of(self) -> dict[str, int]:
        """Where each person's resting face is."""
        return {Path(file).stem: i for i, file in enumerate(self.files) if file.startswith("neutral/")}


def read(name: str, pictures: Callable[[], Iterator[tuple[str, np.ndarray]]], cache: Path | None) -> Readings:
    """Every picture's blendshapes, as the mirror reads them; those without a face are left out."""
    file = cache / f"{name}.npz" if cache else None
    if file and file.exists():
        kept = np.load(file)
        return Readings(kept["names"].tolist(), kept["values"], kept["network"], kept["files"].tolist())
    judge = RealFaceJudge()
    names, rows, network, files = [], [], [], []
    with FaceFinder() as finder:
        for path, picture in tqdm(pictures(), desc=name, unit="face"):
            mesh = finder.mesh(picture)
            if mesh:
                names = list(mesh.blendshapes)
                rows.append([mesh.blendshapes[each] for each in names])
                network.append(judge.log_probabilities([picture], [mesh.points])[0])
                files.append(path)
    if file:
        np.savez(file, names=names, values=np.array(rows), network=np.array(network), files=files)
    return Readings(names, np.array(rows), np.array(network), files)


def drawn_pictures(identities: range) -> Iterator[tuple[str, np.ndarray]]:
    """Every emotion and the resting face of drawn people."""
    for identity in identities:
        for emotion in feedback_fit.CLASSES:
            intensity = 1.0 if emotion == "neutral" else usual_intensity(identity)
            yield f"{emotion}/{identity}.png", draw_face(identity, emotion, intensity=intensity)


def folder_pictures(folder: Path, only: frozenset[str] = frozenset()) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures of a folder, one folder an emotion; of these people only where some are named."""
    files = [file for file in sorted(folder.glob("*/*")) if emotions.canonical(file.parent.name)]
    files = [file for file in files if not only or file.stem in only]
    if not files:
        raise UserError(f"{folder} holds no folders of emotions ({', '.join(emotions.EMOTIONS)}): name another")
    for file in files:
        yield f"{file.parent.name}/{file.name}", read_photo(file)


def dim_light(pictures: Iterator[tuple[str, np.ndarray]]) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures as a camera takes them in a dim room."""
    for path, picture in pictures:
        noise = np.random.default_rng(zlib.crc32(path.encode())).normal(0, NOISE, picture.shape)
        yield path, np.clip(DIM * picture + noise, 0, 255).astype(np.uint8)


def with_glasses(pictures: Iterator[tuple[str, np.ndarray]]) -> Iterator[tuple[str, np.ndarray]]:
    """The people with drawn glasses on: dark frames round the eyes, and a bridge."""
    with FaceFinder() as finder:
        for path, picture in pictures:
            mesh = finder.mesh(picture)
            if mesh is None:
                continue
            corners = [mesh.points[list(eye)] for eye in EYES]
            wide = float(np.mean([np.linalg.norm(eye[1] - eye[0]) for eye in corners]))
            (left, right), picture = (eye.mean(axis=0) for eye in corners), picture.copy()
            thick = max(2, round(0.1 * wide))
            for middle in (left, right):
                axes = round(0.85 * wide), round(0.6 * wide)
                cv2.ellipse(picture, np.rint(middle).astype(int).tolist(), axes, 0, 0, 360, FRAME_COLOUR, thick)
            along = 0.85 * wide * (right - left) / np.linalg.norm(right - left)
            ends = [np.rint(end).astype(int).tolist() for end in (left + along, right - along)]
            cv2.line(picture, *ends, FRAME_COLOUR, thick)
            yield path, picture


def for_fitting(file: str) -> bool:
    """Whether a real face is of the half that fitting may see: by a hash of its name."""
    return zlib.crc32(Path(file).name.encode()) % 2 == 0


def known(readings: Readings, with_rest: bool) -> list[Known]:
    """The faces, and each person's resting one where wanted."""
    rest_of = readings.rest_of() if with_rest else {}
    shown = readings.emotions
    return [
        Known(feedback_fit.CLASSES[shown[i]], readings.face(i), readings.face(rest_of[stem]) if with_rest else None)
        for i, stem in enumerate(readings.stems)
        if not with_rest or stem in rest_of
    ]


def fit(real: Readings, people: Readings, drawn: Readings) -> None:
    """Fit on the halves that are for it, and write the apps' file."""
    sources = {}
    for name, readings in {"real": real, "people": people, "drawn": drawn}.items():
        rest_of = None if name == "real" else readings.rest_of()
        if rest_of is not None:
            readings = readings.where([stem in rest_of for stem in readings.stems])
            rest_of = readings.rest_of()
        rests = None if rest_of is None else readings.values[[rest_of[stem] for stem in readings.stems]]
        fold = np.array([zlib.crc32(f"fold{stem}".encode()) % feedback_fit.FOLDS for stem in readings.stems])
        sources[name] = feedback_fit.Examples(readings.values, rests, readings.emotions, fold)
    weights = feedback_fit.fit_all(real.names, sources)
    counts = ", ".join(f"{len(source.faces)} {name}" for name, source in sources.items())
    how = (
        f"benchmarks/feedback.py --fit, on the fitting halves ({counts}), thresholds out of {feedback_fit.FOLDS} folds"
    )
    feedback_fit.write(learned_feedback.FILE, {"how": how, **weights})


def report(title: str, faces: list[Known]) -> None:
    """Print one table: a row for what the faces show, how they were named, and what they would be praised for."""
    shown = np.array([one.emotion for one in faces])
    named = np.array([expression_rules.nearest(one.face, one.rest) for one in faces])
    praised = {level: praises(faces, level) for level in learned_feedback.LEVELS}
    print(f"\n### {title}\n")
    print(
        f"| shows | faces | {' | '.join(emotions.FIVE)} | {' | '.join(f'{level}: right, other' for level in praised)} |"
    )
    print("| --- |" + " ---: |" * (len(emotions.FIVE) + 1 + len(praised)))
    for emotion in emotions.EMOTIONS:
        rows = shown == emotion
        if not rows.any():
            continue
        own = np.array(emotions.FIVE) == emotion
        cells = [f"{100 * np.mean(named[rows] == name):.0f} %" for name in emotions.FIVE]
        for table in praised.values():
            right = f"{100 * table[rows][:, own].mean():.0f} %" if own.any() else "–"
            cells.append(f"{right}, {100 * table[rows][:, ~own].any(axis=1).mean():.0f} %")
        print(f"| {emotion} | {rows.sum()} | {' | '.join(cells)} |")
    five = shown != "neutral"
    recalls = [np.mean(named[shown == emotion] == emotion) for emotion in emotions.FIVE if (shown == emotion).any()]
    print(
        f"\nNamed rightly: {100 * np.mean(named[five] == shown[five]):.1f} % of {five.sum()} faces; "
        f"mean over the emotions {100 * np.mean(recalls):.1f} %."
    )


def praises(faces: list[Known], level: str) -> np.ndarray:
    """Whether each face would be praised for each of the five, [N, 5]."""
    return np.array(
        [
            [
                expression_rules.meter(emotion, one.face, one.rest, level) >= expression_rules.REACHED
                for emotion in emotions.FIVE
            ]
            for one in faces
        ]
    )


def meaning(faces: list[Known], level: str) -> dict[str, int]:
    """What a level of difficulty means, in percent: of real attempts praised, and of other expressions or none."""
    shown = np.array([feedback_fit.CLASSES.index(one.emotion) for one in faces])
    praised = praises(faces, level)
    own = shown[:, None] == np.arange(1, len(feedback_fit.CLASSES))
    rightly, wrongly = (praised & own).any(axis=1), (praised & ~own).any(axis=1)
    return {
        "right": round(100 * np.mean([rightly[shown == kind].mean() for kind in range(1, len(feedback_fit.CLASSES))])),
        "other": round(100 * np.mean([wrongly[shown == kind].mean() for kind in range(len(feedback_fit.CLASSES))])),
    }


def named_by_group(people: Readings, table: Path) -> dict[str, list[bool]]:
    """Whether each face is named rightly, by age, origin and the head's turn; the resting face known."""
    with table.open(encoding="utf-8") as file:
        persons = {row["person"]: row for row in csv.DictReader(file)}
    rest_of = people.rest_of()
    right: dict[str, list[bool]] = {}
    for i, stem in enumerate(people.stems):
        shown, row = feedback_fit.CLASSES[people.emotions[i]], persons[stem]
        if shown == "neutral" or stem not in rest_of:
            continue
        years, yaw = float(row["years"]), abs(float(row["yaw"]))
        age = "5 to 12 years" if years < 13 else "13 to 59 years" if years < 60 else "60 to 80 years"
        turn = "less than 10°" if yaw < 10 else "10° to 17°" if yaw < 17 else "17° to 25°"
        hit = expression_rules.nearest(people.face(i), people.face(rest_of[stem])) == shown
        for group in ("all", age, row["origin"], f"turned by {turn}"):
            right.setdefault(group, []).append(hit)
    return right


def report_groups(people: Readings, conditions: dict[str, Readings], table: Path) -> None:
    """Print how many faces are named rightly by group, and of all in dim light and with glasses."""
    right = named_by_group(people, table)
    right |= {name: named_by_group(readings, table)["all"] for name, readings in conditions.items()}
    print("\n### Rendered people by group, resting face known\n")
    print("| group | faces | named rightly |\n| --- | ---: | ---: |")
    for group, hits in sorted(right.items()):
        print(f"| {group} | {len(hits)} | {100 * np.mean(hits):.0f} % |")


def measure(real: Readings | None, folder: Path | None, cache: Path | None, tell: bool) -> None:
    """Print every table, of the halves that nothing was fitted on."""
    measured: dict[str, list[Known]] = {}
    if real:
        half = real.where([not for_fitting(file) for file in real.files])
        measured["unknown"] = known(half, False)
        report("Real faces, nobody's resting face known", measured["unknown"])
    if folder:
        only = frozenset((folder / "val.txt").read_text().split())
        half = read("people", lambda: folder_pictures(folder), cache)
        half = half.where([stem in only for stem in half.stems])
        measured["known"] = known(half, True)
        report("Rendered people, the resting face known", measured["known"])
        report("The same, resting face not known", known(half, False))
        conditions = {
            "in dim light": read("people_dim", lambda: dim_light(folder_pictures(folder, only)), cache),
            "with glasses": read("people_glasses", lambda: with_glasses(folder_pictures(folder, only)), cache),
        }
        report_groups(half, conditions, folder / "list.csv")
    drawn = read("drawn", lambda: drawn_pictures(TO_MEASURE), cache)
    report("Drawn faces, the person's resting face known", known(drawn, True))
    report("The same, resting face not known", known(drawn, False))
    if tell:
        levels = {
            level: {kind: meaning(faces, level) for kind, faces in measured.items()}
            for level in learned_feedback.LEVELS
        }
        feedback_fit.write(learned_feedback.FILE, {**learned_feedback.WEIGHTS, "measured": levels})


def rate() -> None:
    """Print the time a frame takes the page's mirror, and its coach."""
    frame = np.full(FRAME, 128, np.uint8)
    frame[:, 80:560] = draw_face(TO_MEASURE[0], "happy", intensity=0.6, size=480)
    watched, coached = phone_page(frame)
    print(f"The page in Chromium: {watched:.1f} ms a frame, of that the coach {coached:.2f} ms.")


def phone_page(frame: np.ndarray) -> tuple[float, float]:
    """Milliseconds that a frame takes the phone's page, and those of its coach."""
    from browser import launch
    from playwright.sync_api import sync_playwright
    from serving import Server, jpeg

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        camera = Path(folder) / "camera.mjpeg"
        camera.write_bytes(jpeg(frame))
        with Server(Path(folder)) as server:
            browser = launch(playwright, camera)
            page = browser.new_page()
            page.set_default_timeout(600_000)
            page.goto(server.url)
            address = f"data:image/jpeg;base64,{base64.b64encode(jpeg(frame)).decode()}"
            watched, coached = page.evaluate(TIME_FRAMES, [address, FRAMES])
            browser.close()
    return float(watched), float(coached)


@door
def main(argv: list[str] | None = None) -> int:
    """Fit where asked, then measure and print."""
    parser = argparse.ArgumentParser(description="The mirror on faces whose emotion is known.")
    parser.add_argument("--faces", type=Path, help="a folder of real faces, one folder an emotion")
    parser.add_argument("--people", type=Path, help="a folder of rendered people, with its val.txt and list.csv")
    parser.add_argument("--readings", type=Path, help="a folder that keeps what MediaPipe read")
    parser.add_argument("--fit", action="store_true", help="fit the learned part anew (needs --faces and --people)")
    parser.add_argument("--tell", action="store_true", help="let the apps tell adults what was measured of each level")
    parser.add_argument("--rate", action="store_true", help="only the time a frame takes the page")
    args = parser.parse_args(argv)
    cache = args.readings
    real = read("faces", lambda: folder_pictures(args.faces), cache) if args.faces else None
    if args.rate:
        rate()
        return 0
    if args.fit:
        if not (real and args.people):
            raise UserError("--fit needs --faces and --people")
        people = read("people", lambda: folder_pictures(args.people), cache)
        measured = set((args.people / "val.txt").read_text().split())
        fitting = read("drawn_to_fit", lambda: drawn_pictures(TO_FIT), cache)
        fit(
            real.where([for_fitting(file) for file in real.files]),
            people.where([stem not in measured for stem in people.stems]),
            fitting,
        )
        return 0
    if args.tell and not (real and args.people):
        raise UserError("--tell needs --faces and --people")
    measure(real, args.people, cache, args.tell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
