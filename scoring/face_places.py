"""Where the judge of real faces finds the face in a picture as the generator sees it: by the mesh of the source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from common.errors import UserError
from common.progress import tracked
from face_detection import FaceFinder
from imaging.face_crop import load_crop
from imaging.face_geometry import CROP_SIZE, Square
from scoring import real_face_judge

# Where there is no mesh: a face's square in a crop of ours, in its sides from the top left (median of 100 faces).
USUAL_PLACE, USUAL_SIDE = (0.497, 0.554), 0.70


class FacePlaces:
    """The square to judge in each picture of `crop_size` and `image_size`, by the mesh of that picture.

    A translation is judged in its source's square: looked for in it, a face that came out badly might not be found.
    """

    def __init__(self, crop_size: int, image_size: int) -> None:
        self.crop_size, self.image_size = crop_size, image_size
        self._squares: dict[str, Square] = {}
        self._without_mesh: set[str] = set()
        self._problem = ""

    def find(self, paths: Iterable[str]) -> None:
        """Look for the faces of all these files at once; `of` then knows them."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self._squares]
        try:
            finder = FaceFinder()
        except (UserError, ImportError) as error:
            self._problem = str(error)
            self._squares |= dict.fromkeys(wanted, self._usual())
            self._without_mesh |= set(wanted)
            return
        with finder:
            for path in tracked(wanted, "faces", "where faces are"):
                side = max(self.image_size, CROP_SIZE)
                mesh = finder.mesh(load_crop(path, self.crop_size, side))
                if mesh is None:
                    self._without_mesh.add(path)
                    self._squares[path] = self._usual()
                    continue
                scale = self.image_size / side
                points = ((mesh.points + 0.5) * scale - 0.5).astype(np.float32)
                self._squares[path] = real_face_judge.judged_square(points)

    def of(self, paths: Sequence[str]) -> list[Square]:
        """Each file's square, in pixels of its picture of `image_size`."""
        return [self._squares[path] for path in paths]

    def _usual(self) -> Square:
        x, y = (self.image_size * place - 0.5 for place in USUAL_PLACE)
        return Square(x, y, USUAL_SIDE * self.image_size)

    def remarks(self) -> list[str]:
        """What makes the judge less often right here, in sentences for whoever reads its figures."""
        found = []
        if self._without_mesh:
            why = f" ({self._problem})" if self._problem else ""
            found.append(
                f"{len(self._without_mesh)} of {len(self._squares)} faces have no mesh{why}: "
                f"{real_face_judge.NAME} looks at their usual place, and is less often right"
            )
        side = float(np.median([square.side for square in self._squares.values()])) if self._squares else 0.0
        if 0 < side < real_face_judge.SMALL:
            found.append(
                f"faces of {side:.0f} pixels are enlarged for {real_face_judge.NAME}, which sees badly below "
                f"{real_face_judge.SMALL}: a larger --image_size is judged better"
            )
        return found
