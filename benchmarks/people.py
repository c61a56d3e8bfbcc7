"""How well does a generator translate people it never saw? Rendered people with known answers, and real portraits.

    python benchmarks/people.py GENERATOR.ckpt --people FOLDER [--judge JUDGE.pt]
        [--portraits FOLDER ...] [--count 73] [--sheet people.png]
    python benchmarks/people.py GENERATOR.ckpt --photolike FOLDER [--count 73] [--sheet FOLDER]

With --photolike: calm photo-like people, `--detail photo` and `network`, as `photolike.py` says; a sheet for
each person, the moved photo above the network's picture.

FOLDER of people holds a folder per emotion and one of neutral faces, in which a person has one file name; val.txt names
those held out, list.csv their years and origin. The neutral picture is translated as a photo is, paste included.

- judge: how often a classifier trained on other people names the wanted emotion (`emotion_recognition.py train`); the
  judge of real faces names it; its log-odds rise most above the photo's, of all five;
- error: grey levels from the known answer, in the face and where it moves, beside what leaving the photo alone gives;
- blendshapes: MediaPipe's, how far they move, beside how far they move in the answer;
- identity of portraits: dlib's distance to the photo, below 0.6 for the same person.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch

from benchmarks import photolike
from common.emotions import FIVE
from common.errors import UserError, command
from common.progress import progress_bar, tracked
from emotion_recognition import EmotionRecognizer
from face_detection import Face
from face_identity import SAME_PERSON, IdentityNetwork
from imaging import picture_grid
from imaging.face_geometry import Image, Mask, face_mask, input_square
from imaging.image_folder import find_images
from imaging.photo import read_photo
from scoring.real_face_judge import RealFaceJudge, among, outputs_of
from translation.translator import Translator

NEUTRAL = "neutral"
SIZE = 448  # pixels at which a face is looked at
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336]
MOUTH = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
REACH = 0.06  # how far around its landmarks a region goes, in lengths of the face
BLENDSHAPES = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brows down": ("browDownLeft", "browDownRight"),
    "inner brows up": ("browInnerUp",),
    "eyes wide": ("eyeWideLeft", "eyeWideRight"),
    "jaw open": ("jawOpen",),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "lower lip up": ("mouthShrugLower",),
}
# What must move in a portrait, by how much at least; one of them is enough.
WANTED = {
    "angry": {"brows down": 0.0},
    "fearful": {"inner brows up": 0.0, "eyes wide": 0.0},
    "happy": {"smile": 0.3},
    "sadness": {"inner brows up": 0.0, "frown": 0.0},
    "surprised": {"jaw open": 0.2},
}

REAL, RISES = "judge of real faces", "its change from the photo"
JUDGES = ("judge", REAL, RISES)

Pictures = Mapping[str, Image]  # by emotion, `NEUTRAL` among them; all of one size
Moves = dict[str, float]
Numbers = defaultdict[tuple[str, str], list[float]]  # by (what, emotion or group)


def rendered_people(folder: Path, held_out: bool, count: int) -> Iterator[tuple[str, Pictures]]:
    """`count` people of a folder of emotions, in which a person has one file name; val.txt lists those held out."""
    kept_back = set((folder / "val.txt").read_text().split())
    people = [path for path in sorted((folder / NEUTRAL).glob("*.jpg")) if (path.stem in kept_back) == held_out]
    for path in spread(people, count):
        yield path.stem, {emotion: read_photo(folder / emotion / path.name) for emotion in (NEUTRAL, *FIVE)}


def spread(items: list, count: int) -> list:
    """`count` of them, evenly."""
    return [items[round(i)] for i in np.linspace(0, len(items) - 1, min(count, len(items)))]


class People:
    """The held-out people: measured one after the other."""

    def __init__(self, translator: Translator, judge: EmotionRecognizer | None) -> None:
        self.translator = translator
        self.judge = judge
        self.real_judge = RealFaceJudge()
        self.numbers: Numbers = defaultdict(list)
        self.rows: list[list[Image]] = []

    def add(self, pictures: Pictures, groups: Iterable[str]) -> None:
        """Translate a person's neutral picture and compare with the others."""
        photo = pictures[NEUTRAL]
        faces = [face for face in self.translator.find_faces(photo) if face.points is not None][:1]
        if not faces:
            self.numbers["no mesh found", "people"].append(1)
            return
        results = self.translator.translate(photo, faces).results
        rest = moves_of(self.translator, photo, faces[0])
        for emotion in FIVE:
            found = self._judged(photo, results[emotion], faces[0], emotion)
            for judge, right in found.items():
                for group in (emotion, *groups, "all"):
                    self.numbers[judge, group].append(right)
            self._errors(emotion, photo, results[emotion], pictures[emotion], faces[0])
            for kind, picture in (("moved", results[emotion]), ("answer", pictures[emotion])):
                for name, value in moves_of(self.translator, picture, faces[0], rest).items():
                    self.numbers[f"{kind}: {name}", emotion].append(value)
        self.rows.append([photo, *(results[e] for e in FIVE)])
        self.rows.append([photo, *(pictures[e] for e in FIVE)])

    def _judged(self, photo: Image, picture: Image, face: Face, emotion: str) -> Moves:
        """What each of `JUDGES` says, 1 or 0. Both pictures are cut by the photo's mesh for that of real faces."""
        assert face.points is not None
        before, after = self.real_judge.log_probabilities([photo, picture], [face.points] * 2)
        [named] = among(after[None], FIVE)
        rise = (log_odds(after) - log_odds(before))[outputs_of(FIVE)]
        wanted = FIVE.index(emotion)
        found = {REAL: float(named.argmax() == wanted), RISES: float(rise.argmax() == wanted)}
        if self.judge:
            crop = input_square(face.square, self.translator.crop_size).cut(picture, self.translator.image_size)
            image = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255
            found["judge"] = float(self.judge.probabilities(image, FIVE)[0].argmax() == wanted)
        return found

    def _errors(self, emotion: str, photo: Image, result: Image, answer: Image, face: Face) -> None:
        for region, mask in regions(face, photo.shape).items():
            for kind, picture in (("error", result), ("copy", photo)):
                error = np.abs(picture.astype(float) - answer).mean(axis=2)
                self.numbers[f"{kind}: {region}", emotion].append(float((error * mask).sum() / mask.sum()))
        for kind, picture in (("SSIM", result), ("SSIM of a copy", photo)):
            _, similar = cv2.quality.QualitySSIM_compute(picture, answer)
            mask = regions(face, photo.shape)["face"]
            self.numbers[kind, emotion].append(float((np.mean(similar, axis=2) * mask).sum() / mask.sum()))


def log_odds(log_probabilities: np.ndarray) -> np.ndarray:
    """Of each class against all others."""
    p = np.clip(np.exp(log_probabilities), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def regions(face: Face, shape: tuple[int, ...]) -> dict[str, Mask]:
    """The face, and around brows and mouth, as masks."""
    assert face.points is not None
    length = float(np.linalg.norm(face.points[10] - face.points[152]))
    found = {"face": face_mask(face.points, shape)}
    for name, landmarks in (("brows", BROWS), ("mouth", MOUTH)):
        mask = np.zeros(shape[:2], np.float32)
        for x, y in face.points[landmarks]:
            cv2.circle(mask, (round(float(x)), round(float(y))), round(REACH * length), 1.0, -1)
        found[name] = mask
    return found


def moves_of(translator: Translator, picture: Image, face: Face, rest: Moves | None = None) -> Moves:
    """Blendshapes of the face in `picture`, as differences from `rest`; NaN where no mesh is found."""
    mesh = translator.finder.mesh(input_square(face.square).cut(picture, SIZE))
    if mesh is None:
        return dict.fromkeys(BLENDSHAPES, float("nan"))
    values = {name: float(np.mean([mesh.blendshapes[s] for s in shapes])) for name, shapes in BLENDSHAPES.items()}
    return {name: value - rest[name] for name, value in values.items()} if rest else values


def portraits(translator: Translator, folders: list[Path], count: int) -> tuple[Numbers, list[list[Image]]]:
    """The largest face of up to `count` photos of each folder: does it move as it should, and is it still the same?"""
    numbers: Numbers = defaultdict(list)
    rows: list[list[Image]] = []
    with IdentityNetwork.load() as identity:
        for path in tracked([p for folder in folders for p in spread(find_images(folder), count)], "portraits"):
            photo = read_photo(path)
            faces = [face for face in translator.find_faces(photo) if face.points is not None][:1]
            if not faces:
                continue
            results = translator.translate(photo, faces).results
            square = input_square(faces[0].square)
            crops = [square.cut(photo, SIZE), *(square.cut(results[e], SIZE) for e in FIVE)]
            rows.append(crops)
            rest = moves_of(translator, photo, faces[0])
            who = identity.descriptors(np.stack(crops))
            for emotion, number in zip(FIVE, who[1:], strict=True):
                moved = moves_of(translator, results[emotion], faces[0], rest)
                for name in WANTED[emotion]:
                    numbers[f"moved: {name}", emotion].append(moved[name])
                as_wanted = any(moved[name] > least for name, least in WANTED[emotion].items())
                numbers["moves as it should", emotion].append(as_wanted)
                numbers["same person", emotion].append(float(np.linalg.norm(number - who[0]) < SAME_PERSON))
                numbers["face found again", emotion].append(float(not np.isnan(moved["smile"])))
    return numbers, rows


def groups_of(folder: Path) -> dict[str, list[str]]:
    """By person: age group and origin."""

    def age(years: float) -> str:
        return "5 to 12 years" if years < 13 else "13 to 59" if years < 60 else "60 to 80"

    with (folder / "list.csv").open() as file:
        return {row["person"]: [age(float(row["years"])), row["origin"]] for row in csv.DictReader(file)}


def table(numbers: Numbers, columns: Iterable[str], rows: Iterable[str]) -> Iterator[str]:
    """Means as a Markdown table."""
    columns = list(columns)
    yield f"| | {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * len(columns)}"
    for row in rows:
        cells = [f"{np.nanmean(v):.2f}" if (v := numbers.get((row, column))) else "" for column in columns]
        yield f"| {row} | {' | '.join(cells)} |"


def told(people: People, groups: Iterable[str]) -> Iterator[str]:
    """The tables of the held-out people."""
    numbers = people.numbers
    kinds = [f"{kind}: {region}" for region in ("face", "brows", "mouth") for kind in ("error", "copy")]
    moves = [f"{kind}: {name}" for name in BLENDSHAPES for kind in ("moved", "answer")]
    yield f"\n{len(people.rows) // 2} held-out people\n"
    judges = [name for name in JUDGES if (name, "all") in numbers]
    yield from table(numbers, FIVE, [*judges, *kinds, "SSIM", "SSIM of a copy", *moves])
    yield ""
    yield from table(numbers, ["all", *groups], judges)


def measure_photolike(generator: Path, folder: Path, count: int, sheets: Path | None) -> int:
    """Print the tables of `--photolike` and save the sheets."""
    if not (folder / "list.csv").is_file():
        raise UserError(f"--photolike {folder} holds no list.csv: name the folder of photo-like people")
    with Translator.load(generator) as translator:
        measures = photolike.measure(translator, photolike.calm_people(folder, count))
    print("\n".join(photolike.told(measures)))
    if sheets:
        sheets.mkdir(parents=True, exist_ok=True)
        for rows in zip(*(kind.rows for kind in measures.values()), strict=True):
            sheet = picture_grid.grid([crops for _, crops in rows], ["photo", *FIVE])
            sheet.save(sheets / Path(rows[0][0]).with_suffix(".png"))
    return 0


@command
def main() -> int:
    """Print the tables and save the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generator", type=Path, help="a generator of the five emotions")
    parser.add_argument("--people", type=Path, help="folder of rendered people")
    parser.add_argument("--judge", type=Path, help="made by emotion_recognition.py train")
    parser.add_argument("--photolike", type=Path, help="folder of photo-like people with its list.csv")
    parser.add_argument("--portraits", type=Path, nargs="*", default=[], help="folders of photos")
    parser.add_argument("--count", type=int, default=73, help="people, and photos of each folder")
    parser.add_argument("--sheet", type=Path, help="picture of what was made, to look at")
    arguments = parser.parse_args()
    if arguments.photolike:
        return measure_photolike(arguments.generator, arguments.photolike, arguments.count, arguments.sheet)
    if not arguments.people:
        raise UserError("give --people or --photolike")
    if not (arguments.people / "val.txt").is_file():
        raise UserError(f"--people {arguments.people} holds no val.txt: name the folder of rendered people")
    with Translator.load(arguments.generator) as translator:
        people = People(translator, EmotionRecognizer.load(arguments.judge) if arguments.judge else None)
        groups = groups_of(arguments.people)
        held_out = len((arguments.people / "val.txt").read_text().split())
        with progress_bar(min(arguments.count, held_out), "people") as progress:
            for name, pictures in rendered_people(arguments.people, True, arguments.count):
                people.add(pictures, groups[name])
                progress.update()
        print("\n".join(told(people, sorted({group for both in groups.values() for group in both}))))
        numbers, rows = portraits(translator, arguments.portraits, arguments.count) if arguments.portraits else ({}, [])
        if rows:
            print(f"\n{len(rows)} portraits\n")
            print("\n".join(table(numbers, FIVE, dict.fromkeys(what for what, _ in numbers))))
    if arguments.sheet:
        shown = [[cv2.resize(picture, (256, 256)) for picture in row] for row in [*people.rows[:24], *rows[:24]]]
        picture_grid.grid(shown, ["photo", *FIVE]).save(arguments.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
