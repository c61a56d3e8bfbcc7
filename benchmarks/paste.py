"""Does a paste show? The same pastes by five ways of blending, measured against known answers, and a sheet to look at.

    python benchmarks/paste.py [--people folder] [--photos folder ...] [--generator file] [--sheet paste.png]

A generator is played by the known answer (`paste_material.py`) at its resolution, each with a fault that generators
have: blurred, darker, of another colour, moved by half a pixel, blind to a fringe, glasses, a hand, a hat or to a
photo's being grey. With `--generator` a trained one does it. Without folders the people are drawn ones.

The row "answer" is the known answer itself: what the measures say of a picture without any paste.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks import paste_material
from benchmarks.eyebrows import count_brows
from benchmarks.paste_material import Subject
from common.emotions import FIVE
from common.errors import door
from face_detection import FaceFinder
from imaging import picture_grid
from imaging.face_geometry import Image, Mask, Points, Square, face_mask, input_square
from translation.one_face import mesh_of_generated
from translation.paste_back import FacePaste
from translation.translator import Translator

NETWORKS = ((64, 352), (128, 352), (128, 448), (256, 448))  # image_size, crop_size
BLIND = "blind"  # the fault of a generator that paints a bare face in place of a fringe, glasses, a hand, a hat
AGREE = 4  # grey levels, averaged over a neighbourhood: less is no disagreement
SAME, OTHER = 4, 15  # grey levels between photo and answer where a face has not changed, and where it has
COARSE = 32  # places a side of the network's square between which light is compared
FARTHER = 5  # grey levels of brightness
COVERED = 0.8  # share of the child's own face that must have been replaced
SHOWN = 384  # pixels of a face on the sheet

Result = dict[str, float]


@dataclass(frozen=True)
class Case:
    """One paste: what the network saw and made, where it belongs, and what should come of it."""

    name: str
    emotion: str
    photo: Image
    answer: Image
    crop: Image
    generated: Image
    square: Square
    own: Points
    points: Points

    @property
    def size(self) -> int:
        """Of the network's pictures."""
        return self.crop.shape[0]


def faults() -> dict[str, Callable[[Image], Image]]:
    """What generators do beside their task."""

    def darker(picture: Image) -> Image:
        return np.rint(picture * 0.88).astype(np.uint8)

    def coloured(picture: Image) -> Image:
        return np.rint(picture * np.array([1.06, 1.0, 0.94])).clip(0, 255).astype(np.uint8)

    def moved(picture: Image) -> Image:
        matrix = np.array([[1, 0, 0.5], [0, 1, 0.5]])
        return np.asarray(cv2.warpAffine(picture, matrix, picture.shape[:2], borderMode=cv2.BORDER_REPLICATE))

    def blurred(picture: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8))

    return {BLIND: lambda picture: picture, "darker": darker, "coloured": coloured, "moved": moved, "blurred": blurred}


def trained_cases(subjects: list[Subject], translator: Translator) -> Iterator[Case]:
    """Every subject with every emotion, as a trained generator makes it."""
    for subject in subjects:
        assert subject.face.points is not None
        square = input_square(subject.face.square, translator.crop_size)
        crop = square.cut(subject.photo, translator.image_size)
        for emotion, generated in zip(translator.domains, translator.generate(crop[None])[0], strict=True):
            points = mesh_of_generated(translator.finder, generated, subject.face, square)
            points = subject.face.points if points is None else points
            yield Case(
                subject.name,
                emotion,
                subject.photo,
                subject.answers[emotion],
                crop,
                generated,
                square,
                subject.face.points,
                points,
            )


def cases(subjects: list[Subject], finder: FaceFinder) -> Iterator[Case]:
    """Every subject with every emotion; networks and faults take turns."""
    for index, subject in enumerate(subjects):
        size, crop_size = NETWORKS[index % len(NETWORKS)]
        square = input_square(subject.face.square, crop_size)
        assert subject.face.points is not None
        crop = square.cut(subject.photo, size)
        for emotion, fault in zip(FIVE, itertools.islice(itertools.cycle(faults()), index, None), strict=False):
            paints = subject.seen if fault == BLIND else subject.answers
            generated = faults()[fault](square.cut(paints[emotion], size))
            points = mesh_of_generated(finder, generated, subject.face, square)
            points = subject.face.points if points is None else points
            yield Case(
                f"{subject.name}, {size}, {fault}",
                emotion,
                subject.photo,
                subject.answers[emotion],
                crop,
                generated,
                square,
                subject.face.points,
                points,
            )


class Feathered(FacePaste):
    """All of the generated face, its edge faded."""

    def _layer(self, lit: NDArray, mask: Mask) -> NDArray:
        size = max(mask.shape[0], lit.shape[0])
        lit = cv2.resize(lit, (size, size), interpolation=cv2.INTER_CUBIC)
        mask = cv2.resize(mask, (size, size))[..., None]
        return np.dstack([mask * lit, mask])


def ours(case: Case) -> Image:
    """As the product does it."""
    return _pasted(FacePaste, case)


def feathered(case: Case) -> Image:
    """The same light and mask, without the photo's own detail."""
    return _pasted(Feathered, case)


def _pasted(kind: type[FacePaste], case: Case) -> Image:
    result = case.photo.copy()
    kind(case.crop, case.square, case.own).onto(result, case.generated, case.points)
    return result


def poisson(case: Case, mixed: bool = False) -> Image:
    """OpenCV's `seamlessClone`, which keeps the face's gradients; `mixed`: the stronger of both pictures'."""
    face, mask, region = _at_its_place(case)
    inside = (mask > 0).astype(np.uint8)
    inside[[0, -1]] = inside[:, [0, -1]] = 0
    left, top, width, height = cv2.boundingRect(inside)
    result = case.photo.copy()
    if width and height:
        how = cv2.MIXED_CLONE if mixed else cv2.NORMAL_CLONE
        centre = left + width // 2, top + height // 2
        result[region] = cv2.seamlessClone(face, np.ascontiguousarray(result[region]), 255 * inside, centre, how)
    return result


def poisson_mixed(case: Case) -> Image:
    """Poisson blending with the stronger gradients."""
    return poisson(case, mixed=True)


def multi_band(case: Case) -> Image:
    """Coarse structure blended over a wide edge, fine structure over a narrow one: pyramids of five levels."""
    face, mask, region = _at_its_place(case)
    upper = [face.astype(np.float32), case.photo[region].astype(np.float32), cv2.merge([mask] * 3)]
    bands = []
    for _ in range(5):
        lower = [cv2.pyrDown(image) for image in upper]
        fine = [a - cv2.pyrUp(b, dstsize=a.shape[1::-1]) for a, b in zip(upper[:2], lower[:2], strict=True)]
        bands.append(fine[0] * upper[2] + fine[1] * (1 - upper[2]))
        upper = lower
    blended = upper[0] * upper[2] + upper[1] * (1 - upper[2])
    for band in reversed(bands):
        blended = cv2.pyrUp(blended, dstsize=band.shape[1::-1]) + band
    result = case.photo.copy()
    result[region] = np.rint(blended).clip(0, 255)
    return result


def _at_its_place(case: Case) -> tuple[Image, Mask, tuple[slice, slice]]:
    """The generated face in the photo's light, and its mask, as large as in the photo."""
    region = case.square.region(case.photo.shape)
    lit, mask = FacePaste(case.crop, case.square, case.own).prepared(case.generated, case.points)
    face = case.square.put_back(np.rint(lit).astype(np.uint8), case.photo.shape, region)
    return np.asarray(face), np.asarray(case.square.put_back(mask, case.photo.shape, region)), region


def drawn_mask(case: Case, size: int = 256) -> Mask:
    """Both faces' inside, in the network's square."""
    own, new = (
        face_mask(case.square.to_crop(points, size).astype(np.float32), (size, size), framed=True)
        for points in (case.own, case.points)
    )
    return np.maximum(own, new)


def the_answer(case: Case) -> Image:
    """No paste at all."""
    return case.answer


WAYS: dict[str, Callable[[Case], Image]] = {
    "answer": the_answer,
    "ours": ours,
    "feathered": feathered,
    "Poisson": poisson,
    "Poisson, mixed": poisson_mixed,
    "multi-band": multi_band,
}


def measure(case: Case, result: Image) -> Result:
    """How far `result` is from a paste that does not show, in grey levels or shares."""
    region = case.square.region(case.photo.shape)
    _, mask, _ = _at_its_place(case)
    face = case.square.put_back(case.generated.astype(np.float32), case.photo.shape, region)
    photo, answer, pasted = (image[region].astype(np.float32) for image in (case.photo, case.answer, result))
    inside = mask > 0.5
    values = _edge(photo, pasted, mask) | _light(case, photo, pasted, face, inside)
    values |= _detail(case, photo, answer, result, inside)
    values["error"] = float(np.abs(pasted - answer)[mask > 0].mean())
    values["grey"] = float(np.ptp(pasted, axis=2).max()) if np.ptp(photo, axis=2).max() == 0 else np.nan
    own = face_mask(case.own - np.float32((region[1].start, region[0].start)), mask.shape, forehead=0) > 0
    replaced = case.square.put_back(drawn_mask(case), case.photo.shape, region) > 0.5
    values["covered"] = float(replaced[own].mean()) if own.any() else np.nan
    return values


def _edge(photo: NDArray, pasted: NDArray, mask: Mask) -> Result:
    """The mean gradient across the mask's edge, in shares of the photo's."""
    down, across = np.gradient(mask)
    steep = np.hypot(down, across)
    edge = (mask > 0.02) & (mask < 0.98) & (steep > 0)
    across_it = []
    for image in (pasted, photo):
        y, x = np.gradient(image.mean(axis=2))
        across_it.append(np.abs(y[edge] * down[edge] + x[edge] * across[edge]) / steep[edge])
    return {"edge": float(across_it[0].mean() / max(across_it[1].mean(), 0.1))}


def _light(case: Case, photo: NDArray, pasted: NDArray, face: NDArray, inside: NDArray) -> Result:
    """Brightness and colour against the generator's own output: where it agrees with the photo, and on the whole."""
    shape = [max(1, round(COARSE * length / case.square.side)) for length in inside.shape[::-1]]
    before, own, after = (cv2.resize(image, shape, interpolation=cv2.INTER_AREA) for image in (photo, face, pasted))
    core = cv2.resize(inside.astype(np.float32), shape, interpolation=cv2.INTER_AREA) == 1
    agree = core & (np.abs(before - own).max(axis=2) < AGREE)
    change = after - own
    brightness = change.mean(axis=2)
    colour = np.abs(change - brightness[..., None]).max(axis=2)
    enough = agree.mean() > 0.02
    means = [image[inside].mean() for image in (photo, face, pasted)]
    return {
        "brightness": abs(float(brightness[agree].mean())) if enough else np.nan,
        "colour": float(colour[agree].mean()) if enough else np.nan,
        "farther": float(abs(means[2] - means[0]) - abs(means[1] - means[0])),
    }


def _detail(case: Case, photo: NDArray, answer: NDArray, result: Image, inside: NDArray) -> Result:
    """What is finer than the network sees: how much in unchanged skin, and what share of the old in changed parts."""
    region = case.square.region(case.photo.shape)
    if case.square.side < 1.2 * case.size:
        return {"detail": np.nan, "doubled": np.nan}
    fine = []
    for image in (case.photo, case.answer, result):
        coarse = case.square.put_back(case.square.cut(image, case.size), image.shape, region)
        fine.append((image[region].astype(np.float32) - coarse).mean(axis=2))
    change = cv2.GaussianBlur(np.abs(photo - answer).mean(axis=2), (0, 0), 0.01 * case.square.side)
    same, other = inside & (change < SAME), inside & (change > OTHER)
    old, wanted, got = fine
    detail = float(got[same].std() / max(wanted[same].std(), 1e-3)) if same.sum() > 50 else np.nan
    if other.sum() < 50:
        return {"detail": detail, "doubled": np.nan}
    (of_old, _), *_ = np.linalg.lstsq(np.column_stack([old[other], wanted[other]]), got[other])
    return {"detail": detail, "doubled": float(of_old)}


def border_of_mask(case: Case) -> float:
    """The mask's largest value on the border of what the network saw."""
    mask = drawn_mask(case)
    return float(max(mask[[0, -1]].max(), mask[:, [0, -1]].max()))


def identity_change(case: Case) -> int:
    """By how many grey levels a photo changes when the generator returns what it is given."""
    same = case.photo.copy()
    FacePaste(case.crop, case.square, case.own).onto(same, case.crop, case.own)
    return int(cv2.absdiff(same, case.photo).max())


def brows(case: Case, result: Image) -> bool | None:
    """Whether an angry face has as many eyebrows as the answer; None for other faces, or where that has not two."""
    region = case.square.region(case.photo.shape)
    points = case.points - np.float32((region[1].start, region[0].start))
    if case.emotion != "angry" or count_brows(case.answer[region], points) != (1, 1):
        return None
    return count_brows(result[region], points) == (1, 1)


def compare(all_cases: list[Case]) -> None:
    """Print a line for each way."""
    print(f"{len(all_cases)} pastes; medians, and how many break a bound")
    print(
        "| way | edge | > 1.10 | brightness > 3 | colour > 3 | > 5 farther | greys coloured | error | detail |", end=""
    )
    print(" doubled | brows | ms |\n|" + " --- |" * 12)
    for name, way in WAYS.items():
        results, seconds, pairs = [], [], []
        for case in tqdm(all_cases, name, leave=False):
            start = time.perf_counter()
            result = way(case)
            seconds.append(time.perf_counter() - start)
            results.append(measure(case, result))
            pairs.append(brows(case, result))
        by = {key: np.array([result[key] for result in results]) for key in results[0]}
        counted = [pair for pair in pairs if pair is not None]
        print(
            f"| {name} | {np.median(by['edge']):.2f} | {np.sum(by['edge'] > 1.1)} | {np.sum(by['brightness'] > 3)} "
            f"| {np.sum(by['colour'] > 3)} | {np.sum(by['farther'] > FARTHER)} | {np.sum(by['grey'] > 0)} "
            f"| {by['error'].mean():.2f} | {np.nanmedian(by['detail']):.2f} | {np.nanmean(by['doubled']):.3f} "
            f"| {sum(counted)} of {len(counted)} | {1000 * np.median(seconds):.0f} |"
        )
    covered = [measure(case, case.photo)["covered"] for case in all_cases]
    print(f"mask on the network's border: at most {max(map(border_of_mask, all_cases)):.3f}")
    print(f"own face covered: at least {np.nanmin(covered):.2f}; {np.sum(np.array(covered) < COVERED)} below {COVERED}")
    print(f"an identity generator changes a photo by at most {max(map(identity_change, all_cases))} grey levels")


def sheet(all_cases: list[Case], path: Path) -> None:
    """Photo, what the generator made, and what came of it each way."""
    rows = []
    for case in all_cases:
        around = case.square.centre(1.15)
        seen = [case.photo, *(way(case) for way in WAYS.values())]
        small = cv2.resize(case.generated, (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC)
        rows.append([np.asarray(small), *(around.cut(picture, SHOWN) for picture in seen)])
    names = [f"{case.name}, {case.emotion}" for case in all_cases]
    picture_grid.grid(rows, ("generated", "photo", *WAYS), names).save(path)


@door
def main() -> int:
    """Print the table and save the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--people", type=Path, help="folder of rendered people, by emotion, with val.txt (default: drawn)"
    )
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="folders of photos")
    parser.add_argument("--generator", type=Path, help="a trained generator's file (default: played by the answers)")
    parser.add_argument("--count", type=int, default=18, help="people, and faces of each folder")
    parser.add_argument("--sheet", type=Path, help="picture of every seventh paste")
    arguments = parser.parse_args()

    def people(held_out: bool, count: int) -> Iterator[tuple[str, paste_material.Pictures]]:
        if arguments.people:
            return paste_material.rendered_people(arguments.people, held_out, count)
        return paste_material.drawn_people(count)

    with FaceFinder() as finder:
        subjects = list(paste_material.people_subjects(people(True, arguments.count), finder))
        moving = people(False, paste_material.MEASURED)
        subjects += paste_material.photo_subjects(arguments.photos, moving, finder, arguments.count)
        all_cases = [] if arguments.generator else list(cases(subjects, finder))
    if arguments.generator:
        with Translator.load(arguments.generator) as translator:
            all_cases = list(trained_cases(subjects, translator))
    compare(all_cases)
    if arguments.sheet:
        sheet(all_cases[:: len(FIVE) + 2], arguments.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
