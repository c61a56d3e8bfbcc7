"""Photos from strangers: decoded in a process of their own, which ends when one takes too much time or memory.

A picture of a few kilobytes can keep a decoder busy for minutes or fill the memory, and a decoder in C cannot be
interrupted from within; decoders also have bugs. Apart from the server, all that ends is the attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from io import BytesIO

import numpy as np

from common.worker_processes import start_worker
from imaging.photo import Photo, UnreadablePhoto

MAX_PIXELS = 50_000_000  # what a phone's camera makes
CPU_SECONDS = 2.0  # for all photos of one request
MAX_MEMORY = 4 << 30  # bytes of address space
NO_LIMIT = "note: photos are read without a limit of memory, which only Linux has"

# By content: what phones and browsers make. Others are slower or seldom examined by security researchers.
SIGNATURES = {
    "JPEG": (0, (b"\xff\xd8\xff",)),
    "PNG": (0, (b"\x89PNG\r\n\x1a\n",)),
    "WebP": (8, (b"WEBP",)),
    "HEIF": (4, (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftypavif")),
}


class PhotoReader:
    """Reads photos, one request's at a time. `close()` it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._start()

    async def read(self, files: list[bytes], longest: int) -> list[np.ndarray]:
        """Upright uint8 sRGB [H, W, 3] pixels of each file, the longer side at most `longest`.

        Raises `UnreadablePhoto` when one of them is no photo, too large, or takes too long.
        """
        if not all(_looks_like_a_photo(file) for file in files):
            raise UnreadablePhoto("not a photo")
        async with self._turn:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._pool, _read_all, files, longest)
            except BrokenProcessPool as error:
                self.close()
                self._start()
                raise UnreadablePhoto("takes too long to read") from error
            finally:
                self._send_nothing()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start)
        self._send_nothing()  # start now, so that the first photo need not wait

    def _send_nothing(self) -> None:
        """An empty request: the queue to the process holds on to what it sent last, and that must be no photo."""
        with contextlib.suppress(RuntimeError):  # closed or dead meanwhile, the queue with it
            self._pool.submit(_read_all, [], 0)


def _looks_like_a_photo(file: bytes) -> bool:
    return any(file.startswith(signs, offset) for offset, signs in SIGNATURES.values())


def _start() -> None:
    start_worker()
    try:
        import resource
    except ImportError:  # Windows has no such limits
        print(NO_LIMIT, file=sys.stderr)
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the photo
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    else:  # macOS refuses it
        print(NO_LIMIT, file=sys.stderr)


def _read_all(files: list[bytes], longest: int) -> list[np.ndarray]:
    """In the process: SIGPROF, which nobody handles, ends it when the CPU time is used up."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        return [_read(file, longest) for file in files]
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)


def _read(file: bytes, longest: int) -> np.ndarray:
    import cv2

    photo = Photo(BytesIO(file))
    if photo.width * photo.height > MAX_PIXELS:
        raise UnreadablePhoto("too large")
    pixels = photo.pixels(longest / max(photo.width, photo.height))
    shrink = longest / max(pixels.shape[:2])
    if shrink < 1:
        size = [max(1, round(side * shrink)) for side in (pixels.shape[1], pixels.shape[0])]
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return _as_srgb(pixels, photo.icc_profile) if photo.icc_profile else pixels


def _as_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """uint8 RGB of an ICC profile as sRGB; as they are where the profile is damaged, as browsers show them."""
    from PIL import Image, ImageCms

    try:
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(Image.fromarray(pixels), meant, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return pixels
    return pixels if converted is None else np.asarray(converted)
