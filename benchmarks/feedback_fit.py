"""Fits the mirror's learned "reached" (`apps/feedback_weights.json`): logistic regressions and their thresholds."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apps import learned_feedback
from common import emotions
from common.errors import UserError

CLASSES = ("neutral", *emotions.FIVE)
LEFT_OUT = ("_neutral", "eyeLook")  # where somebody looks says nothing about what they feel
FOLDS = 5
# What each source of faces weighs in a fit, and the weight decay. Rendered people have a resting face, real ones none.
UNKNOWN = {"real": 1.0, "people": 0.3, "drawn": 0.05}, 3e-3
KNOWN = {"real": 0.3, "people": 1.0, "drawn": 0.4, "grinning": 0.1}, 1e-3
# Of the faces of one kind, at most these shares may be praised for another emotion, and at rest.
MAY_MISPRAISE = {"easy": (0.10, 0.04), "medium": (0.05, 0.02), "hard": (0.03, 0.01)}
AT_REST = 0.04
LOWEST = {"easy": 0.0, "medium": 0.5, "hard": 0.75}  # chance that is ever praised
OF_DRAWN = {"easy": 0.5, "medium": 0.0, "hard": 0.0}  # factor of those shares: drawn faces are clear
CANDIDATES = (1 - np.cos(np.linspace(0.22, 2.95, 22))) / 2  # tried for each emotion: the shares they praise rightly
FEWEST = 20  # faces of an emotion that say something about a share


@dataclass(frozen=True)
class Examples:
    """Faces of one source: blendshapes [N, F], the person's resting ones or None, numbers of `CLASSES`, folds."""

    faces: np.ndarray
    rests: np.ndarray | None
    shown: np.ndarray
    fold: np.ndarray


Model = tuple[np.ndarray, np.ndarray]  # weights [C, F], biases [C]


def features(names: list[str]) -> list[str]:
    """The blendshapes that are read."""
    return [name for name in names if not name.startswith(LEFT_OUT)]


def mirrored(names: list[str]) -> list[int]:
    """Of each blendshape the place of its counterpart on the face's other side."""
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
    """A regression on the faces and their mirror images."""
    return fit(np.vstack([x, x[:, other_side]]), np.tile(y, 2), np.tile(weight, 2), decay)


def thresholds(
    seen: np.ndarray, y: np.ndarray, limits: list[tuple[np.ndarray, float, float]], lowest: np.ndarray
) -> np.ndarray:
    """Of each of the five the chance from which on it is praised, at least `lowest`.

    Every combination of candidates is tried: among those within the limits, the one with the largest sum of the
    square roots of the shares praised rightly, so that a rarely praised emotion counts more. Limits are (which faces,
    share praised for another emotion, share praised at rest).
    """
    own = [seen[y == kind, kind] for kind in range(1, len(CLASSES))]
    candidates = [np.maximum(np.quantile(each, 1 - CANDIDATES), low) for each, low in zip(own, lowest, strict=True)]
    allowed = np.ones((len(CANDIDATES),) * len(own), bool)
    for faces, other, at_rest in limits:
        for kind in range(len(CLASSES)):
            rows = seen[faces & (y == kind)]
            if len(rows) >= FEWEST:
                allowed &= mispraised(rows, candidates, kind) <= (other if kind else at_rest) * len(rows)
    if not allowed.any():
        raise UserError(f"no thresholds keep within {limits[0][1:]}")
    worth = np.zeros(())
    for each, tries in zip(own, candidates, strict=True):
        worth = worth[..., None] + np.sqrt((each[:, None] >= tries).mean(axis=0))
    best = np.unravel_index(np.where(allowed, worth, -np.inf).argmax(), allowed.shape)
    return np.array([tries[i] for tries, i in zip(candidates, best, strict=True)])


def mispraised(rows: np.ndarray, candidates: list[np.ndarray], kind: int) -> np.ndarray:
    """How many faces of one kind are praised for another emotion, for every combination of candidates."""
    praised: np.ndarray | None = None  # a bit a face, for every combination so far
    for i, tries in enumerate(candidates):
        own = i + 1 == kind
        bits = np.packbits(rows[:, None, i + 1] >= tries, axis=0).T
        bits = np.zeros_like(bits[:1]) if own else bits
        praised = bits if praised is None else praised[..., None, :] | bits
    assert praised is not None
    return np.bitwise_count(praised).sum(axis=-1, dtype=np.uint16)


def grinning(names: list[str], people: Examples) -> Examples:
    """Sad faces with a full smile, which show none of the five: no data has them, and they must not be praised."""
    sad = people.shown == CLASSES.index("sadness")
    faces = people.faces[sad].copy()
    faces[:, [names.index("mouthSmileLeft"), names.index("mouthSmileRight")]] = 1
    assert people.rests is not None
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
    rests = np.concatenate(
        [
            np.tile(usual, (len(one.faces), 1)) if one.rests is None else one.rests[:, columns]
            for one in sources.values()
        ]
    )
    change = faces - np.minimum(rests, usual + learned_feedback.REST_LIMIT)
    side = mirrored(kept)
    weights: dict[str, Any] = {
        "features": kept,
        "usualRest": {name: round(float(value), 4) for name, value in zip(kept, usual, strict=True)},
        "thresholds": {},
    }
    both_sides = [*side, *(len(side) + i for i in side)]
    for kind, x, other_side, how in (
        ("unknown", faces, side, UNKNOWN),
        ("known", np.hstack([faces, change]), both_sides, KNOWN),
    ):
        weight = balanced(y, source, how[0])
        seen = out_of_fold(x, y, weight, fold, other_side, how[1])
        weights[kind] = as_rows(fit_both_sides(x, y, weight, other_side, how[1]))
        print(f"{kind}, out of fold, named rightly (mean over the emotions):", named(seen, y, source))
        weights["thresholds"][kind] = levels(kind, seen, y, source)
    return weights


def levels(kind: str, seen: np.ndarray, y: np.ndarray, source: np.ndarray) -> dict[str, dict[str, float]]:
    """Every emotion's threshold at each level of difficulty, where the resting face is "known" or "unknown"."""
    real, people, drawn = (source == name for name in ("real", "people", "drawn"))
    limited = [real] if kind == "unknown" else [people, drawn]
    judged = real | (people & (y == CLASSES.index("fearful"))) if kind == "unknown" else people | drawn
    seen, y = seen[judged], y[judged]
    print(f"{kind}, each emotion alone, at {AT_REST:.0%} of faces at rest:", alone(seen, y))
    found: dict[str, dict[str, float]] = {emotion: {} for emotion in emotions.FIVE}
    chosen = np.zeros(len(emotions.FIVE))
    for level, (other, at_rest) in MAY_MISPRAISE.items():
        shares = [OF_DRAWN[level] if group is drawn else 1.0 for group in limited]
        limits = [(group[judged], share * other, share * at_rest) for group, share in zip(limited, shares, strict=True)]
        chosen = thresholds(seen, y, limits, np.maximum(chosen, LOWEST[level]))
        rightly = [np.mean(seen[y == i, i] >= value) for i, value in enumerate(chosen, 1)]
        print(f"{kind}, {level}: praised rightly {np.round(rightly, 2).tolist()}, from {chosen.round(3).tolist()}")
        for emotion, value in zip(emotions.FIVE, chosen, strict=True):
            found[emotion][level] = round(float(value), 4)
    return found


def named(seen: np.ndarray, y: np.ndarray, source: np.ndarray) -> dict[str, float]:
    """The mean recall of the five in each source."""
    right = seen[:, 1:].argmax(axis=1) + 1 == y
    return {
        name: round(float(np.mean([right[(source == name) & (y == kind)].mean() for kind in range(1, 6)])), 3)
        for name in ("real", "people", "drawn")
    }


def alone(seen: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """What is praised rightly of each of the five where only it is praised, and for it that share of faces at rest."""
    found = {}
    for kind, emotion in enumerate(emotions.FIVE, 1):
        threshold = np.quantile(seen[y == 0, kind], 1 - AT_REST)
        found[emotion] = round(float(np.mean(seen[y == kind, kind] >= threshold)), 2)
    return found


def as_rows(model: Model) -> dict[str, Any]:
    """The regression as the apps read it."""
    return {
        name: {"bias": round(float(bias), 4), "weights": [round(float(value), 4) for value in row]}
        for name, row, bias in zip(CLASSES, *model, strict=True)
    }


def write(file: Path, weights: dict[str, Any]) -> None:
    """The one file of coefficients."""
    file.write_text(json.dumps(weights, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
