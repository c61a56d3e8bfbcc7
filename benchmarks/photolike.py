"""What `people.py --photolike` measures: photo-like people who are calm and were kept back, by each `--detail`.

- detail: mean absolute Laplacian of the face outside the mouth, over the photo's own there, in the photo's resolution;
- distance: dlib's, to the person's own photo; the same person below 0.6;
- movement: blendshapes, from the photo to the result, over those from what the generator saw to its own picture;
- judge: how often the judge of real faces names the wanted emotion among the five, and how often that one has risen
  most against the person's own photo;
- groups: the judge's naming by age, origin, glasses, beard and grey photos, as they look (`photolike_groups.csv`).
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from common.emotions import FIVE
from common.progress import tracked
from face_detection import Face
from face_identity import SAME_PERSON, IdentityNetwork
from imaging.face_geometry import Image, Mask, face_mask, input_square
from imaging.mesh_warp import OUTER_LIPS
from imaging.photo import read_photo
from imaging.soft_border import crop_softly
from scoring.real_face_judge import RealFaceJudge
from translation.translator import DETAILS, Translation, Translator

SIZE = 448  # pixels at which a face is looked at
BESIDE_MOUTH = 0.04  # how much around the lips counts as mouth, in lengths of the face
MOVES = (
    ("happy", "smile", ("mouthSmileLeft", "mouthSmileRight")),
    ("surprised", "jaw open", ("jawOpen",)),
    ("surprised", "inner brows up", ("browInnerUp",)),
    ("fearful", "inner brows up", ("browInnerUp",)),
    ("sadness", "inner brows up", ("browInnerUp",)),
    ("angry", "brows down", ("browDownLeft", "browDownRight")),
)

GROUPS = Path(__file__).with_name("photolike_groups.csv")
ATTRIBUTES = {"glasses": "glasses", "beard": "beard", "grey": "grey photo"}  # columns of 0 and 1

Blendshapes = dict[str, float]


@dataclass
class Measures:
    """What was measured with one kind of detail, by emotion; `moved` by (emotion, what), as (network's own, result)."""

    detail: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    distance: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    named: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    risen: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    of_person: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))  # named, by photo
    checks: Counter[str] = field(default_factory=Counter)
    less_far: Counter[str] = field(default_factory=Counter)  # by emotion and strength: farther, it was another person
    rows: list[tuple[str, list[Image]]] = field(default_factory=list)


def calm_people(folder: Path, count: int) -> list[Path]:
    """The first `count` of those kept back that are calm."""
    with (folder / "list.csv").open(encoding="utf-8") as file:
        rows = [row["file"] for row in csv.DictReader(file) if row["calm"] == "1" and row["split"] == "val"]
    return [folder / name for name in rows[:count]]


def measure(translator: Translator, photos: Sequence[Path]) -> dict[str, Measures]:
    """Every photo, five emotions, by each kind of detail."""
    measures = {kind: Measures() for kind in DETAILS}
    judge = RealFaceJudge()
    with IdentityNetwork.load() as identity:
        for path in tracked(photos, "photo-like people"):
            photo = read_photo(path)
            faces = [face for face in translator.find_faces(photo) if face.points is not None][:1]
            if not faces:
                continue
            own = _own_movement(translator, photo, faces[0])
            for kind in DETAILS:
                translator.detail = kind
                translation = translator.translate(photo, faces, milder=kind == "photo")  # as test mode does
                _add(measures[kind], translator, translation, own, judge, identity, path.name)
    return measures


def _own_movement(translator: Translator, photo: Image, face: Face) -> dict[str, Blendshapes]:
    """How the blendshapes move in the generator's own pictures."""
    crop = crop_softly(photo, translator._sees(face), translator.image_size)
    shown = _blendshapes(translator, crop)
    own = {}
    for domain, picture in zip(translator.domains, translator.generate(crop[None])[0], strict=True):
        answer = _blendshapes(translator, picture)
        own[domain] = {name: answer[name] - shown[name] for name in answer} if answer and shown else {}
    return own


def _blendshapes(translator: Translator, picture: Image) -> Blendshapes:
    """Of a square picture of a face; empty where no mesh is found."""
    mesh = translator.finder.mesh(np.asarray(cv2.resize(picture, (512, 512), interpolation=cv2.INTER_CUBIC), np.uint8))
    return mesh.blendshapes if mesh else {}


def _add(
    measures: Measures,
    translator: Translator,
    translation: Translation,
    own: dict[str, Blendshapes],
    judge: RealFaceJudge,
    identity: IdentityNetwork,
    name: str,
) -> None:
    (face,) = translation.faces
    photo, square = translation.original, input_square(face.square)
    crops = [square.cut(photo, SIZE), *(square.cut(translation.results[emotion], SIZE) for emotion in FIVE)]
    measures.rows.append((name, crops))
    who = identity.descriptors(np.stack(crops))
    meshes = [translator.finder.mesh(crop) for crop in crops]
    mask = outside_mouth(face, photo.shape)
    calm = judge.log_probabilities(crops[:1], [meshes[0].points], FIVE)[0] if meshes[0] else None
    for emotion, crop, number, mesh in zip(FIVE, crops[1:], who[1:], meshes[1:], strict=True):
        measures.detail[emotion].append(sharpness(translation.results[emotion], mask) / sharpness(photo, mask))
        measures.distance[emotion].append(float(np.linalg.norm(number - who[0])))
        check = translation.checks.get((0, emotion))
        if check:
            measures.checks[f"{check.state}: {check.reason}" if check.reason else check.state] += 1
            if check.held_back:
                measures.less_far[f"{emotion} {check.strength:g}"] += 1
        if mesh is None or meshes[0] is None or calm is None:
            continue
        chances = judge.log_probabilities([crop], [mesh.points], FIVE)[0]
        named = bool(chances.argmax() == FIVE.index(emotion))
        measures.named[emotion].append(named)
        measures.of_person[name].append(named)
        measures.risen[emotion].append(bool((log_odds(chances) - log_odds(calm)).argmax() == FIVE.index(emotion)))
        for moved, what, names in MOVES:
            if moved == emotion and own[emotion]:
                network = float(np.mean([own[emotion][n] for n in names]))
                result = float(np.mean([mesh.blendshapes[n] - meshes[0].blendshapes[n] for n in names]))
                measures.moved[emotion, what].append((network, result))


def log_odds(log_chances: np.ndarray) -> np.ndarray:
    """Of log-probabilities."""
    return log_chances - np.log(np.maximum(-np.expm1(log_chances), 1e-6))


def outside_mouth(face: Face, shape: tuple[int, ...]) -> Mask:
    """The face without its mouth."""
    assert face.points is not None
    mask = (face_mask(face.points, shape, forehead=0) > 0.5).astype(np.float32)
    length = float(np.linalg.norm(face.points[10] - face.points[152]))
    hull = cv2.convexHull(face.points[OUTER_LIPS]).round().astype(np.int32)
    cv2.fillConvexPoly(mask, hull, 0.0)
    cv2.polylines(mask, [hull], True, 0.0, max(1, round(2 * BESIDE_MOUTH * length)))
    return mask


def sharpness(picture: Image, mask: Mask) -> float:
    """Mean absolute Laplacian, in grey levels."""
    edges = np.abs(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    return float((edges * mask).sum() / mask.sum())


def groups_of_photos() -> dict[str, list[str]]:
    """The photos of each group, as the people on them look."""
    groups: dict[str, list[str]] = defaultdict(list)
    with GROUPS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            groups[row["age"]].append(row["file"])
            groups[row["origin"]].append(row["file"])
            for column, name in ATTRIBUTES.items():
                if row[column] == "1":
                    groups[name].append(row["file"])
    return dict(groups)


def told(measures: dict[str, Measures]) -> Iterator[str]:
    """The tables, in Markdown."""
    people = len(next(iter(measures.values())).rows)
    yield f"\n{people} calm photo-like people kept back\n"
    yield f"| | {' | '.join(f'--detail {kind}' for kind in measures)} |"
    yield f"| --- |{' ---: |' * len(measures)}"

    def row(name: str, cells: Iterator[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    def every(values: dict[str, list]) -> np.ndarray:
        return np.array([value for some in values.values() for value in some], float)

    all_of = list(measures.values())
    yield row("detail over the photo's, median", (f"{np.median(every(m.detail)):.2f}" for m in all_of))
    yield row("the same, tenth percentile", (f"{np.quantile(every(m.detail), 0.1):.2f}" for m in all_of))
    yield row("distance to the own face, mean", (f"{np.nanmean(every(m.distance)):.3f}" for m in all_of))
    yield row("same person", (f"{(every(m.distance) < SAME_PERSON).mean():.1%}" for m in all_of))
    for key in all_of[0].moved:
        both = [np.array(m.moved[key]).mean(axis=0) for m in all_of]
        yield row(
            f"{key[0]}: {key[1]}, over the network's own {both[0][0]:+.3f}",
            (f"{result / network:.2f} ({result:+.3f})" for network, result in both),
        )
    for emotion in FIVE:
        yield row(f"judge names {emotion}", (f"{np.mean(m.named[emotion]):.1%}" for m in all_of))
    yield row("judge names the wanted emotion", (f"{every(m.named).mean():.1%}" for m in all_of))
    yield row("the wanted emotion has risen most", (f"{every(m.risen).mean():.1%}" for m in all_of))
    for group, photos in groups_of_photos().items():
        shares = [[named for photo in photos for named in m.of_person.get(photo, [])] for m in all_of]
        if shares[0]:
            of_group = sum(photo in all_of[0].of_person for photo in photos)
            yield row(f"judge names it: {group} ({of_group})", (f"{np.mean(share):.1%}" for share in shares))
    for kind, m in measures.items():
        yield f"\n--detail {kind}: " + "; ".join(f"{n} {what}" for what, n in m.checks.most_common())
        if m.less_far:
            yield "moved less far: " + ", ".join(f"{n} {what}" for what, n in sorted(m.less_far.items()))
