"""A phone's photos on their way in, all of it: access code, a place in the line, size, base64, turn, pixels.

A route of class `PhotoRoute` checks the code and takes a place before it reads the body; `PhotoFile` in its body's
model decodes base64; `photos` waits for the turn and gives the pixels.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, WithJsonSchema

from apps.page.error_answers import Refusal
from apps.page.request_limits import Line, check_size, check_token
from imaging.photo import UnreadablePhoto

BODY_SECONDS = 60.0  # for the whole body to arrive: a slower sender would keep a place from others
# The bodies that clients send hold one object with few fields and at most one list of six strings. A JSON file of a
# few megabytes of brackets becomes millions of objects; base64 has none of these signs.
STRUCTURE = (b"{", b"[", b",", b'"', b":")
MAX_STRUCTURE = 64


URL_SAFE = str.maketrans("-_", "+/")


def _decode(image: object) -> bytes:
    """The bytes of base64, be it a data address, in lines, url-safe or without its padding."""
    if not isinstance(image, str):
        raise ValueError("should be a string of base64")
    if image.startswith("data:"):
        image = image.partition(",")[2]
    text = "".join(image.split()).rstrip("=").translate(URL_SAFE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            422, "not_base64", "사진을 읽을 수 없습니다.", "The picture can't be read: it is not base64."
        ) from error


PhotoFile = Annotated[
    bytes,
    BeforeValidator(_decode),
    WithJsonSchema(
        {"type": "string", "description": "A JPEG, PNG, WebP or HEIC file, base64", "contentEncoding": "base64"}
    ),
]


class PhotoRequest(Request):
    """A request whose body is read only as far and as long as it may."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            try:
                self._body = await asyncio.wait_for(self._read(), BODY_SECONDS)
            except asyncio.TimeoutError as error:
                raise Refusal(
                    408, "slow", "사진이 끝까지 도착하지 않았습니다.", "The pictures did not arrive in time."
                ) from error
        return self._body

    async def _read(self) -> bytes:
        body = bytearray()
        async for chunk in self.stream():
            body += chunk
            check_size(len(body), _line(self).max_body)
        if any(body.count(sign) > MAX_STRUCTURE for sign in STRUCTURE):
            raise Refusal(422, "invalid", "요청 형식이 올바르지 않습니다.", "The request is malformed: too many parts.")
        return bytes(body)


class PhotoRoute(APIRoute):
    """A route that takes photos. Its line is `app.state.lines[path]`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def take_in(request: Request) -> Response:
            state = request.app.state
            check_token(request, state.settings.token)
            line: Line = state.lines[self.path]
            declared = request.headers.get("content-length", "")
            check_size(int(declared[:15]) if declared.isdecimal() else 0, line.max_body)
            with line.place():
                request.state.line = line
                return await answer(PhotoRequest(request.scope, request.receive))

        return take_in


@asynccontextmanager
async def photos(request: Request, files: Sequence[bytes], longest: int) -> AsyncIterator[list[np.ndarray]]:
    """The files' pixels, uint8 RGB [H, W, 3], the longer side at most `longest`; it is one's turn until the block ends.

    Raises `Refusal` 422 for what is no photo, and 499 where the client has left while it waited.
    """
    async with _line(request).turn():
        if await request.is_disconnected():
            raise Refusal(499, "gone", "연결이 끊어졌습니다.", "The client has left.")
        try:
            pixels = await request.app.state.reader.read(list(files), longest)
        except UnreadablePhoto as error:
            raise Refusal(
                422, "unreadable", "사진을 읽을 수 없습니다.", f"The picture can't be read: {error}."
            ) from error
        yield pixels


def _line(request: Request) -> Line:
    return request.state.line
