"""What the mirror makes of faces whose emotion is known, and the time a frame takes it.

    python benchmarks/feedback.py
    python benchmarks/feedback.py --faces FOLDER      # real faces, one folder an emotion
    python benchmarks/feedback.py --people FOLDER     # rendered people, the same person with each emotion
    python benchmarks/mirror.py --people FOLDER --record FILMS
    python benchmarks/feedback.py --fit --faces FOLDER --people FOLDER --films FILMS  # apps/feedback_weights.json
    python benchmarks/feedback.py --rate              # the time a frame takes, here and on the phone's page

Measured are drawn people, the half of the real faces and those rendered people (val.txt) that nothing was fitted on.
`--readings FOLDER` keeps what MediaPipe reads between runs.
"""

from __future__ import annotations

import argparse
import base64
import csv
import math
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import cv2
import feedback_films
import feedback_fit
import numpy as np
from feedback_films import Film
from feedback_persons import number_of, persons

from apps import expression_rules, learned_feedback
from apps.expression_rules import Blendshapes
from apps.face_reading import read_face
from common import emotions
from common.errors import UserError, command
from common.progress import tracked
from face_detection import FaceFinder
from imaging.drawing.picture import draw_face, usual_intensity
from imaging.photo import read_photo

TO_FIT = range(7_000_000, 7_000_060)  # drawn people, each with every emotion and at rest
TO_MEASURE = range(9_000_000, 9_000_040)
DIM, NOISE = 0.25, 6.0  # share of the light that is left; standard deviation of a camera's noise in it
FRAME_COLOUR = (30, 25, 25)
EYES = ((33, 133), (362, 263))  # the corners of either in MediaPipe's mesh
FRAMES = 60
FRAME = (480, 640, 3)

TIME_FRAMES = """async ([address, frames]) => {
    const { loadMirror } = await import("./mirror.js");
    const { Coach } = await import("./feedback.js");
    const image = new Image();
    image.src = address;
    await image.decode();
    const mirror = await loadMirror();
    await mirror.landmarker.setOptions({ runningMode: "VIDEO" });
    const judge = mirror.judge, none = { look: () => ({}) };
    const coach = new Coach(mirror.table, "happy", mirror.see(image, performance.now()).face);
    const times = { without: [], with: [], coach: [] };
    for (let i = -10; i < frames; i += 1) {  // the first ones warm up; with the judge and without it in turn
        for (const [kind, by] of [["without", none], ["with", judge]]) {
            mirror.judge = by;
            let took = 0;
            for (let j = 0; j < 2; j += 1) {  // the judge looks at one of two
                const began = performance.now();
                const { face } = mirror.see(image, performance.now());
                const seen = performance.now();
                coach.see(face, seen / 1000);
                if (i >= 0) times.coach.push(performance.now() - seen);
                took += performance.now() - began;
            }
            if (i >= 0) times[kind].push(took / 2);
        }
    }
    return Object.values(times).map((values) => values.sort((a, b) => a - b)[values.length >> 1]);
}"""


@dataclass(frozen=True)
class Known:
    """A face whose emotion is known, and the person's resting face where that is."""

    emotion: str
    face: Blendshapes
    rest: Blendshapes | None = None


@dataclass(frozen=True)
class Readings:
    """What was read off pictures (`apps.face_reading`), [N, F], of which file (emotion/name) and person each is."""

    names: list[str]
    values: np.ndarray
    files: list[str]
    persons: list[str]

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
        files, person = (
            [one for one, kept in zip(every, keep, strict=True) if kept] for every in (self.files, self.persons)
        )
        return Readings(self.names, self.values[np.array(keep)], files, person)

    def rests(self) -> np.ndarray:
        """Each face's person at rest, [N, F]: the mean of their other neutral pictures, NaN where there is none.

        Of people in pairs there is one neutral picture, which is its own rest.
        """
        rests = np.full(self.values.shape, np.nan)
        neutral = self.emotions == 0
        persons = np.array(self.persons)
        for person in dict.fromkeys(self.persons):
            own = np.flatnonzero(persons == person)
            calm = own[neutral[own]]
            for i in own:
                others = calm[calm != i] if self.in_the_wild else calm
                if len(others):
                    rests[i] = self.values[others].mean(axis=0)
        return rests

    @property
    def in_the_wild(self) -> bool:
        """Whether somebody's pictures have nothing else in common."""
        return self.persons != self.stems


def read(name: str, pictures: Callable[[], Iterator[tuple[str, np.ndarray]]], cache: Path | None) -> Readings:
    """Every picture as the mirror reads it; those without a face are left out."""
    file = cache / f"{name}.npz" if cache else None
    if file and file.exists():
        kept = np.load(file)
        files = kept["files"].tolist()
        return Readings(kept["names"].tolist(), kept["values"], files, [Path(path).stem for path in files])
    names, rows, files = [], [], []
    with FaceFinder() as finder:
        for path, picture in pictures():
            reading = read_face(picture, finder)
            if reading:
                names = list(reading)
                rows.append(list(reading.values()))
                files.append(path)
    if file:
        np.savez(file, names=names, values=np.array(rows), files=files)
    return Readings(names, np.array(rows), files, [Path(path).stem for path in files])


def real_faces(folder: Path, cache: Path | None) -> Readings:
    """Real faces, each with who it is."""
    readings = read("faces", lambda: folder_pictures(folder), cache)
    who = persons(folder_pictures(folder), cache / "persons.npz" if cache else None)
    return replace(readings, persons=[who[file] for file in readings.files])


def drawn_pictures(identities: range) -> Iterator[tuple[str, np.ndarray]]:
    """Every emotion and the resting face of drawn people."""
    for identity in tracked(identities, "drawn people"):
        for emotion in feedback_fit.CLASSES:
            intensity = 1.0 if emotion == "neutral" else usual_intensity(identity)
            yield f"{emotion}/{identity}.png", draw_face(identity, emotion, intensity=intensity)


def folder_pictures(folder: Path, only: frozenset[str] = frozenset()) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures of a folder, one folder an emotion; of these people only where some are named."""
    files = [file for file in sorted(folder.glob("*/*")) if emotions.canonical(file.parent.name)]
    files = [file for file in files if not only or file.stem in only]
    if not files:
        raise UserError(f"{folder} holds no folders of emotions ({', '.join(emotions.EMOTIONS)}): name another")
    for file in tracked(files, "pictures", folder.name):
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


def for_fitting(person: str) -> bool:
    """Whether a person is of the half that fitting may see: by a hash."""
    return number_of(person, 2) == 0


def known(readings: Readings, with_rest: bool) -> list[Known]:
    """The faces; with their persons' resting ones, and only those where there is one, where wanted."""
    rests = readings.rests()
    usable = ~np.isnan(rests).any(axis=1)
    return [
        Known(
            feedback_fit.CLASSES[shown],
            readings.face(i),
            dict(zip(readings.names, rests[i].tolist(), strict=True)) if with_rest else None,
        )
        for i, shown in enumerate(readings.emotions)
        if usable[i] or not with_rest
    ]


def fit(real: Readings, people: Readings, drawn: Readings, films: list[Film]) -> None:
    """Fit on the halves that are for it, and write the apps' file."""
    sources = {}
    for name, readings in {"real": real, "people": people, "drawn": drawn}.items():
        fold = np.array([number_of(person, feedback_fit.FOLDS, "fold") for person in readings.persons])
        sources[name] = feedback_fit.Examples(readings.values, readings.rests(), readings.emotions, fold)
    calm = {stem: people.values[i] for i, stem in enumerate(people.stems) if people.emotions[i] == 0}
    films = [film for film in films if film.person in calm]
    sources["films"] = feedback_films.examples(films, real.names)
    sources["films after a photo"] = feedback_films.examples(films, real.names, calm)
    weights = feedback_fit.fit_all(real.names, sources)
    counts = ", ".join(f"{len(source.faces)} {name}" for name, source in sources.items())
    how = (
        f"benchmarks/feedback.py --fit, on the fitting halves ({counts}), thresholds out of {feedback_fit.FOLDS} folds"
    )
    feedback_fit.write(learned_feedback.FILE, {"how": how, **weights})


def report(title: str, faces: list[Known], full: bool = False) -> None:
    """Print how faces are named and, for each emotion asked for, which are praised for it."""
    shown = np.array([one.emotion for one in faces])
    named = np.array([expression_rules.nearest(one.face, one.rest) for one in faces])
    print(f"\n### {title}\n")
    five = shown != "neutral"
    recalls = [np.mean(named[shown == emotion] == emotion) for emotion in emotions.FIVE if (shown == emotion).any()]
    print(
        f"Named rightly: {100 * np.mean(named[five] == shown[five]):.1f} % of {five.sum()} faces; "
        f"mean over the emotions {100 * np.mean(recalls):.1f} %.\n"
    )
    print("| asked for, level | faces that show it | praised rightly | neutral praised | other praised: mean, most |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for level in learned_feedback.LEVELS if full else learned_feedback.LEVELS[:1]:
        praised = praises(faces, level)
        for i, emotion in enumerate(emotions.FIVE):
            hits = {kind: praised[shown == kind, i] for kind in feedback_fit.CLASSES if (shown == kind).any()}
            others = {k: v for k, v in hits.items() if k not in (emotion, "neutral")}
            most = max((k for k in others if len(others[k]) >= feedback_fit.FEWEST), key=lambda k: others[k].mean())
            print(
                f"| {emotion}, {level} | {len(hits[emotion])} | {share(hits[emotion])} | {share(hits['neutral'])} | "
                f"{100 * np.mean([v.mean() for v in others.values()]):.0f} %, {most} {share(others[most])} |"
            )


def share(hits: np.ndarray) -> str:
    """A share of faces in percent, with Wilson's 95 % interval."""
    n, p, z = len(hits), float(hits.mean()), 1.96
    middle, width = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * width) / (1 + z * z / n) for sign in (-1, 1))
    return f"{100 * p:.0f} % ({100 * max(low, 0):.0f} to {100 * min(high, 1):.0f})"


def praises(faces: list[Known], level: str) -> np.ndarray:
    """Whether each face would be praised where each of the five is asked for, [N, 5]."""
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
    """What a level of difficulty means, in percent: of faces that show what was asked for, and of others, praised."""
    shown = np.array([feedback_fit.CLASSES.index(one.emotion) for one in faces])
    praised = praises(faces, level)
    rightly, wrongly = [], []
    for asked in range(1, len(feedback_fit.CLASSES)):
        for kind in set(shown.tolist()):
            (rightly if kind == asked else wrongly).append(praised[shown == kind, asked - 1].mean())
    return {"right": round(100 * np.mean(rightly)), "other": round(100 * np.mean(wrongly))}


def named_by_group(people: Readings, table: Path) -> dict[str, list[bool]]:
    """Whether each face is named rightly, by age, origin and the head's turn; the resting face known."""
    with table.open(encoding="utf-8") as file:
        rows = {row["person"]: row for row in csv.DictReader(file)}
    rests = people.rests()
    right: dict[str, list[bool]] = {}
    for i, stem in enumerate(people.stems):
        shown, row = feedback_fit.CLASSES[people.emotions[i]], rows[stem]
        if shown == "neutral" or np.isnan(rests[i]).any():
            continue
        rest = dict(zip(people.names, rests[i].tolist(), strict=True))
        years, yaw = float(row["years"]), abs(float(row["yaw"]))
        age = "5 to 12 years" if years < 13 else "13 to 59 years" if years < 60 else "60 to 80 years"
        turn = "less than 10°" if yaw < 10 else "10° to 17°" if yaw < 17 else "17° to 25°"
        hit = expression_rules.nearest(people.face(i), rest) == shown
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
        half = real.where([not for_fitting(person) for person in real.persons])
        measured["unknown"] = known(half, False)
        report("Real faces, nobody's resting face known", measured["unknown"], full=True)
        report("Those of whom there is another, neutral photo: their resting face", known(half, True), full=True)
    if folder:
        only = frozenset((folder / "val.txt").read_text().split())
        half = read("people", lambda: folder_pictures(folder), cache)
        half = half.where([stem in only for stem in half.stems])
        measured["known"] = known(half, True)
        report("Rendered people, the resting face known", measured["known"], full=True)
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
    without, judged, coached = phone_page(frame)
    print(
        f"The page in Chromium, median: {without:.1f} ms a frame without the judge, {judged:.1f} ms with it (one look "
        f"in two frames), of that the coach {coached:.2f} ms."
    )


def phone_page(frame: np.ndarray) -> tuple[float, float, float]:
    """Milliseconds that a frame takes the page without the judge and with it, and those of its coach: medians."""
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
            without, judged, coached = page.evaluate(TIME_FRAMES, [address, FRAMES])
            browser.close()
    return float(without), float(judged), float(coached)


@command
def main(argv: list[str] | None = None) -> int:
    """Fit where asked, then measure and print."""
    parser = argparse.ArgumentParser(description="The mirror on faces whose emotion is known.")
    parser.add_argument("--faces", type=Path, help="a folder of real faces, one folder an emotion")
    parser.add_argument("--people", type=Path, help="a folder of rendered people, with its val.txt and list.csv")
    parser.add_argument("--films", type=Path, help="a folder of films that mirror.py --record made of these people")
    parser.add_argument("--readings", type=Path, help="a folder that keeps what MediaPipe read")
    parser.add_argument(
        "--fit", action="store_true", help="fit the learned part anew (needs --faces, --people, --films)"
    )
    parser.add_argument("--tell", action="store_true", help="let the apps tell adults what was measured of each level")
    parser.add_argument("--rate", action="store_true", help="only the time a frame takes the page")
    args = parser.parse_args(argv)
    cache = args.readings
    real = real_faces(args.faces, cache) if args.faces else None
    if args.rate:
        rate()
        return 0
    if args.fit:
        if not (real and args.people and args.films):
            raise UserError("--fit needs --faces, --people and --films")
        people = read("people", lambda: folder_pictures(args.people), cache)
        measured = set((args.people / "val.txt").read_text().split())
        fitting = read("drawn_to_fit", lambda: drawn_pictures(TO_FIT), cache)
        fit(
            real.where([for_fitting(person) for person in real.persons]),
            people.where([stem not in measured for stem in people.stems]),
            fitting,
            feedback_films.load_films(args.films),
        )
        return 0
    if args.tell and not (real and args.people):
        raise UserError("--tell needs --faces and --people")
    measure(real, args.people, cache, args.tell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
