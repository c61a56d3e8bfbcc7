"""Every result is measured before it is shown: did the face move as meant, and is it still the same person's?

MediaPipe's blendshapes and the judge of real faces see the movement; dlib's network, where its file is at hand, the
person. Nothing is fetched for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from common import emotions, pretrained_files
from face_detection import FaceFinder
from imaging.face_geometry import FACE_SIZE, Image, Points, Square
from translation import covered_mouth
from translation.face_movement import face_length

if TYPE_CHECKING:
    from face_identity import IdentityNetwork
    from scoring.real_face_judge import RealFaceJudge

State = Literal["good", "weak", "failed"]

# Blendshapes that an emotion moves, and by how much at least one group of them must, in the mean of the group.
MEANT: Mapping[str, Mapping[tuple[str, ...], float]] = {
    "angry": {("browDownLeft", "browDownRight"): 0.01},
    "fearful": {("browInnerUp",): 0.03, ("eyeWideLeft", "eyeWideRight"): 0.03},
    "happy": {("mouthSmileLeft", "mouthSmileRight"): 0.15},
    "sadness": {("browInnerUp",): 0.02, ("mouthFrownLeft", "mouthFrownRight"): 0.02, ("mouthShrugLower",): 0.05},
    "surprised": {("jawOpen",): 0.08, ("browInnerUp",): 0.1},
}
# What a face that is not calm shows, by which blendshapes, and the most that a calm one has of it.
# 99 % of 807 calm photo-like people have at most 0.15, 0.06, 0.62 and 0.26 of it.
CALM = (
    ("the face smiles", ("mouthSmileLeft", "mouthSmileRight"), 0.25),
    ("the mouth is open", ("jawOpen",), 0.08),
    ("the brows frown", ("browDownLeft", "browDownRight"), 0.6),
    ("the eyes are shut", ("eyeBlinkLeft", "eyeBlinkRight"), 0.4),
)
COVERED = "something is in front of the mouth"
LIKELIER = 1.0  # natural log-odds by which the judge must find the emotion likelier, where no blendshape moved
OTHER_SHAPE = 0.05  # mean distance of the result's mesh from where the face should have gone, in lengths of the face
TINY = 1e-6
LESS_LIKE = 0.5  # dlib's distance from which a result is weak; above `SAME_PERSON` it has failed


@dataclass(frozen=True)
class Check:
    """What is known of one result: a face with one emotion.

    `good`; `weak`, which may be shown; `failed`, which a child must not see. `reason` says why it is not good.
    """

    state: State = "good"
    reason: str = ""
    strength: float = 1.0  # how far the face was moved
    held_back: str = ""  # why not as far as was asked
    way: str = "photo"  # "photo": the photo itself moved; "network": the generator's own pixels
    distance: float | None = None  # dlib's distance to the own face; None where it could not be measured
    movement: Mapping[str, float] | None = None  # by how much the blendshapes of `MEANT` moved


@dataclass(frozen=True)
class Look:
    """A face as it was found in a photo: its mesh in photo pixels, its blendshapes, what dlib's network says of it."""

    points: Points
    blendshapes: Mapping[str, float]
    crop: Image  # upright, FACE_SIZE pixels
    in_crop: Points
    who: NDArray[np.float32] | None

    @property
    def mouth_is_covered(self) -> bool:
        """Whether something is in front of the mouth."""
        return covered_mouth.is_covered(self.crop, self.in_crop, self.blendshapes)


class Checker:
    """The networks that look at results, each loaded when it is first asked."""

    def __init__(self, finder: FaceFinder, device: torch.device) -> None:
        self._finder = finder
        self._device = device
        self._judge: RealFaceJudge | None = None
        self._identity: IdentityNetwork | None = None
        self._knows_persons = True

    def look(self, crop: Image, square: Square) -> Look | None:
        """The face in a `square` of a photo, cut out at FACE_SIZE; None where none is found there."""
        return self._looks([crop], square)[0]

    def check(
        self, before: Look, results: Mapping[str, Image], square: Square, targets: Mapping[str, Points]
    ) -> dict[str, Check]:
        """By emotion whether the face in `results` is what was meant; `targets` is where its landmarks should be."""
        crops = [square.cut(result, FACE_SIZE) for result in results.values()]
        looks = dict(zip(results, self._looks(crops, square), strict=True))
        found = {domain: after for domain, after in looks.items() if after is not None}
        moved = {domain: _movement(before, after, emotions.canonical(domain)) for domain, after in found.items()}
        unmoved = [domain for domain, (_, as_meant) in moved.items() if not as_meant]
        rises = self._rises(before, {domain: found[domain] for domain in unmoved})
        checks = {domain: Check("failed", "no face is found in the result") for domain in results}
        for domain, after in found.items():
            away = np.linalg.norm(after.points - targets[domain], axis=1).mean() / face_length(targets[domain])
            distance = None
            if before.who is not None and after.who is not None:
                distance = float(np.linalg.norm(before.who - after.who))
            movement, as_meant = moved[domain]
            state, reason = _verdict(float(away), distance, as_meant or rises.get(domain, 0) >= LIKELIER)
            checks[domain] = Check(state, reason, distance=distance, movement=movement)
        return checks

    def _looks(self, crops: Sequence[Image], square: Square) -> list[Look | None]:
        meshes = [self._finder.mesh(crop) for crop in crops]
        found = [(crop, mesh) for crop, mesh in zip(crops, meshes, strict=True) if mesh is not None]
        persons = iter(self._who([crop for crop, _ in found], [mesh.points for _, mesh in found]))
        return [
            Look(
                square.to_photo(mesh.points, FACE_SIZE).astype(np.float32),
                mesh.blendshapes,
                crop,
                mesh.points,
                next(persons),
            )
            if mesh is not None
            else None
            for crop, mesh in zip(crops, meshes, strict=True)
        ]

    def _rises(self, before: Look, after: Mapping[str, Look]) -> dict[str, float]:
        """By how much the judge finds each emotion likelier than before, in log-odds; it is slower than blendshapes."""
        meant = {domain: emotion for domain in after if (emotion := emotions.canonical(domain)) in emotions.FIVE}
        if not meant:
            return {}
        if self._judge is None:
            from scoring.real_face_judge import RealFaceJudge

            self._judge = RealFaceJudge(self._device)
        looks = [before, *(after[domain] for domain in meant)]
        chances = self._judge.log_probabilities(
            [look.crop for look in looks], [look.in_crop for look in looks], emotions.FIVE
        )
        odds = chances - np.log(np.maximum(-np.expm1(chances), TINY))
        return {
            domain: float(mine[place] - odds[0, place])
            for (domain, emotion), mine in zip(meant.items(), odds[1:], strict=True)
            for place in [emotions.FIVE.index(emotion)]
        }

    def _who(self, crops: Sequence[Image], points: Sequence[Points]) -> Sequence[NDArray[np.float32] | None]:
        """What dlib's network says of each face, where its file is at hand."""
        if self._identity is None and self._knows_persons:
            self._knows_persons = pretrained_files.at_hand("face_recognition") is not None
            if self._knows_persons:
                from face_identity import IdentityNetwork

                self._identity = IdentityNetwork.load(self._device)
        if self._identity is None or not crops:
            return [None] * len(crops)
        from face_identity import alignment_of

        return list(self._identity.descriptors(np.stack(crops), [alignment_of(mesh) for mesh in points]))


def hindrances(look: Look) -> tuple[str, ...]:
    """What there is to say of a face, in few words each: calm ones, with nothing in front of them, come out best."""
    values = look.blendshapes
    shows = [told for told, names, most in CALM if float(np.mean([values[name] for name in names])) > most]
    return (*shows, *([COVERED] if look.mouth_is_covered else []))


def _movement(before: Look, after: Look, emotion: str | None) -> tuple[dict[str, float], bool]:
    """How far what the emotion moves has moved, and whether that is enough; an emotion nobody knows always is."""
    if emotion is None or emotion not in MEANT:
        return {}, True
    moved, enough = {}, False
    for names, least in MEANT[emotion].items():
        change = float(np.mean([after.blendshapes[name] - before.blendshapes[name] for name in names]))
        moved[names[0].removesuffix("Left")] = change
        enough |= change >= least
    return moved, bool(enough)


def _verdict(away: float, distance: float | None, as_meant: bool) -> tuple[State, str]:
    from face_identity import SAME_PERSON

    if away > OTHER_SHAPE:
        return "failed", "the face came out in another shape than meant"
    if distance is not None and distance > SAME_PERSON:
        return "failed", "it no longer looks like the same person"
    if not as_meant:
        return "weak", "the emotion hardly shows"
    if distance is not None and distance > LESS_LIKE:
        return "weak", "it looks less like the same person"
    return "good", ""
