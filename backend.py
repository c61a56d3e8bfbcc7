"""The backend of the phone apps: `uvicorn backend:app --host 0.0.0.0 --port 3000`. docs/apps.md tells the rest.

Settings come from the environment:
    STARGAN_FE_CHECKPOINT  a -G.ckpt file, or best, latest or an iteration of data/models (best)
    STARGAN_FE_COLLECT     0: submitted pictures are not kept (1)
    STARGAN_FE_ORIGINS     web sites whose pages may ask, besides the server's own; commas between them (none)
    STARGAN_FE_TOKEN       an access code that every request with photos must carry (none)
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from apps import chosen_checkpoint, collected_photos, expression_rules
from apps.phone.error_answers import Problem, Refusal, answer_invalid, answer_refusal
from apps.phone.request_limits import BodyBudget, GuardedRoute, Line
from apps.security_headers import WebHeaders
from apps.untrusted_photo import PhotoReader
from common import emotions, pretrained_files
from common.errors import UserError
from imaging.photo import UnreadablePhoto

if TYPE_CHECKING:
    from translation.translator import Translator

WEB = Path(__file__).resolve().parent / "apps" / "phone" / "web"
LABELS = [emotions.ORIGINAL_KOREAN, *(emotions.EMOTIONS[name].korean for name in emotions.FIVE)]

PLACES = 8  # who finds so many before them is asked to come back later
LONGEST = 1024  # pixels of the pictures given back: a phone shows no more
LONGEST_KEPT = 2048  # pixels of the pictures kept: a face in them is still larger than the 512 of training
RESPONSES: dict[int | str, dict] = {status: {"model": Problem} for status in (400, 401, 413, 422, 503)}


@dataclass(frozen=True)
class Settings:
    """What can be chosen when the server starts."""

    checkpoint: str = "best"
    collect: bool = True
    origins: tuple[str, ...] = ()
    token: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """The settings in the environment, defaults for those that are not there."""
        origins = environment.get("STARGAN_FE_ORIGINS", "").split(",")
        return cls(
            checkpoint=environment.get(chosen_checkpoint.CHECKPOINT_VARIABLE, "") or cls.checkpoint,
            collect=environment.get("STARGAN_FE_COLLECT", "1") != "0",
            origins=tuple(origin.strip() for origin in origins if origin.strip()),
            token=environment.get("STARGAN_FE_TOKEN", ""),
        )


Base64Picture = Annotated[str, Field(description="A JPEG, PNG, WebP or HEIC file, base64", min_length=1)]


class Photo(BaseModel):
    """A photo with a face."""

    image: Base64Picture


class Pictures(BaseModel):
    """The original and one picture for each emotion."""

    images: list[Base64Picture] = Field(description=f"In the order {', '.join(LABELS)}", min_length=6, max_length=6)


class Generated(Pictures):
    """The answer to a photo: JPEGs."""

    labels: list[str] = LABELS


class Kept(BaseModel):
    """What became of submitted pictures."""

    kept: dict[str, int] = Field(description="Pictures that were stored, by emotion")
    left_out: int = Field(description="Pictures that the generator had made")
    message: str
    message_en: str


class Health(BaseModel):
    """What this server can do now."""

    status: str = "ok"
    generating: bool = Field(description="A checkpoint is loaded")
    collecting: bool = Field(description="Submitted pictures are kept")
    token_required: bool
    mirror: bool = Field(description="The page's mirror has what it needs")
    waiting: int = Field(description="Photos in line")


# --- The start ------------------------------------------------------------------------------------------------


def load_translator(wanted: str) -> Translator | None:
    """The translator of the checkpoint `wanted`; None, said on stderr, where none can be had."""
    try:
        path = chosen_checkpoint.checkpoint_path(wanted)
        translator = chosen_checkpoint.load_translator(path)
    except UserError as error:
        print(f"No pictures will be generated: {error}", file=sys.stderr)
        return None
    print(f"Generating with {path}", file=sys.stderr)
    return translator


def mirror_model() -> Path | None:
    """MediaPipe's model for the page's mirror; None, said on stderr, where it cannot be had."""
    try:
        return pretrained_files.path("face_landmarker")
    except UserError as error:
        print(f"The page works without its mirror: {error}", file=sys.stderr)
        return None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load everything once, in the one thread that will use it."""
    state = app.state
    with ThreadPoolExecutor(1, "translator") as thread:
        loop = asyncio.get_running_loop()
        state.thread = thread
        state.line, state.submit_line, state.budget = Line(PLACES), Line(PLACES), BodyBudget()
        state.translator = await loop.run_in_executor(thread, load_translator, state.settings.checkpoint)
        state.mirror_model = await loop.run_in_executor(None, mirror_model)
        state.reader, state.recent = PhotoReader(), collected_photos.Recent()
        try:
            yield
        finally:
            state.reader.close()
            if state.translator:
                await loop.run_in_executor(thread, state.translator.close)


# --- The contract with the apps -------------------------------------------------------------------------------

router = APIRouter()
photo_router = APIRouter(route_class=GuardedRoute, responses=RESPONSES)


def decode(image: str) -> bytes:
    """The bytes of a base64 string."""
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            422, "not_base64", "사진을 읽을 수 없습니다.", "The picture can't be read: it is not base64."
        ) from error


async def read_photos(request: Request, files: list[bytes], longest: int) -> list[np.ndarray]:
    """The files' pixels. Raises `Refusal` 422 for what is no photo."""
    try:
        return await request.app.state.reader.read(files, longest)
    except UnreadablePhoto as error:
        raise Refusal(422, "unreadable", "사진을 읽을 수 없습니다.", f"The picture can't be read: {error}.") from error


def translate_to_jpegs(translator: Translator, recent: collected_photos.Recent, pixels: np.ndarray) -> list[bytes]:
    """A photo's pixels to the six JPEGs of the answer, in the contract's order; none where no face is found."""
    [translation] = translator.translate_many([pixels], largest=True)
    if not translation.results:
        return []
    for picture in translation.results.values():
        recent.add(picture)
    by_emotion = {emotions.canonical(domain): picture for domain, picture in translation.results.items()}
    pictures = [translation.original, *(by_emotion[name] for name in emotions.FIVE)]
    return [collected_photos.to_jpeg(picture, comment=collected_photos.MARK) for picture in pictures]


@photo_router.post("/generate", response_model=Generated)
async def generate(photo: Photo, request: Request) -> Response:
    """The largest face in the photo with each of the five emotions. 422 when there is no face, 503 when busy."""
    state = request.app.state
    if state.translator is None:
        raise Refusal(
            503,
            "no_model",
            "감정을 만드는 모델이 아직 없습니다. 서버를 설치한 분께 알려 주세요.",
            "There is no model yet: train one, or set STARGAN_FE_CHECKPOINT to a -G.ckpt file, and start again.",
        )
    file = decode(photo.image)
    async with state.line.turn():
        [pixels] = await read_photos(request, [file], LONGEST)
        jpegs = await asyncio.get_running_loop().run_in_executor(
            state.thread, translate_to_jpegs, state.translator, state.recent, pixels
        )
    if not jpegs:
        raise Refusal(422, "no_face", "이미지에 얼굴이 인식되지 않습니다.", "No face was found in the picture.")
    images = [base64.b64encode(jpeg).decode("ascii") for jpeg in jpegs]
    # Said in full: Dart's http package reads JSON that names no charset as Latin-1.
    content = json.dumps({"images": images, "labels": LABELS}, ensure_ascii=False).encode()
    return Response(content, media_type="application/json; charset=utf-8")


@photo_router.post("/submit")
async def submit(pictures: Pictures, request: Request) -> Kept:
    """Keep the pictures that a child made in place of generated ones; the first, the original, is not kept."""
    state = request.app.state
    files = [decode(image) for image in pictures.images]
    unmarked = [
        (emotion, file)
        for emotion, file in zip(emotions.FIVE, files[1:], strict=True)
        if not collected_photos.is_marked(file) and file != files[0]
    ]
    async with state.submit_line.turn():
        pixels = await read_photos(request, [file for _, file in unmarked], LONGEST_KEPT)
        own = [
            (emotion, picture)
            for (emotion, _), picture in zip(unmarked, pixels, strict=True)
            if not state.recent.has(picture)
        ]
        kept = own if state.settings.collect else []
        try:
            await asyncio.get_running_loop().run_in_executor(None, collected_photos.keep, kept)
        except OSError as error:
            print(f"submitted pictures could not be stored: {error}", file=sys.stderr)
            raise Refusal(
                507, "cannot_store", "사진을 저장할 수 없습니다.", "The pictures can't be stored: is the disk full?"
            ) from error
    return Kept(
        kept={emotion: 1 for emotion, _ in kept},
        left_out=len(emotions.FIVE) - len(own),
        message=f"사진 {len(kept)}장이 저장되었습니다.",
        message_en=f"Pictures stored: {len(kept)}.",
    )


# --- For the page, and for those who look after the server -----------------------------------------------------


@router.get("/health")
async def health(request: Request) -> Health:
    """What this server can do now."""
    state = request.app.state
    return Health(
        generating=state.translator is not None,
        collecting=state.settings.collect,
        token_required=bool(state.settings.token),
        mirror=state.mirror_model is not None and (WEB / "vendor" / "vision_bundle.mjs").is_file(),
        waiting=state.line.length,
    )


@router.get("/feedback.json")
async def feedback_table() -> dict:
    """The mirror's rules: from the movements of a face to a meter and a hint."""
    return expression_rules.as_json()


@router.get(
    "/models/face_landmarker.task",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, 404: {"model": Problem}},
)
async def face_landmarker(request: Request) -> FileResponse:
    """MediaPipe's model for the page's mirror."""
    if request.app.state.mirror_model is None:
        raise Refusal(404, "no_mirror", "거울을 쓸 수 없습니다.", "The mirror's model is not there.")
    return FileResponse(request.app.state.mirror_model, media_type="application/octet-stream")


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """This API, to read and to try."""
    return FileResponse(WEB / "docs.html")


def make_app(settings: Settings) -> FastAPI:
    """The server with these settings."""
    app = FastAPI(title="StarGAN-FE", description=__doc__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.settings = settings
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.include_router(photo_router)
    app.include_router(router)
    app.mount("/", StaticFiles(directory=WEB, html=True), name="web")
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Authorization"],
        )
    app.add_middleware(WebHeaders)
    return app


app = make_app(Settings.read(os.environ))
