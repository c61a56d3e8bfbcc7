"""What one request, and all together, may cost: who may ask, how large a body may be, how many may wait."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from apps.phone.error_answers import Refusal

MEGABYTE = 1 << 20
MAX_BODY = 48 * MEGABYTE  # six photos of a phone's camera, as base64
MAX_HELD = 256 * MEGABYTE  # of the bodies of all requests together
# The bodies that clients send hold one object with at most one list of six strings. A JSON file of a few megabytes
# of brackets becomes millions of objects; base64 has none of these signs.
STRUCTURE = (b"{", b"[", b",", b'"', b":")
MAX_STRUCTURE = 64

BUSY_KOREAN = "지금은 사용하는 사람이 많아요. 잠시 후에 다시 해 주세요."
BUSY_ENGLISH = "Many people are using this right now. Please try again in a moment."


def busy(seconds: float) -> Refusal:
    """503, to be tried again in so many seconds."""
    return Refusal(503, "busy", BUSY_KOREAN, BUSY_ENGLISH, {"Retry-After": str(max(1, math.ceil(seconds)))})


class Line:
    """People who wait for one thing, one after the other; whoever finds the line full is sent away."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.length = 0  # including the one whose turn it is
        self._turn = asyncio.Lock()
        self._seconds = 1.0  # a turn takes, lately

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn. Raises `Refusal` 503 when the line is full."""
        if self.length >= self.places:
            raise busy(self.length * self._seconds / 2)
        self.length += 1
        try:
            async with self._turn:
                began = time.monotonic()
                yield
                self._seconds += 0.2 * (time.monotonic() - began - self._seconds)
        finally:
            self.length -= 1


class BodyBudget:
    """The bytes of request bodies that are held in memory at the same time."""

    def __init__(self, most: int = MAX_HELD) -> None:
        self._left = most

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Raises `Refusal` 503 when there is no room for `size` more."""
        if size > self._left:
            raise busy(2)
        self._left -= size
        try:
            yield
        finally:
            self._left += size


class GuardedRequest(Request):
    """A request whose body is read only as far as it may reach."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            body = bytearray()
            async for chunk in self.stream():
                body += chunk
                _check_size(len(body))
            if any(body.count(sign) > MAX_STRUCTURE for sign in STRUCTURE):
                raise Refusal(
                    422, "invalid", "요청 형식이 올바르지 않습니다.", "The request is malformed: too many parts."
                )
            self._body = bytes(body)
        return self._body


class GuardedRoute(APIRoute):
    """A route that takes photos: asks for the token and for room in memory before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            check_token(request, request.app.state.settings.token)
            declared = request.headers.get("content-length", "")
            size = int(declared[:15]) if declared.isdecimal() else MAX_BODY
            _check_size(size)
            with request.app.state.budget.hold(size):
                return await answer(GuardedRequest(request.scope, request.receive))

        return guarded


def check_token(request: Request, token: str) -> None:
    """Raise `Refusal` 401 unless the request carries the bearer token; without one set, all may ask."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if token and not (scheme.lower() == "bearer" and secrets.compare_digest(given.encode(), token.encode())):
        raise Refusal(
            401, "no_token", "접속 코드가 필요합니다.", "An access code is needed.", {"WWW-Authenticate": "Bearer"}
        )


def _check_size(size: int) -> None:
    if size > MAX_BODY:
        most = MAX_BODY // MEGABYTE
        raise Refusal(
            413,
            "too_large",
            f"사진이 너무 큽니다 (최대 {most} MB).",
            f"The pictures are too large (at most {most} MB).",
        )
