"""How near a face is to an emotion, and the one thing to try next: the mirror's rules, as data.

The rules follow the facial action units (AU) of each emotion in EMFACS (Ekman and Friesen), read through MediaPipe's
52 blendshapes. Each rule asks for a *change* from the person's own resting face: one person's brows lie where
another's are when angry. The phone's page interprets the same table (`as_json`), so that no two apps ever differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

Blendshapes = Mapping[str, float]  # MediaPipe's names, values in [0, 1]


@dataclass(frozen=True)
class Rule:
    """One movement of the face that belongs to an emotion."""

    feature: str
    blendshapes: tuple[str, ...]  # the feature is their mean
    change: float  # how far it rises above the resting face when the movement is complete
    weight: float
    korean: str  # the hint, in words a child knows
    english: str
    rest: float = 0.0  # its value in a usual resting face, for when the person's own is not known


SMILE = ("mouthSmileLeft", "mouthSmileRight")  # AU 12
SQUINT = ("eyeSquintLeft", "eyeSquintRight")  # AU 6, 7
BROW_DOWN = ("browDownLeft", "browDownRight")  # AU 4
INNER_BROW_UP = ("browInnerUp",)  # AU 1
BROW_UP = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")  # AU 1, 2
EYE_WIDE = ("eyeWideLeft", "eyeWideRight")  # AU 5
FROWN = ("mouthFrownLeft", "mouthFrownRight")  # AU 15
CHIN_UP = ("mouthShrugLower",)  # AU 17
STRETCH = ("mouthStretchLeft", "mouthStretchRight")  # AU 20
LIPS_TIGHT = ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthShrugLower")  # AU 23, 24
JAW_OPEN = ("jawOpen",)  # AU 26

_WIDE_EYES = ("눈을 크게 떠 볼까?", "Can you open your eyes wide?")

RULES: dict[str, tuple[Rule, ...]] = {
    "angry": (
        Rule("browDown", BROW_DOWN, 0.30, 3, "눈썹을 아래로 내려 볼까?", "Can you pull your eyebrows down?"),
        Rule("squint", SQUINT, 0.20, 1, "눈에 힘을 줘 볼까?", "Can you make your eyes narrow?", rest=0.3),
        Rule("lipsTight", LIPS_TIGHT, 0.15, 1, "입술을 꼭 다물어 볼까?", "Can you press your lips together?"),
    ),
    "fearful": (
        Rule("innerBrowUp", INNER_BROW_UP, 0.35, 2, "눈썹을 위로 올려 볼까?", "Can you lift your eyebrows?"),
        Rule("eyeWide", EYE_WIDE, 0.20, 2, *_WIDE_EYES),
        Rule("stretch", STRETCH, 0.20, 1, "입을 옆으로 길게 당겨 볼까?", "Can you pull your mouth out to the sides?"),
    ),
    "happy": (
        Rule("smile", SMILE, 0.50, 3, "입꼬리를 올려 볼까?", "Can you lift the corners of your mouth?"),
        Rule("squint", SQUINT, 0.25, 0.5, "눈도 같이 웃어 볼까?", "Can your eyes smile too?"),
    ),
    "sadness": (
        Rule(
            "innerBrowUp",
            INNER_BROW_UP,
            0.35,
            2,
            "눈썹 안쪽을 올려 볼까?",
            "Can you lift the inner ends of your brows?",
        ),
        Rule("frown", FROWN, 0.20, 2, "입꼬리를 내려 볼까?", "Can you lower the corners of your mouth?"),
        Rule("chinUp", CHIN_UP, 0.30, 1, "아랫입술을 살짝 내밀어 볼까?", "Can you push out your lower lip a little?"),
    ),
    "surprised": (
        Rule("browUp", BROW_UP, 0.35, 2, "눈썹을 높이 올려 볼까?", "Can you lift your eyebrows high?"),
        Rule("eyeWide", EYE_WIDE, 0.20, 1, *_WIDE_EYES),
        Rule("jawOpen", JAW_OPEN, 0.25, 2, "입을 크게 벌려 볼까?", "Can you open your mouth wide?"),
    ),
}

# A photo taken for a resting face may be a grin: no more than this of a feature is put down to rest.
REST_LIMIT = 0.3

REACHED = 0.7  # the meter, in [0, 1], from which on an expression counts as made
RELEASED = 0.6  # and below which it no longer does
HOLD_SECONDS = 2.0  # it counts once it has been held so long
HINT_SECONDS = 2.0  # a hint stays at least so long, so that it can be read
SMOOTHING_SECONDS = 0.25  # time constant of the moving average over the blendshapes

# The mirror pauses, every timer standing still, while nobody looks into it.
AWAY_DEGREES = 28.0  # a face turned by more than this looks away
BACK_DEGREES = 23.0  # until it is turned by less than this
PAUSE_SECONDS = 0.4  # a pause is spoken of once it has lasted so long
GAP_SECONDS = 0.5  # more than this between two frames counts as this: nobody saw what was in between

MESSAGES = {
    "hold": ("정말 비슷해! 그대로 있어 볼까?", "So close! Can you hold it?"),
    "done": ("해냈어! 참 잘했어!", "You did it! Well done!"),
    "away": ("거울을 봐 줄래?", "Can you look into the mirror?"),
    "noFace": ("얼굴을 거울에 보여 줄래?", "Can you show your face to the mirror?"),
}


def progress(rule: Rule, face: Blendshapes, rest: Blendshapes | None = None) -> float:
    """How much of the rule's movement `face` makes, in [0, 1]; `rest` is the person's own resting face."""
    at_rest = rule.rest if rest is None else min(_mean(rule, rest), REST_LIMIT)
    return min(max((_mean(rule, face) - at_rest) / rule.change, 0.0), 1.0)


def meter(emotion: str, face: Blendshapes, rest: Blendshapes | None = None) -> float:
    """How near `face` is to the emotion, in [0, 1]: the weighted mean of its rules' progress."""
    rules = RULES[emotion]
    return sum(rule.weight * progress(rule, face, rest) for rule in rules) / sum(rule.weight for rule in rules)


def hint(emotion: str, face: Blendshapes, rest: Blendshapes | None = None) -> Rule:
    """The rule whose movement would raise the meter most."""
    return max(RULES[emotion], key=lambda rule: gain(rule, face, rest))


def gain(rule: Rule, face: Blendshapes, rest: Blendshapes | None = None) -> float:
    """What completing the rule's movement would add to the meter, times the sum of the emotion's weights."""
    return rule.weight * (1 - progress(rule, face, rest))


def as_json() -> dict[str, Any]:
    """The whole table, as the phone's page reads it."""
    return {
        "rules": {emotion: [asdict(rule) for rule in rules] for emotion, rules in RULES.items()},
        "messages": {name: {"korean": korean, "english": english} for name, (korean, english) in MESSAGES.items()},
        "restLimit": REST_LIMIT,
        "reached": REACHED,
        "holdSeconds": HOLD_SECONDS,
        "hintSeconds": HINT_SECONDS,
        "smoothingSeconds": SMOOTHING_SECONDS,
    }


def _mean(rule: Rule, face: Blendshapes) -> float:
    return sum(face[name] for name in rule.blendshapes) / len(rule.blendshapes)
