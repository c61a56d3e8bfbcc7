"""What one request, and all together, may cost: who may ask, how large a body may be, how many may wait."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import unquote

from fastapi import Request

from apps.page.error_answers import Refusal

MEGABYTE = 1 << 20

BUSY_KOREAN = "지금은 사용하는 사람이 많습니다. 잠시 후에 다시 해 주세요."
BUSY_ENGLISH = "Many people are using this right now. Please try again in a moment."


class Line:
    """People who wait for one thing, one after the other; those who find the line full are sent away.

    `max_body` bounds what each of them may hold in memory, in bytes: with `places` it bounds them all.
    """

    def __init__(self, places: int, max_body: int) -> None:
        self.places = places
        self.max_body = max_body
        self.length = 0  # including the one whose turn it is
        self._turn = asyncio.Lock()
        self._seconds = 1.0  # a turn takes, lately

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in the line. Raises `Refusal` 503 when the line is full."""
        if self.length >= self.places:
            retry_after = max(1, math.ceil(self.length * self._seconds / 2))
            raise Refusal(503, "busy", BUSY_KOREAN, BUSY_ENGLISH, {"Retry-After": str(retry_after)})
        self.length += 1
        try:
            yield
        finally:
            self.length -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn; call only inside `place()`."""
        async with self._turn:
            began = time.monotonic()
            yield
            self._seconds += 0.2 * (time.monotonic() - began - self._seconds)


def token_accepted(request: Request, token: str) -> bool:
    """Whether the request carries the bearer token; without one set, all may ask.

    A header holds no Korean: the page sends the token percent-encoded. Both forms of any token are taken.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    forms = (given.encode("latin-1").decode(errors="replace"), unquote(given))
    wanted = unicodedata.normalize("NFC", token).encode()
    right = [secrets.compare_digest(unicodedata.normalize("NFC", form).encode(), wanted) for form in forms]
    return not token or (scheme.lower() == "bearer" and any(right))


def check_token(request: Request, token: str) -> None:
    """Raise `Refusal` 401 unless `token_accepted`."""
    if not token_accepted(request, token):
        raise Refusal(
            401, "no_token", "접속 코드가 필요합니다.", "An access code is needed.", {"WWW-Authenticate": "Bearer"}
        )


def check_size(size: int, most: int) -> None:
    """Raise `Refusal` 413 for a body of more than `most` bytes."""
    if size > most:
        raise Refusal(
            413,
            "too_large",
            f"사진이 너무 큽니다 (최대 {most // MEGABYTE} MB).",
            f"The pictures are too large (at most {most // MEGABYTE} MB).",
        )
