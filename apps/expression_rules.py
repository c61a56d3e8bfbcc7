"""How near a face is to an emotion, and the one thing to try next: the mirror's rules, as data.

The rules follow the facial action units (AU) of each emotion in EMFACS (Ekman and Friesen), read through MediaPipe's
52 blendshapes. Each asks for a *change* from the person's own resting face: one person's brows lie where another's
are when angry. Changes and weights were fitted on drawn and real faces; how well they tell emotions apart is measured
by `benchmarks/feedback.py`. They name what to try next; whether one counts as made, at the level of difficulty
an adult chose, is learned (`learned_feedback.py`). The phone's page interprets the same table (`as_json`), so that no
two apps ever differ.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from apps import learned_feedback
from apps.face_reading import FACE_SPAN, FLOOR, LOOKS, SPAN_FLOOR, SPANS
from apps.learned_feedback import Blendshapes


@dataclass(frozen=True)
class Rule:
    """One movement of the face that belongs to an emotion, or, where its weight is negative, contradicts it."""

    feature: str
    blendshapes: tuple[str, ...]  # the feature is their mean
    change: float  # how far it rises above the resting face when the movement is complete
    weight: float
    korean: str  # the hint, in words a child knows: make the movement, or undo the one that contradicts
    english: str


def _both(*names: str) -> tuple[str, ...]:
    return tuple(name + side for name in names for side in ("Left", "Right"))


SMILE = _both("mouthSmile")  # AU 12
SQUINT = _both("eyeSquint")  # AU 6, 7
BROW_DOWN = _both("browDown")  # AU 4
INNER_BROW_UP = ("browInnerUp",)  # AU 1
BROW_UP = ("browInnerUp", *_both("browOuterUp"))  # AU 1, 2
EYE_WIDE = _both("eyeWide")  # AU 5
LIDS_DROP = _both("eyeBlink")  # AU 43
FROWN = _both("mouthFrown")  # AU 15
CHIN_UP = ("mouthShrugLower",)  # AU 17
STRETCH = _both("mouthStretch")  # AU 20
MOUTH_ROUND = ("mouthPucker", "mouthFunnel")  # AU 18, 22: in a face, what a dropped jaw does to the lips
MOUTH_TENSE = (*_both("mouthPress", "mouthLowerDown"), "mouthRollLower", "mouthShrugLower")  # AU 23, 24, or bared teeth
JAW_OPEN = ("jawOpen",)  # AU 26, 27

_BROWS_DOWN = ("눈썹을 아래로 내려 볼까?", "Can you pull your eyebrows down?")
_STOP_SMILING = ("웃음을 잠깐 멈춰 볼까?", "Can you stop smiling for a moment?")
_WIDE_EYES = ("눈을 크게 떠 볼까?", "Can you open your eyes wide?")
_HEAVY_LIDS = ("눈에 힘을 빼 볼까?", "Can you let your eyelids grow heavy?")
_CORNERS_DOWN = ("입꼬리를 내려 볼까?", "Can you lower the corners of your mouth?")
_PULL_SIDEWAYS = ("입을 옆으로 길게 당겨 볼까?", "Can you pull your mouth out to the sides?")

RULES: dict[str, tuple[Rule, ...]] = {
    "angry": (
        Rule("browDown", BROW_DOWN, 0.15, 2, *_BROWS_DOWN),
        Rule("mouthTense", MOUTH_TENSE, 0.15, 2, "입에 힘을 꽉 줘 볼까?", "Can you make your mouth tight?"),
        Rule("squint", SQUINT, 0.20, 1, "눈에 힘을 줘 볼까?", "Can you make your eyes narrow?"),
        Rule("innerBrowUp", INNER_BROW_UP, 0.30, -1, *_BROWS_DOWN),
        Rule("smile", SMILE, 0.40, -1, *_STOP_SMILING),
    ),
    "fearful": (
        Rule("innerBrowUp", INNER_BROW_UP, 0.50, 3, "눈썹을 위로 올려 볼까?", "Can you lift your eyebrows?"),
        Rule("eyeWide", EYE_WIDE, 0.30, 2, *_WIDE_EYES),
        Rule("stretch", STRETCH, 0.20, 1, *_PULL_SIDEWAYS),
        Rule("mouthRound", MOUTH_ROUND, 0.15, -2, *_PULL_SIDEWAYS),
    ),
    "happy": (
        Rule("smile", SMILE, 0.50, 3, "입꼬리를 올려 볼까?", "Can you lift the corners of your mouth?"),
        Rule("squint", SQUINT, 0.50, 0.5, "눈도 같이 웃어 볼까?", "Can your eyes smile too?"),
    ),
    "sadness": (
        Rule("innerBrowUp", INNER_BROW_UP, 0.20, 2, "눈썹 안쪽을 올려 볼까?", "Can you lift your brows' inner ends?"),
        Rule("chinUp", CHIN_UP, 0.10, 2, "아랫입술을 살짝 내밀어 볼까?", "Can you push out your lower lip a little?"),
        Rule("frown", FROWN, 0.10, 1, *_CORNERS_DOWN),
        Rule("lidsDrop", LIDS_DROP, 0.15, 1, *_HEAVY_LIDS),
        Rule("smile", SMILE, 0.30, -1, *_CORNERS_DOWN),
        Rule("eyeWide", EYE_WIDE, 0.30, -2, *_HEAVY_LIDS),
    ),
    "surprised": (
        Rule("jawOpen", JAW_OPEN, 0.30, 3, "입을 크게 벌려 볼까?", "Can you open your mouth wide?"),
        Rule("browUp", BROW_UP, 0.30, 2, "눈썹을 높이 올려 볼까?", "Can you lift your eyebrows high?"),
        Rule("eyeWide", EYE_WIDE, 0.15, 1, *_WIDE_EYES),
        Rule("smile", SMILE, 0.30, -1, *_STOP_SMILING),
    ),
}  # fmt: skip

REACHED = 1.0  # the meter, in [0, 1], from which on an expression counts as made: 0 is the resting face
RELEASED = 0.75  # and below which it no longer does, nor is a picture of it kept
HOLD_SECONDS = 2.0  # it counts once it has been held so long
HINT_SECONDS = 2.0  # a hint stays at least so long, so that it can be read
STILL_BEST = 0.8  # and while it would raise the score by this share of what the best one would
SMOOTHING_SECONDS = 0.25  # time constant of the moving average over what is read
LOOKS_SMOOTHING_SECONDS = 0.5  # and over what the judge sees

# The usual face is asked for once a visit, where no photo shows it: its readings are averaged while the face is calm.
CALM = 0.15  # no movement of brows or mouth lies further than this from the average
CALM_SECONDS = 1.5  # so long
ASKING_SECONDS = 6.0  # it is not waited for longer
ASK_AGAIN = 2  # times it is asked for again where it smiles

# The meter begins at a try's first readings where they look neutral: light, pose and camera are never quite the same.
SETTLING_SECONDS = 0.6  # so long the meter stays at 0
SETTLES_AT = 0.5  # the chance, at least, that they are neutral

PROGRESS = 0.15  # so much above the child's own first try, on the meter, is praised
FIRST_TRY_SECONDS = 2.0  # a shorter try was none

# No dead end before a bar that does not fill.
OTHER_HINT_SECONDS = 6.0  # a hint that brought no progress in this time gives way to another
TRY_SECONDS = 25.0  # then the try itself is praised, and the page goes on
EASING = 0.15  # after such a try, so much less of the way is asked for in this visit, where the adult allows it
MOST_EASING = 0.3

# The mirror pauses, every timer standing still, while nobody looks into it.
AWAY_DEGREES = 28.0  # a face turned by more than this looks away
BACK_DEGREES = 23.0  # until it is turned by less than this
PAUSE_SECONDS = 0.4  # a pause is spoken of once it has lasted so long
GAP_SECONDS = 0.5  # more than this between two frames counts as this: nobody saw what was in between

MESSAGES = {
    "usualFace": ("평소 얼굴을 보여 줄래?", "Can you show me your usual face?"),
    "restSmiles": ("웃지 않는 편한 얼굴을 보여 줄래?", "Can you relax your face? No smile needed."),
    "goodTry": ("열심히 했어! 잘했어!", "Good try! Well done."),
    "closer": ("처음보다 더 비슷해졌어!", "Closer than your first try!"),
    "hold": ("정말 비슷해! 그대로 있어 볼까?", "So close! Can you hold it?"),
    "done": ("해냈어! 참 잘했어!", "You did it! Well done!"),
    "away": ("거울을 봐 줄래?", "Can you look into the mirror?"),
    "noFace": ("얼굴을 거울에 보여 줄래?", "Can you show your face to the mirror?"),
}


def progress(rule: Rule, face: Blendshapes, rest: Blendshapes | None = None) -> float:
    """How much of the rule's movement `face` makes, in [0, 1]; `rest` is the person's own resting face."""
    made = sum(face[name] - learned_feedback.resting(name, rest) for name in rule.blendshapes) / len(rule.blendshapes)
    return min(max(made / rule.change, 0.0), 1.0)


def meter(
    emotion: str, face: Blendshapes, rest: Blendshapes | None = None, level: str = learned_feedback.USUAL_LEVEL
) -> float:
    """How near `face` is to the emotion, from 0 at rest to 1, where it counts as made at this level of difficulty."""
    return learned_feedback.nearness(emotion, face, rest, level)


def nearest(face: Blendshapes, rest: Blendshapes | None = None) -> str:
    """The most likely of the five emotions."""
    chances = learned_feedback.chances(face, rest)
    return max(RULES, key=lambda emotion: chances[emotion])


def gain(rule: Rule, face: Blendshapes, rest: Blendshapes | None = None) -> float:
    """What following the rule's hint to the end would add to the score, up to a factor of the emotion."""
    made = progress(rule, face, rest)
    return rule.weight * (1 - made) if rule.weight > 0 else -rule.weight * made


def hint(emotion: str, face: Blendshapes, rest: Blendshapes | None = None) -> Rule:
    """The rule whose hint would raise the score most."""
    return max(RULES[emotion], key=lambda rule: gain(rule, face, rest))


def as_json() -> dict[str, Any]:
    """The whole table, as the phone's page reads it."""
    return {
        "rules": {emotion: [asdict(rule) for rule in rules] for emotion, rules in RULES.items()},
        "messages": {name: {"korean": korean, "english": english} for name, (korean, english) in MESSAGES.items()},
        "learned": learned_feedback.WEIGHTS,
        "difficulty": {"usual": learned_feedback.USUAL_LEVEL, "levels": list(learned_feedback.LEVELS)},
        "restLimits": learned_feedback.REST_LIMITS,
        "leastRise": learned_feedback.LEAST_RISE,
        "atRest": learned_feedback.AT_REST,
        "looks": list(LOOKS),
        "looksFloor": FLOOR,
        "spans": SPANS,
        "faceSpan": FACE_SPAN,
        "spanFloor": SPAN_FLOOR,
        "reached": REACHED,
        "released": RELEASED,
        "holdSeconds": HOLD_SECONDS,
        "hintSeconds": HINT_SECONDS,
        "stillBest": STILL_BEST,
        "calm": CALM,
        "calmSeconds": CALM_SECONDS,
        "askingSeconds": ASKING_SECONDS,
        "noRest": learned_feedback.NO_REST,
        "askAgain": ASK_AGAIN,
        "settlingSeconds": SETTLING_SECONDS,
        "settlesAt": SETTLES_AT,
        "otherHintSeconds": OTHER_HINT_SECONDS,
        "trySeconds": TRY_SECONDS,
        "easing": EASING,
        "mostEasing": MOST_EASING,
        "progress": PROGRESS,
        "firstTrySeconds": FIRST_TRY_SECONDS,
        "smoothingSeconds": SMOOTHING_SECONDS,
        "looksSmoothingSeconds": LOOKS_SMOOTHING_SECONDS,
        "awayDegrees": AWAY_DEGREES,
        "backDegrees": BACK_DEGREES,
        "pauseSeconds": PAUSE_SECONDS,
        "gapSeconds": GAP_SECONDS,
    }
