"""Chromium whose camera shows drawn faces, for tests and benchmarks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from serving import jpeg

from draw_faces import draw_face

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FRAME = (480, 640, 3)


def film(path: Path, identity: int, *emotions: str, frames: int = 150) -> Path:
    """A camera's film: one person with each emotion for so many frames, over and over."""
    pictures = []
    for emotion in emotions:
        face = draw_face(identity, emotion, size=FRAME[0])
        picture = np.broadcast_to(face[5, 5], FRAME).copy()
        edge = (FRAME[1] - FRAME[0]) // 2
        picture[:, edge:-edge] = face
        pictures += [jpeg(picture)] * frames
    path.write_bytes(b"".join(pictures))
    return path


def launch(playwright, camera: Path):
    """A browser that lends every page this film as its camera."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ],
    )
