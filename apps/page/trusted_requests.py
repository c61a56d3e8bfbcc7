"""Only the page itself, and the sites that were named, may talk to the server: whose host and whose page a request has.

A web site that a visitor happens to have open can send forms to this server, and a site whose name suddenly means this
computer (DNS rebinding) would pass for the page's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from fnmatch import fnmatch
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from apps.page.error_answers import Problem

HARMLESS = ("GET", "HEAD", "OPTIONS")


class TrustedRequests:
    """ASGI middleware. `hosts`: names beyond those of the local network, * for any part; `origins`: other sites."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self.app = app
        self.hosts = hosts
        self.origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(Request(scope)) if scope["type"] == "http" else None
        if problem:
            status, content = problem
            await JSONResponse(content.model_dump(), status)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _problem(self, request: Request) -> tuple[int, Problem] | None:
        host = request.headers.get("host", "")
        if not self._is_trusted(_name(f"//{host}")):
            korean = "이 주소로는 열 수 없습니다. 서버를 설치한 분께 알려 주세요."
            english = f"The server does not know itself by this name: put it in STARGAN_FE_HOSTS ({host[:100]!r})."
            return 421, Problem(code="unknown_host", message=korean, message_en=english)
        if request.method not in HARMLESS and not self._is_same_site(request, host):
            english = "The request comes from another web site: name it in STARGAN_FE_ORIGINS to allow it."
            return 403, Problem(code="other_site", message="다른 사이트에서 온 요청입니다.", message_en=english)
        return None

    def _is_trusted(self, name: str) -> bool:
        """Addresses and names that only a local network can give, and those that were named."""
        try:
            return bool(ipaddress.ip_address(name))
        except ValueError:
            local = bool(name) and ("." not in name or name.endswith((".local", ".localhost")))
            return local or any(fnmatch(name, pattern.lower()) for pattern in self.hosts)

    def _is_same_site(self, request: Request, host: str) -> bool:
        """Browsers say where a request comes from; other programs say nothing, and no site can make them ask."""
        origin = request.headers.get("origin")
        if origin in self.origins:
            return True
        fetch_site = request.headers.get("sec-fetch-site")
        if fetch_site:
            return fetch_site in ("same-origin", "none")
        return origin is None or origin.partition("://")[2] == host


def _name(address: str) -> str:
    """The host's name in an address, in lower case; empty where it is malformed."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
