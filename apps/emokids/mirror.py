"""The live mirror: camera frames in, one thing to say out. No frame is kept, none leaves the machine.

`Mirror` reads a face's movements off camera frames with MediaPipe, asks an emotion judge for a second opinion where
there is one, and tells the coach (`coach.py`), who decides what to say.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

import face_detection
from apps.emokids.coach import Attempt, Coach, Moment, Visit
from apps.expression_rules import HOLD_SECONDS, Blendshapes
from apps.learned_feedback import USUAL_LEVEL
from common import emotions, pretrained_files
from imaging import face_geometry
from imaging.face_geometry import Box, Image, Points

if TYPE_CHECKING:
    from emotion_recognition import EmotionRecognizer

# A second opinion: a face crop (uint8 RGB [S, S, 3]) in, the probability of each emotion out, by canonical name.
Judge = Callable[[Image], Mapping[str, float]]

BLANK_SIZE = 64  # pixels: of the first picture the network is shown, before any of the camera
JUDGE_SECONDS = 0.5  # between two second opinions, or the frame rate would suffer
ARROWS_AT = (105, 159, 61)  # a brow, an eye, a corner of the mouth: where apps/page/web/arrow.js may point
BOX_OF_MESH = 0.92  # side of the detector's box over the mesh's height


class Mirror:
    """MediaPipe's landmarker kept alive in its video mode, and a coach, for one visit.

    Use as a context manager, or `close()`.
    `see` may be called from a video thread while `begin` is called from another.
    Raises `errors.UserError` when the landmarker's file can't be had.
    """

    def __init__(self, judge: Judge | None = None) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._coach: Coach | None = None
        self._visit = Visit()
        self._timestamp = 0  # ms: MediaPipe wants it to rise, even where a video starts anew
        self._shown_at = 0.0
        self._opinion: Mapping[str, float] | None = None
        self._asked_at = -math.inf
        self._places: dict[int, dict[str, float]] = {}  # where `ARROWS_AT` are, as fractions of the last frame
        model = pretrained_files.path("face_landmarker").read_bytes()
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

    def begin(
        self,
        emotion: str,
        rest: Blendshapes | None = None,
        level: str = USUAL_LEVEL,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        """Start an attempt at `emotion` (canonical name); `rest` is the person's resting face, where known."""
        coach = Coach(emotion, rest, level, self._visit, hold_seconds)
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
            mesh = result.face_landmarks[0]
            self._places = {point: {"x": mesh[point].x, "y": mesh[point].y} for point in ARROWS_AT}
            face = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[0]}
            if self._judge and abs(seconds - self._asked_at) >= JUDGE_SECONDS:
                self._asked_at = seconds
                self._opinion = self._judge(_crop(frame, mesh))
            return self._coach.see(face, seconds, turned_away(result.facial_transformation_matrixes[0]), self._opinion)

    def arrow(self, moment: Moment) -> dict[str, object] | None:
        """Where an arrow points while a hint is shown: many six-year-olds do not read."""
        if moment.rule is None:
            return None
        return {"feature": moment.rule.feature, "weight": moment.rule.weight, "landmarks": self._places}

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
    from imaging.value_range import to_network, to_unit

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
    square = face_geometry.face_square(Box(cx - half, cy - half, cx + half, cy + half, score=1.0))
    return face_geometry.input_square(square).cut(frame, face_geometry.CROP_SIZE)
