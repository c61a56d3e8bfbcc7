"""People who show every emotion, as `datapreprocess.py --pairs` made them: how their faces move, and their light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.emotions import FIVE
from common.errors import UserError
from common.progress import progress_bar
from face_detection import FaceFinder, Mesh
from imaging.face_geometry import FACE_SIZE, Points
from imaging.image_folder import find_images
from imaging.photo import UnreadablePhoto, read_photo
from research.expression_transfer import LIGHT_SIZE, Change, Portrait, likeness

NEUTRAL = "neutral"
ALL = (NEUTRAL, *FIVE)
NEAREST = 10  # people alike a face, whose mean way its landmarks go
LIT_BY = 3  # of them, whose change of light it takes over
REACH = {"happy": 1.15, "surprised": 1.5}  # how far faces go, in what people go on average; a warped face shows less
LIMITS = 0.6, 2.2  # the least and the most that a person's movement is multiplied by
STRONG = {"happy": 0.4, "surprised": 0.25}  # how far smile and jaw move in people worth learning from
CALM = {"happy": 0.2, "surprised": 0.06}  # the most that smile and jaw show in a calm face
IRISES = 468  # landmarks from here on are the irises

Meshes = Mapping[str, Points]  # by emotion: landmarks at `LIGHT_SIZE`


@dataclass(frozen=True)
class Person:
    """Landmarks with each emotion, and how far the emotions that are taken from this person are carried."""

    meshes: Meshes
    reach: Mapping[str, float]


class People:
    """Those of a folder who move clearly. Raises `UserError` where they are too few, or the folder is another."""

    def __init__(self, folder: Path, finder: FaceFinder) -> None:
        if missing := [emotion for emotion in ALL if not (folder / emotion).is_dir()]:
            raise UserError(
                f"--people {folder} has no folder {missing[0]}: make it with --pairs and --emotions {' '.join(ALL)}"
            )
        self._folder = folder
        names = [Path(path).name for path in find_images(folder / NEUTRAL)]
        names = [name for name in names if all((folder / emotion / name).is_file() for emotion in FIVE)]
        meshes: dict[str, Meshes] = {}
        with progress_bar(len(names), "people") as progress:
            for name in names:
                found = {emotion: finder.mesh(self._picture(emotion, name)) for emotion in ALL}
                if _moves_clearly(found):
                    meshes[name] = {emotion: _at_light_size(mesh.points) for emotion, mesh in found.items() if mesh}
                progress.update()
        if len(meshes) < NEAREST:
            raise UserError(
                f"--people {folder} has {len(meshes)} people whose smile and surprise are clear, and {NEAREST} "
                "are needed"
            )
        reaches = typical_reaches(list(meshes.values()))
        self.names = list(meshes)
        people = (Person(shown, reach) for shown, reach in zip(meshes.values(), reaches, strict=True))
        self._people = dict(zip(meshes, people, strict=True))

    def nearest(self, face: Portrait) -> list[str]:
        """All of them, those first whose calm mesh is most like the face's."""
        return sorted(self.names, key=lambda name: likeness(self._people[name].meshes[NEUTRAL], face.points)[1])

    def way(self, emotion: str, face: Portrait, nearest: Sequence[str]) -> Points:
        """How the landmarks of a calm face go on average where people alike show an emotion, [478, 2] in its pixels.

        On average, for what one of them does alone can't be told from the face: a network would learn a blur of it.
        """
        return np.mean([self._way(name, emotion, face) for name in self._typical(emotion, nearest)[:NEAREST]], axis=0)

    def changes(self, emotion: str, nearest: Sequence[str]) -> list[Change]:
        """How the light changes on the faces of those people."""
        names = self._typical(emotion, nearest)[:LIT_BY]
        return [Change(*(self._portrait(which, name) for which in (NEUTRAL, emotion))) for name in names]

    def _typical(self, emotion: str, nearest: Sequence[str]) -> list[str]:
        return [name for name in nearest if emotion in self._people[name].reach]

    def _way(self, name: str, emotion: str, face: Portrait) -> Points:
        person = self._people[name]
        same, shown = person.meshes[NEUTRAL], person.meshes[emotion]
        return np.asarray(person.reach[emotion] * (shown - same) @ likeness(same, face.points)[0], np.float32)

    def _portrait(self, emotion: str, name: str) -> Portrait:
        picture = Portrait(self._picture(emotion, name), self._people[name].meshes[emotion])
        return Portrait(picture.sized(LIGHT_SIZE).image, picture.points)

    def _picture(self, emotion: str, name: str) -> NDArray[np.uint8]:
        path = self._folder / emotion / name
        try:
            picture = read_photo(path)
        except UnreadablePhoto as error:
            raise UserError(f"--people: {path} is {error}: remove it or make it again") from error
        if picture.shape[:2] != (FACE_SIZE, FACE_SIZE):
            raise UserError(f"--people: {path} is no {FACE_SIZE}x{FACE_SIZE} face crop: make it with --pairs")
        return picture


def typical_reaches(people: Sequence[Meshes]) -> list[dict[str, float]]:
    """For each person, of the emotions shown in the typical way: by what the movement is multiplied.

    A calm face does not show whether its smile is wide, or whether anger bares the teeth: where the answers differ in
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


def is_calm(mesh: Mesh) -> bool:
    """Whether a face neither smiles nor opens its mouth."""
    moves = _moves(mesh)
    return all(moves[emotion] < most for emotion, most in CALM.items())


def _most_alike(rows: NDArray[np.floating]) -> NDArray[np.intp]:
    """The numbers of the third of all rows [N, M] that is nearest to the medoid, and of at least `NEAREST`."""
    apart = np.array([np.linalg.norm(rows - one, axis=1) for one in rows])
    medoid = np.median(apart, axis=1).argmin()
    return apart[medoid].argsort()[: max(NEAREST, len(rows) // 3)]


def _at_light_size(points: Points) -> Points:
    return ((points + 0.5) * LIGHT_SIZE / FACE_SIZE - 0.5).astype(np.float32)


def _moves(mesh: Mesh) -> dict[str, float]:
    """How far a mouth smiles and how far it is open, by the emotion that does so."""
    shapes = mesh.blendshapes
    return {"happy": (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2, "surprised": shapes["jawOpen"]}


def _moves_clearly(meshes: Mapping[str, Mesh | None]) -> bool:
    found = {emotion: _moves(mesh) for emotion, mesh in meshes.items() if mesh}
    return len(found) == len(ALL) and all(
        found[emotion][emotion] - found[NEUTRAL][emotion] > least for emotion, least in STRONG.items()
    )
