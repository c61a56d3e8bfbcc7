"""Take the pictures of the apps in docs/pictures: `python docs/take_pictures.py phone|desk GENERATOR PHOTO`.

A real server, Chromium as a phone or a laptop, in Korean. The photo must be square and of nobody: a drawn, rendered or
photo-like face. Before the camera is the same face, then the generator's smile of it. Needs chromium and the tests'
packages. Look at every picture before you keep it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1366, "height": 1100}
PATIENCE = 300_000  # milliseconds
SMILE = """import('./visit.js').then(async ({visit}) => {
    window.cameraPictures.smile = Object.assign(new Image(), {src: `data:image/jpeg;base64,${visit.pictures.happy}`});
    await window.cameraPictures.smile.decode();
    window.camera = 'smile';
})"""

Shot = Callable[[str], None]


def take_phone(page: Any, url: str, photo: Path, shot: Shot) -> None:
    """The child's way through the page."""

    def on_screen(name: str, kept: bool = True) -> None:
        page.wait_for_selector(f"#{name}:not([hidden])")
        page.wait_for_timeout(1500)
        if kept:
            shot(name)

    def hold(selector: str) -> None:
        page.hover(selector)
        page.mouse.down()
        page.wait_for_timeout(1800)
        page.mouse.up()

    page.goto(url)
    on_screen("start")
    page.set_input_files("#file", str(photo))
    on_screen("sure")
    page.click("#sure-yes")
    on_screen("review")
    hold("#review-done")
    on_screen("overview")
    page.click("#to-guess")
    on_screen("guessing")
    page.click("#guessing [data-back]")
    page.click("#overview .cards button:has-text('기쁜')")
    on_screen("face")
    page.click("#my-turn")
    page.wait_for_selector("#turn[data-state=hint]")
    on_screen("turn")
    page.evaluate(SMILE)
    on_screen("compare")
    page.click("#keep")
    on_screen("face", kept=False)
    page.click("#face [data-back]")
    page.click("#finish")
    on_screen("ending")
    page.click("#send-ask")
    on_screen("consent")
    page.goto(url)
    on_screen("start", kept=False)
    hold("#settings-button")
    on_screen("settings")


def take_desk(page: Any, url: str, photo: Path, shot: Shot) -> None:
    """An adult's way through the desk."""
    page.goto(url)
    page.wait_for_selector("h1")
    page.set_input_files("input[type=file]", str(photo))
    page.get_by_role("button", name="카드로 인쇄").first.wait_for()
    page.wait_for_timeout(3000)
    shot("faces")
    page.goto(f"{url}/feedback")
    mirror = page.frame_locator("iframe")
    mirror.get_by_role("button", name="거울 켜기").click()
    mirror.locator("body[data-state=hint], body[data-state=hold]").wait_for()
    page.wait_for_timeout(2000)
    shot("mirror")
    page.goto(f"{url}/children")
    page.get_by_role("combobox", name="아이").click()
    page.get_by_role("option").first.click()
    page.locator(".vega-embed").nth(3).wait_for()
    page.get_by_role("tab").first.scroll_into_view_if_needed()
    page.wait_for_timeout(3000)
    shot("progress")


def fill_record(path: Path) -> None:
    """A month of two made-up children."""
    from practice import month

    from apps.record.entries import Consent, Mark
    from apps.record.store import Record, now

    record, start = Record(path), now() - timedelta(days=31)
    for seed, name in enumerate(("곰돌이", "토끼")):
        child = record.add(name, Consent("parent", start, (now() + timedelta(days=150)).date(), child_agreed=True))
        for session in month(seed, start):
            record.keep(child, session)
        record.mark(child, Mark((start + timedelta(days=10)).date(), "거울 연습 시작", phase=True))


def main() -> int:
    """Start the server, walk through the app, and save what it shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", choices=("phone", "desk"))
    parser.add_argument("generator", type=Path, help="a generator's .ckpt file")
    parser.add_argument("photo", type=Path, help="a drawn, rendered or photo-like face, square")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    given = parser.parse_args()

    import numpy as np
    from browser import camera_of, film, launch
    from PIL import Image
    from playwright.sync_api import sync_playwright
    from serving import Server, StreamlitServer

    small = given.app == "phone"
    walk, kind = (take_phone, Server) if small else (take_desk, StreamlitServer)
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        fill_record(folder / "data" / "record.sqlite3")
        settings = {"CHECKPOINT": str(given.generator.resolve()), "COLLECT": "1"}
        chromium = launch(playwright, film(folder / "film.mjpeg", 0, "neutral", frames=1))
        with kind(
            folder, PYTHONPATH=str(ROOT), **{f"STARGAN_FE_{key}": value for key, value in settings.items()}
        ) as server:
            page = chromium.new_page(viewport=PHONE if small else LAPTOP, locale="ko-KR", has_touch=small)
            page.set_default_timeout(PATIENCE)
            page.add_init_script(camera_of(photo=np.asarray(Image.open(given.photo).convert("RGB"))))

            def shot(name: str) -> None:
                file = given.output / f"{given.app}-{name}.jpg"
                page.screenshot(path=str(folder / "shot.png"))
                with Image.open(folder / "shot.png") as picture:
                    picture.convert("RGB").save(file, quality=82, optimize=True)
                print(f"{os.path.relpath(file)}: {file.stat().st_size // 1024} kB", flush=True)

            walk(page, server.url, given.photo, shot)
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
