"""Fits the mirror's learned "reached" (`apps/feedback_weights.json`): logistic regressions and their thresholds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from common import emotions

CLASSES = ("neutral", *emotions.FIVE)
LEFT_OUT = ("_neutral", "eyeLook")  # where somebody looks says nothing about what they feel
DECAY = 1e-3
FOLDS = 2
# Of the fitting faces of one kind, at most these shares may be praised for another emotion, and at rest.
MAY_MISPRAISE = {"easy": (0.10, 0.04), "medium": (0.06, 0.02), "hard": (0.03, 0.01)}
GRID = np.r_[np.arange(0.1, 0.96, 0.025), 0.98]


def features(names: list[str]) -> list[str]:
    """The blendshapes that are read."""
    return [name for name in names if not name.startswith(LEFT_OUT)]


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [C, F] and biases [C] of a multinomial logistic regression, `y` holding the numbers of `CLASSES`."""
    spread = x.std(axis=0) + 0.02
    inputs, target = torch.tensor(x / spread, dtype=torch.float64), torch.tensor(y)
    share = torch.tensor(weight / weight.sum(), dtype=torch.float64)
    w = torch.zeros(len(CLASSES), x.shape[1], dtype=torch.float64, requires_grad=True)
    b = torch.zeros(len(CLASSES), dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([w, b], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        search.zero_grad()
        loss = (share * torch.nn.functional.cross_entropy(inputs @ w.T + b, target, reduction="none")).sum()
        loss = loss + DECAY * w.square().sum()
        loss.backward()
        return loss

    search.step(closure)
    return w.detach().numpy() / spread, b.detach().numpy()


def probabilities(x: np.ndarray, model: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """What the regression makes of `x`, [N, C]."""
    logits = x @ model[0].T + model[1]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def balanced(y: np.ndarray, source: np.ndarray, shares: dict[str, float]) -> np.ndarray:
    """A weight for each face: within a source every emotion counts alike, but a rare one no more than tenfold."""
    weight = np.zeros(len(y))
    for name, share in shares.items():
        counts = np.bincount(y[source == name], minlength=len(CLASSES))
        each = 1 / np.maximum(counts, counts.max() / 10)
        weight[source == name] = share * each[y[source == name]]
    return weight


def out_of_fold(x: np.ndarray, y: np.ndarray, weight: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each face read by a regression that never saw its fold (people stay together)."""
    seen = np.zeros((len(y), len(CLASSES)))
    for number in range(FOLDS):
        inside = fold == number
        seen[inside] = probabilities(x[inside], fit(x[~inside], y[~inside], weight[~inside]))
    return seen


def thresholds(seen: np.ndarray, y: np.ndarray) -> dict[str, dict[str, float]]:
    """For each emotion and level the chance from which on it is praised: most right praise within the limits."""
    found = {}
    for level, limits in MAY_MISPRAISE.items():
        chosen = np.full(len(emotions.FIVE), 0.5)
        for _ in range(4):
            for i in range(len(chosen)):
                tries = [_worth(seen, y, np.r_[chosen[:i], value, chosen[i + 1 :]], limits) for value in GRID]
                chosen[i] = GRID[int(np.argmax(tries))]
        found[level] = chosen
    return {
        emotion: {level: round(float(found[level][i]), 3) for level in MAY_MISPRAISE}
        for i, emotion in enumerate(emotions.FIVE)
    }


def _worth(seen: np.ndarray, y: np.ndarray, chosen: np.ndarray, limits: tuple[float, float]) -> float:
    """Root mean recall (the weakest emotions count most), less ten times what lies above the limits."""
    praised = seen[:, 1:] >= chosen
    recalls, excess = [], max(praised[y == 0].any(axis=1).mean() - limits[1], 0.0)
    for number in range(1, len(CLASSES)):
        rows = praised[y == number]
        recalls.append(rows[:, number - 1].mean() ** 0.5)
        excess += max(np.delete(rows, number - 1, axis=1).any(axis=1).mean() - limits[0], 0.0)
    return float(np.mean(recalls) - 10 * excess)


def fit_all(
    names: list[str], parts: dict[str, tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]]
) -> dict[str, Any]:
    """The file's content from each source's faces: (blendshapes, resting ones or None, emotion, fold)."""
    kept = features(names)
    columns = [names.index(name) for name in kept]
    source = np.concatenate([[name] * len(part[0]) for name, part in parts.items()])
    face = np.concatenate([part[0] for part in parts.values()])[:, columns]
    y, fold = (np.concatenate([part[i] for part in parts.values()]) for i in (2, 3))
    usual = face[(source == "real") & (y == 0)].mean(axis=0)  # stands in where nobody knows the resting face
    rest = np.concatenate(
        [np.tile(usual, (len(part[0]), 1)) if part[1] is None else part[1][:, columns] for part in parts.values()]
    )
    weights: dict[str, Any] = {"features": kept, "usualRest": [round(float(value), 4) for value in usual]}
    rows = {"unknown": (source == "real") | ((source == "people") & (y == 2)), "known": source != "real"}
    weights["thresholds"] = {}
    for kind, x, shares in (
        ("unknown", face, {"real": 1.0, "people": 0.3, "drawn": 0.1}),
        ("known", np.hstack([face, face - rest]), {"real": 0.3, "people": 1.0, "drawn": 0.2}),
    ):
        weight = balanced(y, source, shares)
        seen = out_of_fold(x, y, weight, fold)
        weights[kind] = as_rows(fit(x, y, weight))
        weights["thresholds"][kind] = thresholds(seen[rows[kind]], y[rows[kind]])
        right = seen[:, 1:].argmax(axis=1) + 1 == y
        recalls = {name: np.mean([right[(source == name) & (y == c)].mean() for c in range(1, 6)]) for name in parts}
        print(kind, "out of fold, mean recall:", {name: round(float(value), 3) for name, value in recalls.items()})
        print(kind, "thresholds:", weights["thresholds"][kind])
    return weights


def as_rows(model: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """The regression as the apps read it."""
    return {
        name: {"bias": round(float(bias), 4), "weights": [round(float(value), 4) for value in row]}
        for name, row, bias in zip(CLASSES, *model, strict=True)
    }


def write(file: Any, weights: dict[str, Any]) -> None:
    """The one file of coefficients, a list a line."""
    file.write_text(json.dumps(weights, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
