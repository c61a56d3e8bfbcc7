"""Chromium whose camera shows drawn faces, for tests and benchmarks."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import numpy as np
from serving import ROOT, jpeg

from imaging.drawing.picture import draw_face

AXE = ROOT / "tests" / "vendor" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FRAME = (480, 640, 3)
ELSEWHERE = "elsewhere.test"  # this machine, under a name that the page takes for another one


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


def camera_of(**pictures: np.ndarray) -> str:
    """A page's script: its camera shows the first of these pictures, or the one that `window.camera` names.

    More can be put into `window.cameraPictures`.
    """
    sources = {
        name: f"data:image/jpeg;base64,{base64.b64encode(jpeg(face)).decode()}" for name, face in pictures.items()
    }
    return f"""{{
        window.cameraPictures = {{}};
        for (const [name, src] of Object.entries({json.dumps(sources)})) {{
            window.cameraPictures[name] = Object.assign(new Image(), {{ src }});
        }}
        window.camera = {json.dumps(next(iter(pictures)))};
        navigator.mediaDevices.getUserMedia = async () => {{
            const canvas = Object.assign(document.createElement("canvas"), {{ width: {FRAME[1]}, height: {FRAME[0]} }});
            const stream = canvas.captureStream();
            const timer = setInterval(() => {{
                canvas.getContext("2d").drawImage(
                    window.cameraPictures[window.camera], {(FRAME[1] - FRAME[0]) // 2}, 0, {FRAME[0]}, {FRAME[0]}
                );
                if (!stream.active) clearInterval(timer);
            }}, 66);
            return stream;
        }};
    }}"""


def launch(playwright, camera: Path):
    """A browser that lends every page this film as its camera."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
            f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
        ],
    )


def faults(page, without: str = ".nothing") -> list[tuple[str, str, list[str]]]:
    """What axe finds wrong with the page, contrast below 7:1 too: rule, impact, elements; not in those of `without`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    return page.evaluate(
        "without => axe.run({include: [['html']], exclude: [[without]]},"
        " {rules: {'color-contrast-enhanced': {enabled: true}}})"
        ".then(({violations}) => violations.map(({id, impact, nodes}) => [id, impact, nodes.map(({html}) => html)]))",
        without,
    )
