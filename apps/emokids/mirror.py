"""The live mirror: camera frames in, one thing to say out. No frame is kept, none leaves the machine.

`Coach` is the logic, a face's movements and the time in; web/feedback.js is its twin. `Mirror` reads those movements
off camera frames with MediaPipe and, where there is one, asks an emotion judge for a second opinion.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

import emotions
import face_detection
import feedback
import weights
from face_detection import Box, Image, Points
from feedback import Blendshapes, Rule

if TYPE_CHECKING:
    from emotion_recognition import EmotionRecognizer

# A second opinion: a face crop (uint8 RGB [S, S, 3]) in, the probability of each emotion out, by canonical name.
Judge = Callable[[Image], Mapping[str, float]]

BLANK_SIZE = 64  # pixels: of the first picture the network is shown, before any of the camera
JUDGE_SECONDS = 0.5  # between two second opinions, or the frame rate would suffer
JUDGE_SMOOTHING_SECONDS = 0.5  # time constant of their moving average
SURE = 0.5  # the judge sees the emotion from this probability on
HALFWAY = 0.5  # below this on the meter a hint is right whatever the judge thinks it sees
BOX_OF_MESH = 0.92  # side of the detector's box over the mesh's height


@dataclass(frozen=True)
class Moment:
    """What the mirror shows now.

    `state`: "noFace" and "away" (paused), "hint", "hold" (reached: keep it), "done" (held: praise), "silent" (the
    table and the judge disagree). The sentence is empty where silent.
    """

    state: str
    meter: float  # how near the face is to the emotion, in [0, 1]
    done: bool  # the expression has been held in this attempt
    korean: str
    english: str


@dataclass(frozen=True)
class Attempt:
    """One attempt's numbers, for the therapist. Seconds count only while a face looks into the mirror."""

    emotion: str
    seconds: float  # how long it has lasted
    seconds_to_reach: float | None  # from its start until the expression that was then held; None: not held yet
    best: float  # the highest the meter rose, in [0, 1]


class Coach:
    """Watches one attempt at one emotion: steady readings, one hint at a time, praise for an expression held.

    `rest` is the person's own resting face (`FaceFinder.mesh` gives its blendshapes), None where it is not known.
    """

    def __init__(self, emotion: str, rest: Blendshapes | None = None) -> None:
        self.emotion, self.rest = emotion, rest
        self.meter = self.best = 0.0
        self.done = False
        self.seconds_to_reach: float | None = None
        self._clock = 0.0  # seconds somebody has looked into the mirror: it stands still in a pause
        self._last_frame: float | None = None
        self._face: dict[str, float] | None = None
        self._agreement: float | None = None
        self._reached_at: float | None = None
        self._rule: Rule | None = None
        self._said: tuple[str, str, str] | None = None  # state, Korean, English
        self._said_at = 0.0
        self._away = False
        self._pause: str | None = None
        self._paused_at = 0.0

    @property
    def attempt(self) -> Attempt:
        """The numbers so far."""
        return Attempt(self.emotion, self._clock, self.seconds_to_reach, self.best)

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
        step = min(max(since, 0.0), feedback.GAP_SECONDS)
        self._last_frame = seconds
        self._away = turned > (feedback.BACK_DEGREES if self._away else feedback.AWAY_DEGREES)
        if face is None or self._away:
            return self._wait("noFace" if face is None else "away", seconds)
        self._pause = None
        self._clock += step
        self._face = _smooth(self._face or face, face, step, feedback.SMOOTHING_SECONDS)
        self.meter = feedback.meter(self.emotion, self._face, self.rest)
        self.best = max(self.best, self.meter)
        self._listen(opinion, step)
        self._speak(self._judge_state())
        return self._moment()

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
        reached = self.meter >= (feedback.REACHED if self._reached_at is None else feedback.RELEASED)
        judged = reached if self._agreement is None else self._agreement >= SURE
        if not (reached and judged):
            self._reached_at = None
            return "silent" if reached or (judged and self.meter >= HALFWAY) else "hint"
        if self._reached_at is None:
            self._reached_at = self._clock
        if not self.done and self._clock - self._reached_at >= feedback.HOLD_SECONDS:
            self.done = True
            self.seconds_to_reach = self._reached_at
        return "done" if self.done else "hold"

    def _speak(self, state: str) -> None:
        """Say what the state wants said. A hint follows anything but "hold" only when that could be read."""
        sentence = self._hint() if state == "hint" else feedback.MESSAGES.get(state, ("", ""))
        wanted = (state, *sentence)
        waits = state == "hint" and self._said is not None and self._said[0] != "hold"
        if wanted != self._said and not (waits and self._clock - self._said_at < feedback.HINT_SECONDS):
            self._said, self._said_at = wanted, self._clock

    def _hint(self) -> tuple[str, str]:
        """The hint that matters most; the last one as long as it is nearly that."""
        assert self._face is not None
        best = feedback.hint(self.emotion, self._face, self.rest)
        gains = [feedback.gain(rule, self._face, self.rest) for rule in (self._rule or best, best)]
        if self._rule is None or gains[0] < feedback.STILL_BEST * gains[1]:
            self._rule = best
        return self._rule.korean, self._rule.english

    def _wait(self, pause: str, seconds: float) -> Moment:
        """Paused: every timer stands still. It is said after a moment only: one frame without a face is no pause."""
        if self._pause is None:
            self._pause, self._paused_at = pause, seconds
        if self._said is None or seconds - self._paused_at >= feedback.PAUSE_SECONDS:
            return Moment(self._pause, self.meter, self.done, *feedback.MESSAGES[self._pause])
        return self._moment()

    def _moment(self) -> Moment:
        assert self._said is not None
        state, korean, english = self._said
        return Moment(state, self.meter, self.done, korean, english)


class Mirror:
    """MediaPipe's landmarker kept alive in its video mode, and a coach. Use as a context manager, or `close()`.

    `see` may be called from a video thread while `begin` is called from another.
    Raises `errors.UserError` when the landmarker's file can't be had.
    """

    def __init__(self, judge: Judge | None = None) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._coach: Coach | None = None
        self._timestamp = 0  # ms: MediaPipe wants it to rise, even where a video starts anew
        self._shown_at = 0.0
        self._opinion: Mapping[str, float] | None = None
        self._asked_at = -math.inf
        model = weights.path("face_landmarker").read_bytes()
        with face_detection.native_log_muted():
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceLandmarkerOptions(
                BaseOptions(model_asset_buffer=model),
                running_mode=vision.RunningMode.VIDEO,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
            self._detect(np.zeros((BLANK_SIZE, BLANK_SIZE, 3), np.uint8), 0.0)  # the first run has more to log

    def begin(self, emotion: str, rest: Blendshapes | None = None) -> None:
        """Start an attempt at `emotion` (canonical name); `rest` is the person's resting face, where known."""
        coach = Coach(emotion, rest)
        with self._lock:
            self._coach, self._opinion, self._asked_at = coach, None, -math.inf

    @property
    def attempt(self) -> Attempt | None:
        """The numbers of the attempt that runs; None before the first."""
        return self._coach.attempt if self._coach else None

    def see(self, frame: Image, seconds: float) -> Moment:
        """One camera frame (uint8 RGB [H, W, 3]) and its time on any steady clock. `begin` comes before."""
        with self._lock:
            if self._coach is None:
                raise RuntimeError("begin an attempt before showing frames")
            result = self._detect(frame, seconds)
            if not result.face_landmarks:
                return self._coach.see(None, seconds)
            face = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[0]}
            if self._judge and abs(seconds - self._asked_at) >= JUDGE_SECONDS:
                self._asked_at = seconds
                self._opinion = self._judge(_crop(frame, result.face_landmarks[0]))
            return self._coach.see(face, seconds, turned_away(result.facial_transformation_matrixes[0]), self._opinion)

    def _detect(self, frame: Image, seconds: float) -> Any:
        self._timestamp += max(1, round(1000 * (seconds - self._shown_at)))
        self._shown_at = seconds
        return self._landmarker.detect_for_video(face_detection.media_pipe_image(frame), self._timestamp)

    def close(self) -> None:
        """Free the network; a second call does nothing."""
        with self._lock, face_detection.native_log_muted():
            self._landmarker.close()

    def __enter__(self) -> Mirror:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def second_opinion(recognizer: EmotionRecognizer) -> Judge:
    """The emotion judge as `Mirror` asks it. Raises `errors.UserError` where it does not know the five emotions."""
    from value_range import to_network, to_unit

    recognizer.outputs_of(emotions.FIVE)
    known = {emotions.canonical(name) for name in recognizer.judge.classes}
    names = [name for name in emotions.EMOTIONS if name in known]

    def judge(crop: Image) -> dict[str, float]:
        probabilities = recognizer.probabilities(to_unit(to_network(crop))[None], names)[0]
        return dict(zip(names, probabilities.tolist(), strict=True))

    return judge


def turned_away(pose: np.ndarray) -> float:
    """By how many degrees a face is turned away from the camera, to whichever side, up or down.

    `pose` is MediaPipe's 4×4 transformation matrix: how a face that looks into the camera would have to be moved.
    """
    forward = pose[:3, 2]
    return math.degrees(math.acos(min(1.0, float(forward[2] / np.linalg.norm(forward)))))


def _crop(frame: Image, landmarks: Any) -> Image:
    """What the networks see of the face with this mesh: the same geometry as in training."""
    height, width = frame.shape[:2]
    points: Points = np.array([(point.x * width, point.y * height) for point in landmarks], np.float32) - 0.5
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    cx, cy, half = (left + right) / 2, (top + bottom) / 2, BOX_OF_MESH * (bottom - top) / 2
    square = face_detection.face_square(Box(cx - half, cy - half, cx + half, cy + half, score=1.0))
    return face_detection.input_square(square).cut(frame, face_detection.CROP_SIZE)


def _smooth(before: Blendshapes, now: Blendshapes, step: float, seconds: float) -> dict[str, float]:
    share = _share(step, seconds)
    return {name: before[name] + share * (value - before[name]) for name, value in now.items()}


def _share(step: float, seconds: float) -> float:
    """The newest value's share in a moving average with this time constant, `step` seconds after the one before."""
    return 1 - math.exp(-step / seconds)
