"""The mirror's coach: a face's movements and the time in, one thing to say out.

The phone page's coach, apps/page/web/feedback.js, does the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from apps import expression_rules
from apps.expression_rules import Blendshapes, Rule
from apps.learned_feedback import USUAL_LEVEL

JUDGE_SMOOTHING_SECONDS = 0.5  # time constant of their moving average
SURE = 0.5  # the judge sees the emotion from this probability on
HALFWAY = 0.5  # below this on the meter a hint is right whatever the judge thinks it sees


@dataclass(frozen=True)
class Moment:
    """What the mirror shows now.

    `state`: "usualFace" (the resting face is asked for), "noFace" and "away" (paused), "hint", "closer" (praise for
    progress), "hold" (reached: keep it), "done" (held: praise), "silent" (the table and the judge disagree). The
    sentence is empty where silent.
    """

    state: str
    meter: float  # how near the face is to the emotion, in [0, 1]
    done: bool  # the expression has been held in this attempt
    korean: str
    english: str
    rule: Rule | None = None  # that a hint speaks of


@dataclass(frozen=True)
class Attempt:
    """One attempt's numbers, for the therapist. Seconds count only while a face looks into the mirror."""

    emotion: str
    seconds: float  # how long it has lasted
    seconds_to_reach: float | None  # from its start until the expression that was then held; None: not held yet
    best: float  # the highest the meter rose, in [0, 1]
    closer: bool = False  # it came closer than the visitor's own first try


@dataclass
class Visit:
    """What the mirror remembers of a visitor from attempt to attempt."""

    rest: Blendshapes | None = None  # their usual face, as they showed it
    asked: bool = False  # for it
    first: dict[str, float] = field(default_factory=dict)  # the best of the first try at each emotion


class Coach:
    """Watches one attempt at one emotion: steady readings, one hint at a time, praise for an expression held.

    `rest` is the person's own resting face (`FaceFinder.mesh` gives its blendshapes), None where it is not known;
    `level` of difficulty is easy, medium or hard; praise comes when an expression was held for `hold_seconds`. In a
    `visit` the usual face is asked for where it is not known, and progress over the first try is praised.
    """

    def __init__(
        self,
        emotion: str,
        rest: Blendshapes | None = None,
        level: str = USUAL_LEVEL,
        visit: Visit | None = None,
        hold_seconds: float = expression_rules.HOLD_SECONDS,
    ) -> None:
        self.emotion, self.level, self.hold_seconds = emotion, level, hold_seconds
        self.visit = visit or Visit(asked=True)
        self.rest = rest or self.visit.rest
        self._usual_face = None if self.rest or self.visit.asked else UsualFace()
        self._first_try = self.visit.first.get(emotion)  # None: this is it
        self.closer = False
        self.meter = self.best = 0.0
        self.done = False
        self.seconds_to_reach: float | None = None
        self._clock = 0.0  # seconds somebody has looked into the mirror: it stands still in a pause
        self._last_frame: float | None = None
        self._face: dict[str, float] | None = None
        self._agreement: float | None = None
        self._reached_at: float | None = None
        self._rule: Rule | None = None
        self._said: tuple[str, str, str, Rule | None] | None = None  # state, Korean, English, a hint's rule
        self._said_at = 0.0
        self._away = False
        self._pause: str | None = None
        self._paused_at = 0.0

    @property
    def attempt(self) -> Attempt:
        """The numbers so far."""
        return Attempt(self.emotion, self._clock, self.seconds_to_reach, self.best, self.closer)

    def see(
        self,
        face: Blendshapes | None,
        seconds: float,
        turned: float = 0.0,
        opinion: Mapping[str, float] | None = None,
    ) -> Moment:
        """One frame's reading: blendshapes (None: no face), its time, by how many degrees the face is turned away.

        `opinion` is the judge's, None where there is no judge.
        """
        since = 0.0 if self._last_frame is None else seconds - self._last_frame
        step = min(max(since, 0.0), expression_rules.GAP_SECONDS)
        self._last_frame = seconds
        self._away = turned > (expression_rules.BACK_DEGREES if self._away else expression_rules.AWAY_DEGREES)
        if face is None or self._away:
            return self._wait("noFace" if face is None else "away", seconds)
        self._pause = None
        if self._usual_face:
            if self._usual_face.see(face, step):
                return Moment("usualFace", 0.0, False, *expression_rules.MESSAGES["usualFace"])
            self.rest = self.visit.rest = self._usual_face.face
            self.visit.asked, self._usual_face = True, None
        self._clock += step
        self._face = _smooth(self._face or face, face, step, expression_rules.SMOOTHING_SECONDS)
        self.meter = expression_rules.meter(self.emotion, self._face, self.rest, self.level)
        self.best = max(self.best, self.meter)
        self._listen(opinion, step)
        state = self._judge_state()
        came_closer = self._compare()
        self._speak("closer" if came_closer and state == "hint" else state)
        return self._moment()

    def _compare(self) -> bool:
        """Keep the first try's best; whether this later one just came closer than that."""
        if self._first_try is None:
            if self._clock >= expression_rules.FIRST_TRY_SECONDS:
                self.visit.first[self.emotion] = self.best
            return False
        if self.closer or self.meter < self._first_try + expression_rules.PROGRESS:
            return False
        self.closer = True
        return True

    def _listen(self, opinion: Mapping[str, float] | None, step: float) -> None:
        """Keep the moving average of the probability the judge gives to the target."""
        if opinion is None:
            self._agreement = None
            return
        heard = opinion.get(self.emotion, 0.0)
        before = heard if self._agreement is None else self._agreement
        self._agreement = before + _share(step, JUDGE_SMOOTHING_SECONDS) * (heard - before)

    def _judge_state(self) -> str:
        """The state as it is now, and the record of how long the expression has been held."""
        reached = self.meter >= (expression_rules.REACHED if self._reached_at is None else expression_rules.RELEASED)
        judged = reached if self._agreement is None else self._agreement >= SURE
        if not (reached and judged):
            self._reached_at = None
            return "silent" if reached or (judged and self.meter >= HALFWAY) else "hint"
        if self._reached_at is None:
            self._reached_at = self._clock
        if not self.done and self._clock - self._reached_at >= self.hold_seconds:
            self.done = True
            self.seconds_to_reach = self._reached_at
        return "done" if self.done else "hold"

    def _speak(self, state: str) -> None:
        """Say what the state wants said. A hint follows anything but "hold" only when that could be read."""
        rule = self._hint() if state == "hint" else None
        korean, english = (rule.korean, rule.english) if rule else expression_rules.MESSAGES.get(state, ("", ""))
        wanted = (state, korean, english, rule)
        waits = state == "hint" and self._said is not None and self._said[0] != "hold"
        if wanted != self._said and not (waits and self._clock - self._said_at < expression_rules.HINT_SECONDS):
            self._said, self._said_at = wanted, self._clock

    def _hint(self) -> Rule:
        """The hint that matters most; the last one as long as it is nearly that."""
        assert self._face is not None
        best = expression_rules.hint(self.emotion, self._face, self.rest)
        gains = [expression_rules.gain(rule, self._face, self.rest) for rule in (self._rule or best, best)]
        if self._rule is None or gains[0] < expression_rules.STILL_BEST * gains[1]:
            self._rule = best
        return self._rule

    def _wait(self, pause: str, seconds: float) -> Moment:
        """Paused: every timer stands still. It is said after a moment only: one frame without a face is no pause."""
        if self._pause is None:
            self._pause, self._paused_at = pause, seconds
        if self._said is None or seconds - self._paused_at >= expression_rules.PAUSE_SECONDS:
            return Moment(self._pause, self.meter, self.done, *expression_rules.MESSAGES[self._pause])
        return self._moment()

    def _moment(self) -> Moment:
        assert self._said is not None
        state, korean, english, rule = self._said
        return Moment(state, self.meter, self.done, korean, english, rule)


class UsualFace:
    """The first calm moments before the mirror: the average of what is read meanwhile."""

    def __init__(self) -> None:
        self.face: Blendshapes | None = None  # None while it was not calm for long enough
        self._readings: list[Blendshapes] = []
        self._calm = self._waited = 0.0

    def see(self, face: Blendshapes, step: float) -> bool:
        """Whether to wait for more."""
        self._waited += step
        self._calm += step
        self._readings.append(face)
        average = {name: sum(each[name] for each in self._readings) / len(self._readings) for name in face}
        moved = max(abs(face[name] - average[name]) for name in face if not name.startswith("eye"))  # eyes blink
        if moved > expression_rules.CALM:
            self._readings, self._calm = [face], 0.0
        elif self._calm >= expression_rules.CALM_SECONDS:
            self.face = average
            return False
        return self._waited < expression_rules.ASKING_SECONDS


def _smooth(before: Blendshapes, now: Blendshapes, step: float, seconds: float) -> dict[str, float]:
    share = _share(step, seconds)
    return {name: before[name] + share * (value - before[name]) for name, value in now.items()}


def _share(step: float, seconds: float) -> float:
    """The newest value's share in a moving average with this time constant, `step` seconds after the one before."""
    return 1 - math.exp(-step / seconds)
