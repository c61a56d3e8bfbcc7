"""The face on a demo's result, as MediaPipe and the judge are to look at it."""

from __future__ import annotations

from pathlib import Path

from face_detection import FaceFinder, Mesh
from imaging.face_geometry import Image, face_square, input_square
from imaging.photo import read_photo

SIZE = 448  # pixels


def face_on(path: Path, finder: FaceFinder) -> tuple[Image, Mesh] | None:
    """The largest face of a picture, uint8 RGB [448, 448, 3], and its mesh; None where none is found."""
    photo = read_photo(path)
    boxes = finder.boxes(photo)
    face = input_square(face_square(boxes[0])).cut(photo, SIZE) if boxes else None
    mesh = finder.mesh(face) if face is not None else None
    return (face, mesh) if face is not None and mesh else None
