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
from numpy.typing import NDArray

from common.emotions import FIVE
from common.errors import UserError
from common.progress import progress_bar
from common.whole_files import write_atomically
from face_detection import FaceFinder, Mesh
from imaging.draw_faces import write_jpeg
from imaging.face_geometry import FACE_SIZE, Image, Points
from imaging.image_folder import find_images
from imaging.mesh_warp import gap
from imaging.photo import UnreadablePhoto, read_photo
from preprocessing.expression_transfer import OPENS, Change, Portrait, express, inside_mouth, likeness, tinted

NEUTRAL, HAPPY = "neutral", "happy"
ALL = (NEUTRAL, *FIVE)
COPIES = {NEUTRAL: 2, HAPPY: 1}  # of each face, each with the expressions of other people
COLOURED = 0.75  # share of the copies of grey faces that get a skin's colour
WORK_SIZE = 320  # pixels: at which faces are warped
NEAREST = 10  # people alike a face, whose mean way its landmarks go
LIT_BY = 3  # of them, whose change of light it takes over
REACH = {"happy": 1.15, "surprised": 1.5}  # how far faces go, in what people go on average; a warped face shows less
LIMITS = 0.6, 2.2  # the least and the most that a person's movement is multiplied by
STRONG = {"happy": 0.4, "surprised": 0.25}  # how far smile and jaw move in people worth learning from
CALM = {"happy": 0.2, "surprised": 0.06}  # the most that smile and jaw show in a calm face
IRISES = 468  # landmarks from here on are the irises
SMILING = 0.4  # the least that a smile shows in a happy face

Meshes = Mapping[str, Points]  # by emotion: landmarks at `WORK_SIZE`


@dataclass(frozen=True)
class Person:
    """Somebody who shows every emotion: landmarks, and how far the emotions that are taken from them are carried.

    `mouths` are those of them in which the inside of the mouth looks as it does in most people.
    """

    meshes: Meshes
    reach: Mapping[str, float]
    mouths: frozenset[str] = frozenset()


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
        people = _with_mouths(_people(donors, finder), donors)
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
        for number in _most_alike(moves / shares[:, None]):
            reaches[number][emotion] = float(np.clip(REACH.get(emotion, 1) / shares[number], *LIMITS))
    return reaches


def _with_mouths(people: People, donors: Path) -> People:
    """The people, told who has the inside of the mouth that faces are given."""
    mouths: dict[str, set[str]] = {name: set() for name in people}
    for emotion in FIVE:
        names = [name for name, person in people.items() if emotion in person.reach]
        opened = {name: gap(people[name].meshes[emotion]) for name in names}
        names = sorted((name for name in names if opened[name] > OPENS), key=opened.__getitem__)
        if names:
            lips = people[names[len(names) // 2]].meshes[emotion]
            insides = [inside_mouth(_portrait(people, donors, emotion, name), lips).ravel() for name in names]
            for number in _most_alike(np.stack(insides))[:NEAREST]:
                mouths[names[number]].add(emotion)
    return {name: Person(person.meshes, person.reach, frozenset(mouths[name])) for name, person in people.items()}


def _most_alike(rows: NDArray[np.floating]) -> NDArray[np.intp]:
    """The numbers of the third of all rows [N, M] that is nearest to the medoid, and of at least `NEAREST`."""
    apart = np.array([np.linalg.norm(rows - one, axis=1) for one in rows])
    medoid = np.median(apart, axis=1).argmin()
    return apart[medoid].argsort()[: max(NEAREST, len(rows) // 3)]


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
    for copy, name in enumerate(names):
        coloured = face.is_grey and rng.random() < COLOURED
        surroundings = rng.uniform(0.5, 1, 3).astype(np.float32)
        start = face
        if coloured:
            skin = _portrait(people, donors, NEUTRAL, str(rng.choice(nearest[:NEAREST])))
            start = tinted(face, skin, surroundings)
        others = nearest[copy :: len(names)]
        for other in ALL:
            made = start.image if other == emotion else _expressed(start, emotion, other, others, people, donors)
            write_jpeg(output / other / name, _sized(made, FACE_SIZE))
    return ""


def _expressed(face: Portrait, emotion: str, other: str, nearest: Sequence[str], people: People, donors: Path) -> Image:
    """A face that shows `emotion` with the `other`, as the `nearest` people show it on average.

    On average, for what one of them does alone cannot be told from the face: a network would learn a blur of it.
    """
    shows = emotion if other == NEUTRAL else other
    typical = [name for name in nearest if shows in people[name].reach][:NEAREST]
    move = np.mean([_way(people[name], emotion, other, face.points) for name in typical], axis=0)

    def change(name: str) -> Change:
        return Change(*(_portrait(people, donors, which, name) for which in (emotion, other)))

    mouths = [name for name in nearest if other in people[name].mouths]
    inside = change(mouths[0]) if mouths else None
    return express(face, move, [change(name) for name in typical[:LIT_BY]], inside, other == "angry")


def _way(person: Person, emotion: str, other: str, face: Points) -> Points:
    """How the landmarks of a face go when it does what this person does."""
    same, shown = person.meshes[emotion], person.meshes[other]
    return np.asarray(person.reach.get(other, 1) * (shown - same) @ likeness(same, face)[0], np.float32)


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
