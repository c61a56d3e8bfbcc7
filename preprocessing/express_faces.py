"""`datapreprocess.py --express`: calm and happy faces get the emotions of others, as pairs for --lambda_pair."""

from __future__ import annotations

import shutil
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from common.emotions import FIVE
from common.errors import UserError
from common.progress import progress_bar
from common.whole_files import write_atomically
from face_detection import FaceFinder, Mesh
from imaging.draw_faces import write_jpeg
from imaging.face_geometry import FACE_SIZE, Image, Points
from imaging.image_folder import find_images
from imaging.photo import UnreadablePhoto, read_photo
from preprocessing.expression_transfer import Portrait, express, likeness, tinted

NEUTRAL, HAPPY = "neutral", "happy"
ALL = (NEUTRAL, *FIVE)
COPIES = {NEUTRAL: 2, HAPPY: 1}  # of each face, each with expressions of other people
COLOURED = 0.75  # share of the copies of grey faces that get a skin's colour
WORK_SIZE = 320  # pixels: at which faces are warped
NEAREST = 10  # people alike a face, among whom those others are drawn
REACH = {"happy": 1.15, "surprised": 1.5}  # how far faces go, in what people go on average; a warped face shows less
LIMITS = 0.6, 2.2  # the least and the most that a person's movement is multiplied by
STRONG = {"happy": 0.4, "surprised": 0.25}  # how far smile and jaw move in people worth learning from
CALM = {"happy": 0.2, "surprised": 0.06}  # the most that smile and jaw show in a calm face
IRISES = 468  # landmarks from here on are the irises
SMILING = 0.4  # the least that a smile shows in a happy face

Meshes = Mapping[str, Points]  # by emotion: landmarks at `WORK_SIZE`


@dataclass(frozen=True)
class Person:
    """Somebody who shows every emotion: landmarks, and how far the emotions that are taken from them are carried."""

    meshes: Meshes
    reach: Mapping[str, float]


People = Mapping[str, Person]  # by file name


def express_folder(faces: Path, donors: Path, output: Path) -> int:
    """Write pairs of the face crops in `faces`/neutral and `faces`/happy to `output`, those of `donors` beside them.

    `donors` holds what --pairs made of people who show all six. What is in `output` already stays. Returns the exit
    code: 1 where no face served. Raises `UserError` where there are no faces or too few people.
    """
    shown = [(emotion, path) for emotion in COPIES for path in _images(faces / emotion)]
    if not shown:
        raise UserError(f"--input {faces} has no faces in {NEUTRAL}/ or {HAPPY}/: crop some first, with --emotions")
    for emotion in ALL:
        (output / emotion).mkdir(parents=True, exist_ok=True)
    outcomes: Counter[str] = Counter()
    with FaceFinder() as finder:
        people = _people(donors, finder)
        with progress_bar(len(shown), "faces") as progress:
            for emotion, path in shown:
                outcomes[_express_face(path, emotion, people, donors, output, finder)] += 1
                progress.update()
    kept = outcomes.pop("", 0)
    for name in people:
        for emotion in ALL:
            if not (there := output / emotion / name).exists():
                write_atomically(there, partial(shutil.copyfile, donors / emotion / name))
    print(f"{kept} faces and {len(people)} people with six expressions each in {output}")
    for reason, count in outcomes.most_common():
        print(f"left out {count}: {reason}")
    return 0 if kept else 1


def _images(folder: Path) -> list[Path]:
    return [Path(path) for path in find_images(folder)] if folder.is_dir() else []


def _people(donors: Path, finder: FaceFinder) -> People:
    """Those who move clearly."""
    if missing := [emotion for emotion in ALL if not (donors / emotion).is_dir()]:
        raise UserError(
            f"--express {donors} has no folder {missing[0]}: make it with --pairs and --emotions {' '.join(ALL)}"
        )
    names = [path.name for path in _images(donors / NEUTRAL)]
    names = [name for name in names if all((donors / emotion / name).is_file() for emotion in FIVE)]
    people: dict[str, Meshes] = {}
    with progress_bar(len(names), "people") as progress:
        for name in names:
            meshes = {emotion: _mesh(finder, _picture(donors, emotion, name)) for emotion in ALL}
            if _moves_clearly(meshes):
                people[name] = {emotion: _at_work_size(mesh) for emotion, mesh in meshes.items() if mesh}
            progress.update()
    if len(people) < NEAREST:
        raise UserError(
            f"--express {donors} has {len(people)} people whose smile and surprise are clear, and {NEAREST} are needed"
        )
    reaches = typical_reaches(list(people.values()))
    return {name: Person(meshes, reach) for (name, meshes), reach in zip(people.items(), reaches, strict=True)}


def typical_reaches(people: Sequence[Meshes]) -> list[dict[str, float]]:
    """For each person, of the emotions shown in the typical way: by what the movement is multiplied.

    A calm face does not tell whether its smile is wide, or whether anger bares the teeth: where the answers differ in
    that, a network learns a blur. So each emotion is taken from the third of all people who show it most alike (those
    nearest to the medoid), and all of them go `REACH` as far as people do on average.
    """
    first = people[0][NEUTRAL]
    turns = [likeness(meshes[NEUTRAL], first)[0] for meshes in people]
    reaches: list[dict[str, float]] = [{} for _ in people]
    for emotion in FIVE:
        ways = [(meshes[emotion] - meshes[NEUTRAL]) @ turn for meshes, turn in zip(people, turns, strict=True)]
        moves = np.stack(ways)[:, :IRISES].reshape(len(people), -1)
        mean = moves.mean(axis=0)
        shares = np.maximum(moves @ mean / (mean @ mean), 1e-3)
        alike = moves / shares[:, None]
        apart = np.array([np.linalg.norm(alike - one, axis=1) for one in alike])
        medoid = np.median(apart, axis=1).argmin()
        for number in apart[medoid].argsort()[: max(NEAREST, len(people) // 3)]:
            reaches[number][emotion] = float(np.clip(REACH.get(emotion, 1) / shares[number], *LIMITS))
    return reaches


def _express_face(path: Path, emotion: str, people: People, donors: Path, output: Path, finder: FaceFinder) -> str:
    """Write the pairs of a face that shows `emotion`; "" or why it was left out."""
    names = [f"{emotion}-{path.stem}-{copy}.jpg" for copy in range(COPIES[emotion])]
    if all((output / other / name).exists() for other in ALL for name in names):
        return ""
    try:
        image = read_photo(path)
    except UnreadablePhoto as error:
        return str(error)
    if image.shape[0] != image.shape[1]:
        return "not square, so no face crop"
    mesh = _mesh(finder, image)
    if mesh is None:
        return "no mesh found"
    if unclear := _unclear(emotion, _moves(mesh)):
        return unclear
    face = Portrait(_sized(image, WORK_SIZE), _at_work_size(mesh))
    nearest = sorted(people, key=lambda name: likeness(people[name].meshes[emotion], face.points)[1])
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    for name in names:
        coloured = face.is_grey and rng.random() < COLOURED
        surroundings = rng.uniform(0.5, 1, 3).astype(np.float32)
        start = face
        if coloured:
            skin = _portrait(people, donors, NEUTRAL, str(rng.choice(nearest[:NEAREST])))
            start = tinted(face, skin, surroundings)
        for other in ALL:
            made = start.image
            if other != emotion:
                shows = emotion if other == NEUTRAL else other
                donor = str(rng.choice([person for person in nearest if shows in people[person].reach][:NEAREST]))
                same, shown = (_portrait(people, donors, which, donor) for which in (emotion, other))
                made = express(start, same, shown, people[donor].reach.get(other, 1), other == "angry")
            write_jpeg(output / other / name, _sized(made, FACE_SIZE))
    return ""


def _unclear(emotion: str, moves: Mapping[str, float]) -> str:
    if emotion == HAPPY:
        return "" if moves[HAPPY] > SMILING else "happy, but hardly smiles"
    calm = all(moves[other] < most for other, most in CALM.items())
    return "" if calm else "neutral, but smiles or opens the mouth"


def _portrait(people: People, donors: Path, emotion: str, name: str) -> Portrait:
    return Portrait(_sized(_picture(donors, emotion, name), WORK_SIZE), people[name].meshes[emotion])


def _picture(donors: Path, emotion: str, name: str) -> Image:
    try:
        return read_photo(donors / emotion / name)
    except UnreadablePhoto as error:
        raise UserError(f"--express: {donors / emotion / name} is {error}: remove it or make it again") from error


def _mesh(finder: FaceFinder, image: Image) -> Mesh | None:
    return finder.mesh(_sized(image, FACE_SIZE))


def _at_work_size(mesh: Mesh) -> Points:
    return ((mesh.points + 0.5) * WORK_SIZE / FACE_SIZE - 0.5).astype(np.float32)


def _moves(mesh: Mesh) -> dict[str, float]:
    """How far a mouth smiles and how far it is open, by the emotion that does so."""
    shapes = mesh.blendshapes
    return {"happy": (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2, "surprised": shapes["jawOpen"]}


def _moves_clearly(meshes: Mapping[str, Mesh | None]) -> bool:
    found = {emotion: _moves(mesh) for emotion, mesh in meshes.items() if mesh}
    return len(found) == len(ALL) and all(
        found[emotion][emotion] - found[NEUTRAL][emotion] > least for emotion, least in STRONG.items()
    )


def _sized(image: Image, size: int) -> Image:
    method = cv2.INTER_AREA if size < image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size, size), interpolation=method), np.uint8)
