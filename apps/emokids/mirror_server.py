"""The mirror between a visitor's browser and the server: a camera frame is posted, what to say now is the answer.

The browser shows its own camera, so the picture in the mirror never waits for the server, and needs no network but the
way the page itself came: no WebRTC, no third host. A frame is looked at and forgotten.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from apps.emokids.mirror import Judge, Mirror
from apps.emokids.practice import Practice
from apps.expression_rules import HOLD_SECONDS, Blendshapes
from apps.learned_feedback import USUAL_LEVEL
from imaging.photo import Photo, UnreadablePhoto

MAX_FRAME_BYTES = 1 << 20
MAX_FRAME_SIDE = 1280  # pixels
JPEG = b"\xff\xd8\xff"
THREADS = 4  # visitors whose frames are looked at together

_live: dict[str, LiveMirror] = {}  # by the token in their address
_threads = ThreadPoolExecutor(THREADS, "mirror")


class MirrorGone(Exception):
    """Its visitor has left, or plays again."""


class LiveMirror:
    """One visitor's mirror, which frames reach at `address` until `close()`.

    Raises `errors.UserError` when the mirror's file can't be had.
    """

    def __init__(self, judge: Judge | None = None) -> None:
        # Python 3.12 keeps the frames that first imported MediaPipe for ever, and with them what they hold.
        _threads.submit(importlib.import_module, "mediapipe.tasks.python").result()
        self.practice = Practice()
        self._mirror = Mirror(judge)
        self._lock = threading.Lock()
        self._closed = False
        token = secrets.token_urlsafe(24)  # nobody else can guess where this visitor's frames go
        self.address = f"/mirror/{token}"
        _live[token] = self

    def close(self) -> None:
        """Forget the visitor and free the network; a second call does nothing."""
        _live.pop(self.address.removeprefix("/mirror/"), None)
        with self._lock:
            self._closed = True
            self.practice.clear()
            self._mirror.close()

    def begin(
        self,
        emotion: str,
        rest: Blendshapes | None = None,
        level: str = USUAL_LEVEL,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        """Start an attempt at `emotion`; `rest` is the visitor's resting face, where known."""
        with self._lock:
            self._mirror.begin(emotion, rest, level, hold_seconds)
            self.practice.begin()

    @property
    def closer(self) -> bool:
        """Whether the attempt that runs came closer than the visitor's own first one."""
        attempt = self._mirror.attempt
        return attempt is not None and attempt.closer

    def see(self, jpeg: bytes) -> dict[str, object]:
        """What to show after this frame. Raises `UnreadablePhoto` for anything but a small JPEG, or `MirrorGone`."""
        if not jpeg.startswith(JPEG):
            raise UnreadablePhoto("not a JPEG")
        frame = Photo(BytesIO(jpeg))
        if max(frame.width, frame.height) > MAX_FRAME_SIDE:
            raise UnreadablePhoto("too large")
        pixels = frame.pixels()
        with self._lock:
            if self._closed:
                raise MirrorGone
            moment = self._mirror.see(pixels, time.monotonic())
            attempt = self._mirror.attempt
            assert attempt is not None
            self.practice.note(attempt)
            arrow = self._mirror.arrow(moment)
        said = {"korean": moment.korean, "english": moment.english}
        return {"state": moment.state, "meter": moment.meter, **said, "arrow": arrow}


async def answer_frame(request: Request) -> Response:
    """A JPEG in, what the mirror says out; 404 for a mirror that is gone, 413 and 422 for what is no frame."""
    live = _live.get(request.path_params["token"])
    if live is None:
        return Response(status_code=404)
    frame = bytearray()
    async for part in request.stream():
        frame += part
        if len(frame) > MAX_FRAME_BYTES:
            return Response(status_code=413)
    try:
        moment = await asyncio.get_running_loop().run_in_executor(_threads, live.see, bytes(frame))
    except UnreadablePhoto:
        return Response(status_code=422)
    except MirrorGone:
        return Response(status_code=404)
    return JSONResponse(moment, headers={"Cache-Control": "no-store"})


route = Route("/mirror/{token}", answer_frame, methods=["POST"])
