"""What a face shows, learned: a multinomial logistic regression over MediaPipe's blendshapes decides "reached".

The rules (`expression_rules.py`) say what to try next. The coefficients lie in `feedback_weights.json`, which
`benchmarks/feedback.py --fit` writes and the phone's page reads, too; how they were fitted stands in it. There are two
sets: "known" reads the face and its change from the person's own resting face, "unknown" the face alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Blendshapes = Mapping[str, float]  # MediaPipe's names, values in [0, 1]

FILE = Path(__file__).with_name("feedback_weights.json")
WEIGHTS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
LEVELS = ("easy", "medium", "hard")
USUAL_LEVEL = "medium"
# A photo taken for a resting face may be a grin: no more than this above a usual one is put down to rest.
REST_LIMIT = 0.3
METER_SLOPE = 0.12  # what the meter rises with the log-odds of a chance
TINY = 1e-12


def resting(name: str, rest: Blendshapes | None) -> float:
    """A blendshape of a resting face: of the usual one where the person's own is not known."""
    usual: float = WEIGHTS["usualRest"][name]
    return usual if rest is None else min(rest[name], usual + REST_LIMIT)


def chances(
    face: Blendshapes, rest: Blendshapes | None = None, weights: Mapping[str, Any] = WEIGHTS
) -> dict[str, float]:
    """How likely the face shows each emotion, neutral among them; they sum to 1."""
    names = weights["features"]
    values = [face[name] for name in names]
    if rest is not None:
        values += [face[name] - resting(name, rest) for name in names]
    model = weights["unknown" if rest is None else "known"]
    sums = {
        emotion: row["bias"] + sum(weight * value for weight, value in zip(row["weights"], values, strict=True))
        for emotion, row in model.items()
    }
    top = max(sums.values())
    powers = {emotion: math.exp(value - top) for emotion, value in sums.items()}
    total = sum(powers.values())
    return {emotion: power / total for emotion, power in powers.items()}


def nearness(emotion: str, face: Blendshapes, rest: Blendshapes | None, level: str, reached: float) -> float:
    """How near the chance of `emotion` is to the level's threshold, which lies at `reached`, in [0, 1]."""
    threshold = WEIGHTS["thresholds"]["unknown" if rest is None else "known"][emotion][level]
    beyond = _log_odds(chances(face, rest)[emotion]) - _log_odds(threshold)
    return min(max(reached + METER_SLOPE * beyond, 0.0), 1.0)


def _log_odds(chance: float) -> float:
    return math.log(max(chance, TINY) / max(1 - chance, TINY))
