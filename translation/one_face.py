"""One face of a photo, given emotions: by moving the photo itself, or with the generator's own pixels pasted in."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from face_detection import Face, FaceFinder
from imaging.face_geometry import Image, Points, Region, Square, input_square
from translation.face_movement import Meshes, WrongMovement
from translation.paste_back import FacePaste
from translation.photo_motion import FaceMotion
from translation.result_check import Check, Checker, Look

MESH_SIZE = 256  # pixels: a generated face is enlarged to at least this before its mesh is looked for
SAME_PLACE = 0.2  # in sides of the square: a mesh farther from the face's own belongs to somebody behind it
MILDER = 1.0, 0.7, 0.45  # shares of the strength asked for, tried in turn until a result has not failed


class OneFace:
    """A face with a mesh, of a photo uint8 RGB [H, W, 3].

    `crop` [S, S, 3] is what the generator saw of it: `square` of the photo. With `moves` the photo's own pixels move.
    Without a `checker` nothing is measured.
    """

    def __init__(
        self,
        finder: FaceFinder,
        photo: Image,
        face: Face,
        square: Square,
        crop: Image,
        moves: bool,
        checker: Checker | None,
    ) -> None:
        assert face.points is not None
        self._finder = finder
        self._face = face
        self._own = face.points
        self._square = square
        self._paste = FacePaste(crop, square, face.points)
        self._motion = FaceMotion(crop, square, face.points, self._paste) if moves else None
        self._shown = mesh_of_generated(finder, crop, face, square) if moves else None
        self._checker = checker
        self.before: Look | None = checker.look(photo, input_square(face.square)) if checker else None

    def give(self, result: Image, generated: Image, domain: str, strength: float, milder: bool) -> Check:
        """Give the face in `result`, in place, the expression that it has in `generated` [S, S, 3].

        `strength` 1 is as far as the generator goes. With `milder` a lesser one is tried where that fails.
        """
        if not strength:
            return Check(strength=0)
        answer = mesh_of_generated(self._finder, generated, self._face, self._square)
        untouched = result[self._region(result)].copy() if milder else None
        check = Check(strength=strength)
        for share in MILDER if milder else MILDER[:1]:
            if untouched is not None:
                result[self._region(result)] = untouched
            check = self._once(result, generated, answer, domain, share * strength)
            if check.state != "failed":
                break
        return check

    def _once(self, result: Image, generated: Image, answer: Points | None, domain: str, strength: float) -> Check:
        target, reason = self._changed(result, generated, answer, strength)
        check = Check()
        if self._checker and self.before:
            aim = self.before.points + (target - self._own)
            check = self._checker.check(self.before, result, input_square(self._face.square), domain, aim)
        way = "network" if reason or not self._motion else "photo"
        if reason and check.state != "failed":
            reason = "; ".join(filter(None, (f"the generator's own pixels, for {reason}", check.reason)))
            check = dataclasses.replace(check, state="weak", reason=reason)
        return dataclasses.replace(check, strength=strength, way=way)

    def _changed(self, result: Image, generated: Image, answer: Points | None, strength: float) -> tuple[Points, str]:
        """Where the face's landmarks should be then, and why the photo itself could not move, if so."""
        reason = ""
        if self._motion:
            try:
                if answer is None or self._shown is None:
                    raise WrongMovement("no mesh is found in what the generator made")
                return self._motion.onto(result, generated, Meshes(self._shown, answer), strength), ""
            except WrongMovement as wrong:
                reason = str(wrong)
        points = self._own if answer is None else answer
        region = self._region(result)
        own = result[region].copy()
        self._paste.onto(result, generated, points)
        if strength < 1:
            result[region] = cv2.addWeighted(own, 1 - strength, result[region], strength, 0)
        return self._own + np.float32(min(strength, 1)) * (points - self._own), reason

    def _region(self, photo: Image) -> Region:
        """The part of a photo that changes at most."""
        side = max(self._square.side, self._face.square.side)
        return dataclasses.replace(self._square, side=1.5 * side).region(photo.shape)


def mesh_of_generated(finder: FaceFinder, generated: Image, face: Face, square: Square) -> Points | None:
    """The mesh of a generated face in photo pixels; None where there is none, or not there."""
    size = max(MESH_SIZE, generated.shape[0])
    enlarged = cv2.resize(generated, (size, size), interpolation=cv2.INTER_CUBIC)
    mesh = finder.mesh(np.asarray(enlarged, np.uint8))
    if mesh is None:
        return None
    points = square.to_photo(mesh.points, size).astype(np.float32)
    assert face.points is not None
    away = math.dist(points.mean(axis=0), face.points.mean(axis=0))
    return points if away <= SAME_PLACE * square.side else None
