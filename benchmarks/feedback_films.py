"""Films of rendered people, as the page's mirror reads them (`mirror.py --record`), as faces to fit on.

A film holds noise and what MediaPipe's tracking makes of it, which stills do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from feedback_fit import CLASSES, FOLDS, Examples
from feedback_persons import number_of

from apps import expression_rules
from apps.face_reading import LOOKS
from common.emotions import FIVE
from common.errors import UserError

FRAMES_A_SECOND = 12
EVERY = 4  # of so many frames one is fitted on
SETTLED = FRAMES_A_SECOND  # frames after which an expression is made and read


@dataclass(frozen=True)
class Film:
    """One person at rest, and before each expression again: readings [N, F], and what each frame shows.

    `phases` are "rest", "calm EMOTION" (the neutral face before it) and "made EMOTION".
    """

    person: str
    names: list[str]
    values: np.ndarray
    phases: np.ndarray

    @classmethod
    def load(cls, file: Path) -> Film:
        """What `save` wrote."""
        with np.load(file) as kept:
            return cls(file.stem, kept["names"].tolist(), kept["values"], kept["phases"])

    def save(self, folder: Path) -> None:
        """Into a folder, by the person's name."""
        np.savez_compressed(
            folder / f"{self.person}.npz", names=self.names, values=self.values.astype(np.float32), phases=self.phases
        )

    @property
    def rest(self) -> np.ndarray:
        """The resting face, [F]: the mean of the time that the page takes for it."""
        calm = round(FRAMES_A_SECOND * expression_rules.CALM_SECONDS)
        return self.values[self.phases == "rest"][-calm:].mean(axis=0)

    def smoothed(self, emotion: str, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the page's coach makes of a try at an emotion, which begins at rest: readings [N, F], phases."""
        shown = np.isin(self.phases, [f"calm {emotion}", f"made {emotion}"])
        seconds = [
            expression_rules.LOOKS_SMOOTHING_SECONDS if name in LOOKS else expression_rules.SMOOTHING_SECONDS
            for name in self.names
        ]
        share = 1 - np.exp(-1 / FRAMES_A_SECOND / np.array(seconds))
        face, faces = rest, []
        for values in self.values[shown]:
            face = face + share * (values - face)
            faces.append(face)
        return np.array(faces), self.phases[shown]

    def examples(self, rest: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """Some moments of it, each with the number of what is shown."""
        for emotion in FIVE:
            faces, phases = self.smoothed(emotion, rest)
            calm = int((phases == f"calm {emotion}").sum())
            yield from ((face, 0) for face in faces[EVERY - 1 : calm : EVERY])
            yield from ((face, CLASSES.index(emotion)) for face in faces[calm + SETTLED :: EVERY])


def load_films(folder: Path) -> list[Film]:
    """All films of a folder."""
    films = [Film.load(file) for file in sorted(folder.glob("*.npz"))]
    if not films:
        raise UserError(f"--films {folder} holds no films: benchmarks/mirror.py --record {folder} makes them")
    return films


def examples(films: list[Film], names: list[str], photos: dict[str, np.ndarray] | None = None) -> Examples:
    """Faces to fit on; rest is the film's own, or what was read off the person's neutral one of the `photos`."""
    faces, rests, shown, fold = [], [], [], []
    for film in films:
        columns = [film.names.index(name) for name in names]
        rest = film.rest[columns] if photos is None else photos[film.person]
        for face, number in film.examples(film.rest):
            faces.append(face[columns])
            rests.append(rest)
            shown.append(number)
            fold.append(number_of(film.person, FOLDS, "fold"))
    return Examples(np.array(faces), np.array(rests), np.array(shown), np.array(fold))
