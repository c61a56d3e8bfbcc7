"""The backend of the phone apps: `uvicorn backend:app --host 0.0.0.0 --port 3000`. See docs/page.md.

Settings come from the environment:
    STARGAN_FE_CHECKPOINT  a -G.ckpt file, or best, latest or an iteration of data/models (best; where data/models is
                           empty, the shipped generator, then the demo's)
    STARGAN_FE_COLLECT     1: submitted pictures are kept as training data (0)
    STARGAN_FE_HOSTS       names of this server beyond the local network, as faces.example.org; commas between (none)
    STARGAN_FE_ORIGINS     web sites whose pages may ask, besides the server's own; commas between them (none)
    STARGAN_FE_TOKEN       an access code that every request with photos must carry (none)
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from apps import chosen_checkpoint, collected_photos, expression_rules, friends, learned_feedback
from apps.face_reading import BROWSER_FILE
from apps.page import record_routes
from apps.page.error_answers import Problem, Refusal, answer_invalid, answer_refusal
from apps.page.intake import PhotoFile, PhotoRoute, photos
from apps.page.model_thread import ModelThread, NoSuchFace
from apps.page.request_limits import MEGABYTE, Line, token_accepted
from apps.page.trusted_requests import TrustedRequests
from apps.security_headers import WebHeaders
from apps.untrusted_photo import PhotoReader
from common import emotions, pretrained_files
from common.errors import UserError

WEB = Path(__file__).resolve().parent / "apps" / "page" / "web"
LABELS = [emotions.ORIGINAL_KOREAN, *(emotions.EMOTIONS[name].korean for name in emotions.FIVE)]

# Who finds so many before them is asked to come back later. A body holds one photo, or six, of a phone's camera.
PLACES, MAX_BODY = 8, 24 * MEGABYTE
SUBMIT_PLACES, MAX_SUBMIT_BODY = 3, 48 * MEGABYTE
LONGEST = 1024  # pixels of the pictures given back: a phone shows no more
LONGEST_SEARCHED = 1600  # pixels of a photo out of which a head is cut: one of a group is large enough then
LONGEST_KEPT = 2048  # pixels of the pictures kept: a face in them is still larger than the 512 of training
RESPONSES: dict[int | str, dict] = {status: {"model": Problem} for status in (400, 401, 403, 408, 413, 421, 422, 503)}


@dataclass(frozen=True)
class ServerSettings:
    """What can be chosen when the server starts."""

    checkpoint: str = ""
    collect: bool = False
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    token: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> ServerSettings:
        """The settings in the environment, defaults for those that are not there."""

        def several(name: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in environment.get(name, "").split(",") if part.strip())

        return cls(
            checkpoint=environment.get(chosen_checkpoint.CHECKPOINT_VARIABLE, ""),
            collect=environment.get("STARGAN_FE_COLLECT", "0") not in ("", "0"),
            hosts=several("STARGAN_FE_HOSTS"),
            origins=several("STARGAN_FE_ORIGINS"),
            token=environment.get("STARGAN_FE_TOKEN", "").strip(),
        )


class ToSearch(BaseModel):
    """A photo with a face."""

    image: PhotoFile


class ToTranslate(ToSearch):
    """A photo with a face, and how the answer should show it."""

    face: int | None = Field(None, ge=0, lt=100, description="Which of the faces /faces found; else the largest")
    portrait: bool = Field(False, description="Give back the head alone, not the whole photo")


Base64Pictures = list[Annotated[str, Field(description="A JPEG file, base64")]]


class ToJudge(ToSearch):
    """A picture of a face that somebody made, and the same person's usual face."""

    rest: PhotoFile | None = None
    level: Literal["easy", "medium", "hard"] = learned_feedback.USUAL_LEVEL  # type: ignore[assignment]


class Judged(BaseModel):
    """What the picture shows."""

    meters: dict[str, float] = Field(description="How near it is to each emotion, from 0 to 1")
    reached: list[str] = Field(description="Those it shows clearly enough for this level of difficulty")


class FacesFound(BaseModel):
    """The heads that can be given an emotion, largest first."""

    faces: Base64Pictures


class Generated(BaseModel):
    """The answer to a photo: JPEGs."""

    images: Base64Pictures = Field(description=f"In the order {', '.join(LABELS)}", min_length=6, max_length=6)
    labels: list[str] = LABELS
    left_out: dict[str, str] = Field(
        {}, description="Emotions that did not come out well, and why: the original is there"
    )


class ToMove(ToSearch):
    """A photo, one of its faces, and the emotion that it should move to."""

    face: int = Field(0, ge=0, lt=100)
    emotion: Literal["angry", "fearful", "happy", "sadness", "surprised"]
    portrait: bool = Field(False, description="Give back the head alone, not the whole photo")


class Steps(BaseModel):
    """The photo a quarter, half and three quarters of the way to the emotion."""

    images: Base64Pictures


class Pictures(BaseModel):
    """The original and one picture for each emotion."""

    images: list[PhotoFile] = Field(description=f"In the order {', '.join(LABELS)}", min_length=6, max_length=6)
    scores: dict[str, float] = Field(
        {}, max_length=5, description="How near each came to its emotion in the mirror, from 0 to 1, by emotion"
    )


class Kept(BaseModel):
    """What became of submitted pictures."""

    kept: dict[str, int] = Field(description="Pictures that were stored, by emotion")
    not_reached: dict[str, float] = Field(
        description="Pictures refused, as they do not show their emotion, and how near they came to it, from 0 to 1"
    )
    left_out: int = Field(description="Pictures that the generator had made")
    message: str
    message_en: str


class Friend(BaseModel):
    """Somebody who does not exist: a face at rest, or in the order of /generate with each emotion, too."""

    images: Base64Pictures


class Health(BaseModel):
    """What this server can do now."""

    status: str = "ok"
    generating: bool = Field(description="A generator is loaded")
    generator: str = Field(description="Whose it is: chosen, own, shipped or demo; empty without one")
    trained_on: str = Field(description="What its faces were: drawn, rendered, photolike or photos; empty without one")
    problem: str = Field(description="Why there is no generator, for whoever looks after the server")
    collecting: bool = Field(description="Submitted pictures are kept")
    token_required: bool
    token_accepted: bool = Field(description="This request carried the access code, or none is needed")
    mirror: bool = Field(description="The page's mirror has what it needs")
    waiting: int = Field(description="Photos in line")


# --- The start ------------------------------------------------------------------------------------------------


def mirror_model() -> Path | None:
    """MediaPipe's model for the page's mirror; None, said on stderr, where it cannot be had."""
    try:
        return pretrained_files.path("face_landmarker")
    except UserError as error:
        print(f"The page works without its mirror: {error}", file=sys.stderr)
        return None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load everything once."""
    state = app.state
    state.line = Line(PLACES, MAX_BODY)
    state.lines = dict.fromkeys(("/faces", "/generate", "/steps", "/meters"), state.line)
    state.lines["/submit"] = Line(SUBMIT_PLACES, MAX_SUBMIT_BODY)
    state.model_thread = ModelThread()
    await state.model_thread.start(state.settings.checkpoint)
    state.mirror_model = await asyncio.to_thread(mirror_model)
    state.reader = PhotoReader()
    try:
        yield
    finally:
        state.reader.close()
        await state.model_thread.close()


# --- The contract with the apps -------------------------------------------------------------------------------

router = APIRouter()
photo_router = APIRouter(route_class=PhotoRoute, responses=RESPONSES)


def base64_jpegs(jpegs: list[bytes]) -> list[str]:
    """JPEG files as JSON carries them."""
    return [base64.b64encode(jpeg).decode("ascii") for jpeg in jpegs]


@photo_router.post("/faces")
async def find_faces(photo: ToSearch, request: Request) -> FacesFound:
    """The faces in the photo that can be given an emotion. 422 when there is none, 503 when busy."""
    async with photos(request, [photo.image], LONGEST_SEARCHED) as [pixels]:
        portraits = await request.app.state.model_thread.portraits(pixels)
    if not portraits:
        raise no_face()
    return FacesFound(faces=base64_jpegs(portraits))


@photo_router.post("/generate", response_model=Generated)
async def generate(photo: ToTranslate, request: Request) -> Response:
    """A face in the photo with each of the five emotions. 422 when there is no face, 503 when busy."""
    model_thread: ModelThread = request.app.state.model_thread
    if model_thread.choice is None:
        raise no_model()
    longest = LONGEST if photo.face is None and not photo.portrait else LONGEST_SEARCHED
    async with photos(request, [photo.image], longest) as [pixels]:
        try:
            faces = await model_thread.generate(pixels, photo.face, photo.portrait)
        except NoSuchFace as error:
            raise no_face() from error
    # Said in full: Dart's http package reads JSON that names no charset as Latin-1.
    answer = {"images": base64_jpegs(faces.images), "labels": LABELS, "left_out": faces.left_out}
    content = json.dumps(answer, ensure_ascii=False).encode()
    return Response(content, media_type="application/json; charset=utf-8")


@photo_router.post("/steps")
async def steps(photo: ToMove, request: Request) -> Steps:
    """A face on its way from calm to an emotion, at each strength between. 422 when there is no such face."""
    model_thread: ModelThread = request.app.state.model_thread
    if model_thread.choice is None:
        raise no_model()
    async with photos(request, [photo.image], LONGEST_SEARCHED) as [pixels]:
        try:
            return Steps(
                images=base64_jpegs(await model_thread.steps(pixels, photo.face, photo.emotion, photo.portrait))
            )
        except NoSuchFace as error:
            raise no_face() from error


@photo_router.post("/meters")
async def meters(picture: ToJudge, request: Request) -> Judged:
    """How near a face is to each emotion, by the mirror's rules: what no live mirror saw is judged here."""
    files = [picture.image] if picture.rest is None else [picture.image, picture.rest]
    async with photos(request, files, LONGEST_SEARCHED) as [pixels, *rest]:
        found = await request.app.state.model_thread.all_meters(pixels, rest[0] if rest else None, picture.level)
    rounded = {emotion: round(meter, 3) for emotion, meter in found.items()}
    return Judged(meters=rounded, reached=[name for name in found if found[name] >= expression_rules.REACHED])


def no_model() -> Refusal:
    """The answer of a server without a generator."""
    korean = "감정을 만드는 모델이 아직 없습니다. 서버를 설치한 분께 알려 주세요."
    english = "There is no model yet: run 'make demo', train one, or set STARGAN_FE_CHECKPOINT to a -G.ckpt file, "
    return Refusal(503, "no_model", korean, english + "and start again.")


def no_face() -> Refusal:
    """The answer to a photo of something else."""
    return Refusal(422, "no_face", "이미지에 얼굴이 인식되지 않습니다.", "No face was found in the picture.")


@photo_router.post("/submit")
async def submit(pictures: Pictures, request: Request) -> Kept:
    """Keep the pictures that a child made in place of generated ones, as far as they show their emotion.

    The first, the original, is the child's resting face and is not kept.
    """
    state = request.app.state
    original, *files = pictures.images
    unmarked = [
        (emotion, file)
        for emotion, file in zip(emotions.FIVE, files, strict=True)
        if not collected_photos.is_marked(file) and file != original
    ]
    async with photos(request, [original, *(file for _, file in unmarked)], LONGEST_KEPT) as [rest, *pixels]:
        own = [
            (emotion, picture)
            for (emotion, _), picture in zip(unmarked, pixels, strict=True)
            if not state.model_thread.recent.has(picture)
        ]
        meters = await state.model_thread.meters(rest, own)
        scores = {
            emotion: min(meter, pictures.scores.get(emotion, 1))
            for (emotion, _), meter in zip(own, meters, strict=True)
        }
        not_reached = {
            emotion: round(score, 2) for emotion, score in scores.items() if score < expression_rules.RELEASED
        }
        kept = [(emotion, picture) for emotion, picture in own if emotion not in not_reached]
        await store(kept if state.settings.collect else [])
    stored = [emotion for emotion, _ in kept] if state.settings.collect else []
    return Kept(
        kept=dict.fromkeys(stored, 1),
        not_reached=not_reached,
        left_out=len(emotions.FIVE) - len(own),
        message=f"사진 {len(stored)}장이 저장되었습니다. 표정이 뚜렷하지 않은 {len(not_reached)}장은 빼 두었습니다.",
        message_en=f"Pictures stored: {len(stored)}. Left out, as they do not show their emotion: {len(not_reached)}.",
    )


async def store(kept: list[tuple[str, np.ndarray]]) -> None:
    """Keep (emotion, picture) pairs. Raises `Refusal` 507 where the disk takes no more."""
    try:
        await asyncio.to_thread(collected_photos.keep, kept)
    except OSError as error:
        print(f"submitted pictures could not be stored: {error}", file=sys.stderr)
        raise Refusal(
            507, "cannot_store", "사진을 저장할 수 없습니다.", "The pictures can't be stored: is the disk full?"
        ) from error


# --- For the page, and for those who look after the server -----------------------------------------------------


@router.get("/health")
async def health(request: Request) -> Health:
    """What this server can do now."""
    state = request.app.state
    choice: chosen_checkpoint.Choice | None = state.model_thread.choice
    accepted = token_accepted(request, state.settings.token)
    return Health(
        generating=choice is not None,
        generator=choice.origin if choice else "",
        trained_on=choice.trained_on if choice else "",
        problem=state.model_thread.problem if accepted else "",
        collecting=state.settings.collect,
        token_required=bool(state.settings.token),
        token_accepted=accepted,
        mirror=state.mirror_model is not None and (WEB / "vendor" / "vision_bundle.mjs").is_file(),
        waiting=state.line.length,
    )


@router.get("/friends.json")
async def all_friends(request: Request) -> list[Friend]:
    """People who don't exist: drawn ones with six faces, and before them, where the generator knows photos, a photo."""
    choice: chosen_checkpoint.Choice | None = request.app.state.model_thread.choice
    photos = friends.photo_like_friends() if choice and choice.trained_on != "drawn" else []
    drawn = await asyncio.to_thread(friends.drawn_friends)
    return [Friend(images=base64_jpegs(images)) for images in [*([photo] for photo in photos), *drawn]]


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


@router.get(
    "/models/real-face-judge.tflite",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def real_face_judge() -> FileResponse:
    """The judge of real faces for the page's mirror."""
    return FileResponse(BROWSER_FILE, media_type="application/octet-stream")


@router.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """This API, to read and to try."""
    return FileResponse(WEB / "docs.html")


def make_app(settings: ServerSettings) -> FastAPI:
    """The server with these settings."""
    app = FastAPI(title="StarGAN-FE", description=__doc__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.settings = settings
    app.add_exception_handler(HTTPException, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.include_router(photo_router)
    app.include_router(router)
    app.include_router(record_routes.router)
    app.mount("/", StaticFiles(directory=WEB, html=True), name="web")
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Authorization"],
        )
    app.add_middleware(TrustedRequests, hosts=settings.hosts, origins=settings.origins)
    app.add_middleware(WebHeaders)
    return app


app = make_app(ServerSettings.read(os.environ))
