"""Fits the mirror's learned "reached" (`apps/feedback_weights.json`): logistic regressions and their thresholds."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apps import learned_feedback
from apps.face_reading import SPANS
from common import emotions

CLASSES = ("neutral", *emotions.FIVE)
LEFT_OUT = ("_neutral", "eyeLook")  # where somebody looks says nothing about what they feel
FOLDS = 5
# What each source of faces weighs in a fit, and the weight decay. Rendered people have a resting face, real ones none.
UNKNOWN = {"real": 1.0, "people": 0.3, "drawn": 0.05}, 3e-2
KNOWN = {"real": 0.5, "people": 1.0, "drawn": 0.4, "grinning": 0.1, "films": 0.7, "films after a photo": 0.7}, 1e-3
# Asked for one emotion, at most these shares of the faces of any other, and of those at rest, may be praised for it.
MAY_MISPRAISE = {"easy": (0.12, 0.05), "medium": (0.06, 0.025), "hard": (0.03, 0.01)}
# A threshold that just keeps a limit on some faces breaks it on half of all others. So the easy one keeps this much of
# the limit at rest: cross-validated by person, 5 % were up to 5.4 and are 4.4 now (medium 2.6 for 2.5, hard 1.1 for 1).
ROOM = {("unknown", "easy"): 0.8}
# How much of both limits each source keeps where the resting face is known. A real face's rest is a photo of another
# day, in other light: what has changed since looks like an expression. A mirror's is of the same minute, and each try
# there begins anew. So real faces may break the limits, while films, which are what the mirror sees, keep half of them.
LIMITED_BY = {"real": 6.0, "people": 1.0, "drawn": 1.0, "films": 0.5, "films after a photo": 0.5}
FEWEST = 20  # faces of an emotion that say something about a share


@dataclass(frozen=True)
class Examples:
    """Faces of one source: readings [N, F], the person's resting ones (NaN: not known), numbers of `CLASSES`, folds."""

    faces: np.ndarray
    rests: np.ndarray
    shown: np.ndarray
    fold: np.ndarray


Model = tuple[np.ndarray, np.ndarray]  # weights [C, F], biases [C]


def features(names: list[str]) -> list[str]:
    """The readings that are used."""
    return [name for name in names if not name.startswith(LEFT_OUT)]


def mirrored(names: list[str]) -> list[int]:
    """Of each reading the place of its counterpart on the face's other side."""
    swap = {"Left": "Right", "Right": "Left"}
    sides = [next((side for side in swap if name.endswith(side)), "") for name in names]
    return [names.index(name.removesuffix(side) + swap.get(side, "")) for name, side in zip(names, sides, strict=True)]


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, decay: float) -> Model:
    """A multinomial logistic regression, `y` holding the numbers of `CLASSES`."""
    spread, middle = x.std(axis=0) + 0.02, x.mean(axis=0)
    inputs, target = torch.tensor((x - middle) / spread, dtype=torch.float64), torch.tensor(y)
    share = torch.tensor(weight / weight.sum(), dtype=torch.float64)
    w = torch.zeros(len(CLASSES), x.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(len(CLASSES), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([w, b], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = (share * torch.nn.functional.cross_entropy(inputs @ w.T + b, target, reduction="none")).sum()
        loss = loss + decay * w.square().sum()
        loss.backward()
        return loss

    search.step(closure)
    weights = w.detach().numpy() / spread
    return weights, b.detach().numpy() - weights @ middle


def chances(x: np.ndarray, model: Model) -> np.ndarray:
    """How likely each face shows each of `CLASSES`, [N, C]."""
    sums = x @ model[0].T + model[1]
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def balanced(y: np.ndarray, source: np.ndarray, shares: dict[str, float]) -> np.ndarray:
    """A weight for each face: the sources get their shares, a rare emotion counts more, by the root of its rarity."""
    weight = np.zeros(len(y))
    for name, share in shares.items():
        counts = np.bincount(y[source == name], minlength=len(CLASSES))
        each = np.maximum(counts, counts.max() / 10)[y[source == name]] ** -0.5
        weight[source == name] = share * each / each.sum()
    return weight


def out_of_fold(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, fold: np.ndarray, other_side: list[int], decay: float
) -> np.ndarray:
    """Each face's chances by a regression that never saw its fold (people stay together)."""
    seen = np.zeros((len(y), len(CLASSES)))
    for number in range(FOLDS):
        inside = fold == number
        model = fit_both_sides(x[~inside], y[~inside], weight[~inside], other_side, decay)
        seen[inside] = chances(x[inside], model)
    return seen


def fit_both_sides(x: np.ndarray, y: np.ndarray, weight: np.ndarray, other_side: list[int], decay: float) -> Model:
    """A regression on those faces that have a weight, and their mirror images."""
    x, y, weight = x[weight > 0], y[weight > 0], weight[weight > 0]
    return fit(np.vstack([x, x[:, other_side]]), np.tile(y, 2), np.tile(weight, 2), decay)


def threshold(
    seen: np.ndarray, y: np.ndarray, kind: int, groups: list[tuple[np.ndarray, float]], limits: tuple[float, float]
) -> float:
    """The lowest chance of the emotion `kind` from which on it may be praised when it is asked for.

    In each of the `groups` at most the share limits[0] of the faces of any other emotion (of `FEWEST` or more) is then
    praised for it, and limits[1] of those at rest; both times the group's factor.
    """
    lowest = 0.0
    for faces, factor in groups:
        for other in range(len(CLASSES)):
            rows = np.sort(seen[faces & (y == other), kind])
            if other != kind and len(rows) >= FEWEST:
                allowed = int(factor * (limits[0] if other else limits[1]) * len(rows))
                lowest = max(lowest, np.nextafter(rows[-allowed - 1], 1))
    return float(lowest)


def grinning(names: list[str], people: Examples) -> Examples:
    """Sad faces with a full smile, which show none of the five: no data has them, and they must not be praised."""
    sad = people.shown == CLASSES.index("sadness")
    faces = people.faces[sad].copy()
    faces[:, [names.index("mouthSmileLeft"), names.index("mouthSmileRight")]] = 1
    return Examples(faces, people.rests[sad], np.zeros(len(faces), int), people.fold[sad])


def fit_all(names: list[str], sources: dict[str, Examples]) -> dict[str, Any]:
    """The content of the apps' file."""
    both = [grinning(names, sources[name]) for name in ("people", "drawn")]
    sources = {
        **sources,
        "grinning": Examples(*(np.concatenate(parts) for parts in zip(*map(astuple, both), strict=True))),
    }
    kept = features(names)
    columns = [names.index(name) for name in kept]
    source = np.concatenate([[name] * len(one.faces) for name, one in sources.items()])
    faces = np.concatenate([one.faces for one in sources.values()])[:, columns].astype(float)
    y = np.concatenate([one.shown for one in sources.values()])
    fold = np.concatenate([one.fold for one in sources.values()])
    usual = faces[(source == "real") & (y == 0)].mean(axis=0)  # stands in where nobody knows the resting face
    rests = np.concatenate([one.rests for one in sources.values()])[:, columns]
    rest_known = ~np.isnan(rests).any(axis=1)
    rests = np.where(rest_known[:, None], rests, usual)
    limit = [learned_feedback.REST_LIMITS.get(name, np.inf) for name in kept]
    change = faces - np.minimum(rests, usual + limit)
    side = mirrored(kept)
    weights: dict[str, Any] = {
        "features": kept,
        "usualRest": {name: round(float(value), 4) for name, value in zip(kept, usual, strict=True)},
        "thresholds": {},
    }
    both_sides = [*side, *(len(side) + i for i in side)]
    # How far landmarks lie apart is anatomy: without the person's resting face it says little about an expression.
    alone = np.where([name in SPANS for name in kept], 0, faces)
    for kind, x, other_side, how in (
        ("unknown", alone, side, UNKNOWN),
        ("known", np.hstack([faces, change]), both_sides, KNOWN),
    ):
        weight = balanced(y, source, how[0])
        if kind == "known":
            weight = weight * np.where(rest_known, 1, 0.2)
        seen = out_of_fold(x, y, weight, fold, other_side, how[1])
        weights[kind] = as_rows(fit_both_sides(x, y, weight, other_side, how[1]))
        print(f"{kind}, out of fold, named rightly (mean over the emotions):", named(seen, y, source))
        factors = {"real": 1.0} if kind == "unknown" else LIMITED_BY
        judged = [((source == name) & (rest_known | (kind == "unknown")), factor) for name, factor in factors.items()]
        weights["thresholds"][kind] = levels(kind, seen, y, judged)
    return weights


def levels(
    kind: str, seen: np.ndarray, y: np.ndarray, groups: list[tuple[np.ndarray, float]]
) -> dict[str, dict[str, float]]:
    """Every emotion's threshold at each level of difficulty, where the resting face is "known" or "unknown"."""
    found: dict[str, dict[str, float]] = {emotion: {} for emotion in emotions.FIVE}
    for level, (of_others, at_rest) in MAY_MISPRAISE.items():
        limits = of_others, ROOM.get((kind, level), 1.0) * at_rest
        for i, emotion in enumerate(emotions.FIVE, 1):
            found[emotion][level] = threshold(seen, y, i, groups, limits)
        rightly = [
            [np.round(np.mean(seen[group & (y == i), i] >= found[e][level]), 2) for i, e in enumerate(emotions.FIVE, 1)]
            for group, _ in groups
        ]
        print(f"{kind}, {level}: praised rightly {rightly}")
    return {emotion: {level: round(value, 5) for level, value in own.items()} for emotion, own in found.items()}


def named(seen: np.ndarray, y: np.ndarray, source: np.ndarray) -> dict[str, float]:
    """The mean recall of the five in each source."""
    right = seen[:, 1:].argmax(axis=1) + 1 == y
    return {
        name: round(float(np.mean([right[(source == name) & (y == kind)].mean() for kind in range(1, 6)])), 3)
        for name in ("real", "people", "drawn")
    }


def as_rows(model: Model) -> dict[str, Any]:
    """The regression as the apps read it."""
    return {
        name: {"bias": round(float(bias), 4), "weights": [round(float(value), 4) for value in row]}
        for name, row, bias in zip(CLASSES, *model, strict=True)
    }


def write(file: Path, weights: dict[str, Any]) -> None:
    """The one file of coefficients."""
    file.write_text(json.dumps(weights, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
