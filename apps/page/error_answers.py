"""What the backend answers when it cannot do what was asked: a status, a code and one sentence in two languages."""

from __future__ import annotations

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as AnyHTTPException


class Problem(BaseModel):
    """The body of every answer that is not 200."""

    code: str  # for programs
    message: str  # for people, in Korean
    message_en: str


class Refusal(HTTPException):
    """Raised anywhere below a route, it becomes the answer."""

    def __init__(
        self, status: int, code: str, korean: str, english: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, Problem(code=code, message=korean, message_en=english).model_dump(), headers)


_USUAL = {
    400: ("bad_request", "요청을 읽을 수 없습니다.", "The request can't be read."),
    404: ("not_found", "그런 주소가 없습니다.", "There is no such address."),
    405: ("wrong_method", "이 주소에서는 할 수 없는 요청입니다.", "This address does not take such requests."),
}


async def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """Every HTTP error as a `Problem`."""
    assert isinstance(error, AnyHTTPException)
    content: object = error.detail
    if not isinstance(error, Refusal):  # raised by the framework
        code, korean, english = _USUAL.get(error.status_code, _USUAL[400])
        content = Problem(code=code, message=korean, message_en=english).model_dump()
    return JSONResponse(content, error.status_code, error.headers)


async def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """A body of another shape: says where, and never repeats the body, which may hold a photo."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    english = f"The request is malformed: {place}: {first['msg']}."
    content = Problem(code="invalid", message="요청 형식이 올바르지 않습니다.", message_en=english)
    return JSONResponse(content.model_dump(), 422)
