"""The page's side of the record: whose it is, that child's settings, and what it practised.

Pseudonyms are shown on this computer and to whoever has the access code, to nobody else in the network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from apps.page.error_answers import Problem, Refusal
from apps.page.request_limits import MEGABYTE, check_size, check_token
from apps.record.entries import Session, Settings
from apps.record.store import NoSuchChild, Record
from common.errors import UserError

MAX_BODY = MEGABYTE  # a session of a thousand attempts is a third of it


class RecordedChild(BaseModel):
    """A child whose practice is kept, as long as was agreed to."""

    id: str
    pseudonym: str
    settings: Settings
    until: date


class Done(BaseModel):
    """It is kept."""

    kept: bool = True


class RecordRoute(APIRoute):
    """A route that asks who is there and how much comes before it reads, and tells what the record can't do."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def take_in(request: Request) -> Response:
            check_token(request, request.app.state.settings.token)
            if not request.app.state.settings.token and not _is_here(request):
                raise Refusal(
                    403,
                    "only_here",
                    "기록은 서버가 켜진 컴퓨터에서만, 또는 접속 코드가 있을 때만 쓸 수 있습니다.",
                    "The record opens on the server's own computer only, or with an access code (STARGAN_FE_TOKEN).",
                )
            length = request.headers.get("content-length", "")
            if request.method != "GET":
                check_size(int(length[:15]) if length.isdecimal() else MAX_BODY + 1, MAX_BODY)
            try:
                return await answer(request)
            except NoSuchChild as error:
                raise Refusal(
                    404, "no_child", "이 아이의 기록이 없습니다.", "There is no record of this child."
                ) from error
            except UserError as error:
                raise Refusal(503, "record", "기록 파일을 쓸 수 없습니다.", f"{error}.") from error

        return take_in


router = APIRouter(
    prefix="/children",
    route_class=RecordRoute,
    responses={status: {"model": Problem} for status in (401, 403, 404, 413, 422, 503)},
)


@router.get("")
def children() -> list[RecordedChild]:
    """Those of whom an adult keeps a record, by pseudonym."""
    return [
        RecordedChild(id=child.id, pseudonym=child.pseudonym, settings=child.settings, until=child.consent.until)
        for child in Record().children()
    ]


@router.put("/{child}/settings")
def keep_settings(child: str, settings: Settings) -> Done:
    """What the page does for this child from now on."""
    Record().change(child, settings=settings)
    return Done()


@router.post("/{child}/sessions")
def keep_session(child: str, session: Session) -> Done:
    """What was practised: whole or in parts, as often as one likes."""
    try:
        Record().keep(child, session)
    except ValueError as error:
        raise Refusal(
            422, "invalid", "요청 형식이 올바르지 않습니다.", f"The session can't be kept: {error}."
        ) from error
    return Done()


def _is_here(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
