"""What a face shows, learned: a multinomial logistic regression over a face's readings decides "reached".

Readings (`face_reading.py`) are MediaPipe's blendshapes, the log-probabilities of the judge of real faces, and
distances between landmarks. The rules (`expression_rules.py`) say what to try next. The coefficients lie in
`feedback_weights.json`, which `benchmarks/feedback.py --fit` writes and the page reads, too; how they were fitted
stands in it. There are two sets: "known" reads the face and its change from the person's own resting face, "unknown"
the face alone, without the distances.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.face_reading import SPANS

Readings = Mapping[str, float]
Blendshapes = Readings

FILE = Path(__file__).with_name("feedback_weights.json")
WEIGHTS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
LEVELS = ("easy", "medium", "hard")
USUAL_LEVEL = "medium"
# A photo taken for a resting face may be a grin, or a mouth that stands open: no more of it than this, above a usual
# one, is put down to rest.
REST_LIMITS = {"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3, "jawOpen": 0.3, "looksHappy": 3.0, "looksSurprised": 3.0}
LEAST_RISE = 2.0  # log-odds: "reached" lies so far above the resting face at least
NO_REST = 0.5  # a chance of a smile, or of surprise, with which a face is asked for its rest again
AT_REST = 0.3  # of the way from the resting face to "reached", the part that a resting face wanders
TINY = 1e-12


def usual(name: str) -> float:
    """A reading of the usual resting face."""
    value: float = WEIGHTS["usualRest"][name]
    return value


def resting(name: str, rest: Readings | None) -> float:
    """A reading of a resting face: of the usual one where the person's own is not known, or smiles with these spans."""
    if rest is None or name not in rest or (name in SPANS and smiles(rest)):
        return usual(name)
    return min(rest[name], usual(name) + REST_LIMITS.get(name, math.inf))


def smiles(face: Readings) -> bool:
    """Whether a face smiles, as the judge sees it."""
    return face.get("looksHappy", -math.inf) > math.log(NO_REST)


def chances(face: Readings, rest: Readings | None = None, weights: Mapping[str, Any] = WEIGHTS) -> dict[str, float]:
    """How likely the face shows each emotion, neutral among them; they sum to 1.

    What was not read (a judge that is missing) counts as usual.
    """
    names = weights["features"]
    values = [face[name] if name in face else usual(name) for name in names]
    if rest is not None:
        values += [value - resting(name, rest) for name, value in zip(names, values, strict=True)]
    model = weights["unknown" if rest is None else "known"]
    sums = {
        emotion: row["bias"] + sum(weight * value for weight, value in zip(row["weights"], values, strict=True))
        for emotion, row in model.items()
    }
    top = max(sums.values())
    powers = {emotion: math.exp(value - top) for emotion, value in sums.items()}
    total = sum(powers.values())
    return {emotion: power / total for emotion, power in powers.items()}


def nearness(emotion: str, face: Readings, rest: Readings | None, level: str) -> float:
    """How far from rest the face has come to `emotion`: 0 at rest, 1 where the level's threshold is reached.

    Rest is the person's own, whatever it looks like; of a smile no more than `REST_LIMITS` is.
    """
    at_rest = {name: resting(name, rest) for name in WEIGHTS["features"]}
    if rest is not None and not smiles(rest):
        at_rest |= {name: rest[name] for name in at_rest if name in rest}
    start = _log_odds(chances(at_rest, rest)[emotion])
    threshold = WEIGHTS["thresholds"]["unknown" if rest is None else "known"][emotion][level]
    goal = max(_log_odds(threshold), start + LEAST_RISE)
    way = (_log_odds(chances(face, rest)[emotion]) - start) / (goal - start)
    return min(max((way - AT_REST) / (1 - AT_REST), 0.0), 1.0)


def _log_odds(chance: float) -> float:
    return math.log(max(chance, TINY) / max(1 - chance, TINY))
