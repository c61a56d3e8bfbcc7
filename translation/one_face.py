"""One face of a photo, given emotions: by moving the photo itself, or with the generator's own pixels pasted in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from face_detection import Face, FaceFinder
from imaging.face_geometry import FACE_SIZE, Image, Points, Region, Square, input_square
from translation.answer_mesh import AnswerMeshes
from translation.face_movement import Meshes, WrongMovement
from translation.paste_back import FacePaste
from translation.photo_motion import FaceMotion
from translation.result_check import COVERED, Check, Checker, Look

MILDER = 1.0, 0.85, 0.7, 0.55, 0.45  # shares of the strength asked for, tried in turn until a result has not failed
SURELY_SAME = 0.58  # dlib's distance up to which a result is its person's however it is cut out: below `SAME_PERSON`


@dataclass(frozen=True)
class Aim:
    """Where a face's landmarks should be in its result, by which way it came there, and what there is against it."""

    points: Points
    way: str = "photo"
    doubt: str = ""


class OneFace:
    """A face with a mesh, of a photo uint8 RGB [H, W, 3].

    `crop` [S, S, 3] is what the generator saw of it: `square` of the photo. The photo's own pixels move, `reach` times
    as far as the generator's do; None: those are pasted in. Without a `checker` nothing is measured.
    """

    def __init__(
        self,
        finder: FaceFinder,
        photo: Image,
        face: Face,
        square: Square,
        crop: Image,
        reach: float | None,
        checker: Checker | None,
    ) -> None:
        assert face.points is not None
        self._face = face
        self._own = face.points
        self._square = square
        self._paste = FacePaste(crop, square, face.points)
        self._view = input_square(face.square)
        seen = self._view.cut(photo, FACE_SIZE)
        self._checker = checker
        self.before: Look | None = checker.look(seen, self._view) if checker else None
        self._mouth_is_covered = self.before is not None and self.before.mouth_is_covered
        self._reach = reach or 0
        self._motion = FaceMotion(crop, square, face.points, self._paste, self._mouth_is_covered) if reach else None
        self._meshes = AnswerMeshes(finder, seen, self._view, face.points, square)
        self._shown = self._meshes.mesh(crop) if reach else None

    def give(
        self, results: Mapping[str, Image], generated: Mapping[str, Image], strength: float, milder: bool
    ) -> dict[str, Check]:
        """Give the face in `results`, in place, the expressions that it has in `generated` [S, S, 3], by domain.

        `strength` 1 is as far as the generator goes, times `reach`. With `milder` lesser ones are tried where that is
        too far.
        """
        if not strength:
            return {domain: Check(strength=0) for domain in results}
        answers = {domain: self._meshes.mesh(picture) for domain, picture in generated.items()}
        untouched = {domain: result[self._region(result)].copy() for domain, result in results.items() if milder}
        checks: dict[str, Check] = {}
        left = dict(results)
        for share in MILDER if milder else MILDER[:1]:
            for domain in checks.keys() & left.keys():
                left[domain][self._region(left[domain])] = untouched[domain]
            aims = {
                domain: self._changed(result, generated[domain], answers[domain], share * strength)
                for domain, result in left.items()
            }
            before, found = checks, self._checked(left, aims)
            checks = before | {
                domain: dataclasses.replace(
                    check, strength=share * strength, held_back=_too_far(before[domain]) if domain in before else ""
                )
                for domain, check in found.items()
            }
            left = {domain: result for domain, result in left.items() if _too_far(checks[domain])}
            if not left:
                break
        return checks

    def _checked(self, results: Mapping[str, Image], aims: Mapping[str, Aim]) -> dict[str, Check]:
        checks = dict.fromkeys(results, Check())
        if self._checker and self.before:
            targets = {domain: self.before.points + (aim.points - self._own) for domain, aim in aims.items()}
            checks = self._checker.check(self.before, results, self._view, targets)
        return {domain: _doubted(check, aims[domain]) for domain, check in checks.items()}

    def _changed(self, result: Image, generated: Image, answer: Points | None, strength: float) -> Aim:
        """Give the face one expression, by whichever way goes."""
        doubt = ""
        if self._motion:
            try:
                if answer is None or self._shown is None:
                    raise WrongMovement("no mesh is found in what the generator made")
                meshes = Meshes(self._shown, answer)
                return Aim(self._motion.onto(result, generated, meshes, self._reach * strength))
            except WrongMovement as wrong:
                if self._mouth_is_covered:
                    return Aim(self._own, doubt=COVERED)
                doubt = f"the generator's own pixels, for {wrong}"
        points = self._own if answer is None else answer
        region = self._region(result)
        own = result[region].copy()
        self._paste.onto(result, generated, points)
        if strength < 1:
            result[region] = cv2.addWeighted(own, 1 - strength, result[region], strength, 0)
        return Aim(self._own + np.float32(min(strength, 1)) * (points - self._own), "network", doubt)

    def _region(self, photo: Image) -> Region:
        """The part of a photo that changes at most."""
        side = max(self._square.side, self._face.square.side)
        return dataclasses.replace(self._square, side=1.5 * side).region(photo.shape)


def _doubted(check: Check, aim: Aim) -> Check:
    if aim.doubt and check.state != "failed":
        reason = "; ".join(filter(None, (aim.doubt, check.reason)))
        check = dataclasses.replace(check, state="weak", reason=reason)
    return dataclasses.replace(check, way=aim.way)


def _too_far(check: Check) -> str:
    """Why a lesser strength is to be tried; "" where none is."""
    if check.state == "failed":
        return check.reason
    return "it hardly looks like the same person" if (check.distance or 0) > SURELY_SAME else ""
