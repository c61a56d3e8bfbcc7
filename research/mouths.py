"""Photo-like people who lend the inside of their mouths: `mouths.csv`, chosen by looking at all who open theirs.

Left out: tongues, red throats, grey and coloured light, paintings, heads turned aside, and everybody held out.
"""

from __future__ import annotations

import csv
from pathlib import Path

from common.errors import UserError
from face_detection import FaceFinder
from imaging.face_geometry import crop_face
from imaging.photo import UnreadablePhoto, read_photo
from research.expression_transfer import Portrait

LIST = Path(__file__).with_name("mouths.csv")


def read_mouths(folder: Path, finder: FaceFinder, chosen: Path = LIST) -> dict[str, list[Portrait]]:
    """By emotion, the faces in `folder` that the list of `chosen` ones names. Raises `UserError` for one not there."""
    mouths: dict[str, list[Portrait]] = {}
    with chosen.open(newline="") as rows:
        for row in csv.DictReader(rows):
            mouths.setdefault(row["emotion"], []).append(_portrait(folder / row["file"], finder))
    return mouths


def _portrait(path: Path, finder: FaceFinder) -> Portrait:
    try:
        photo = read_photo(path)
    except UnreadablePhoto as error:
        raise UserError(f"--mouths: {path} is {error}: give the folder of photo-like people") from error
    for face in finder.faces(photo):
        crop = crop_face(photo, face.square)
        if mesh := finder.mesh(crop):
            return Portrait(crop, mesh.points)
    raise UserError(f"--mouths: no face in {path}: give the folder of photo-like people")
