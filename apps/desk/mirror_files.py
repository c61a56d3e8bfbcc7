"""The files of the child's mirror, served beside the desk's pages: its scripts, MediaPipe, the table of its rules."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from apps import expression_rules
from apps.face_reading import BROWSER_FILE
from common import pretrained_files
from common.errors import UserError

ADDRESS = "/mirror"
OWN = Path(__file__).resolve().parent / "mirror"
PAGE = Path(__file__).resolve().parents[1] / "page" / "web"


async def _table(_: Request) -> Response:
    return JSONResponse(expression_rules.as_json())


def _landmarker(_: Request) -> Response:
    try:
        return FileResponse(pretrained_files.path("face_landmarker"), media_type="application/octet-stream")
    except UserError as error:
        return Response(str(error), 404)


async def _judge(_: Request) -> Response:
    return FileResponse(BROWSER_FILE, media_type="application/octet-stream")


async def _own(request: Request) -> Response:
    return FileResponse(OWN / request.url.path.rpartition("/")[2])


route = Mount(
    ADDRESS,
    routes=[
        Route("/feedback.json", _table),
        Route("/models/face_landmarker.task", _landmarker),
        Route("/models/real-face-judge.tflite", _judge),
        *(Route(f"/{file.name}", _own) for file in OWN.iterdir()),
        Mount("/", StaticFiles(directory=PAGE)),
    ],
)
