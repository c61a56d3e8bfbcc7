"""Take the pictures of the apps in docs/pictures: `python docs/take_pictures.py phone|desk GENERATOR PHOTO`.

A real server, Chromium as a phone or a laptop, in Korean. The photo must be of nobody: a drawn or a rendered face. With
`--friend` the faces shown are a drawn friend's, not the generator's. Needs chromium and the tests' packages. Look at
every picture before you keep it.
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
IDENTITY = 7  # random seed of the drawn face before the camera
PATIENCE = 300_000  # milliseconds

Shot = Callable[[str], None]


def take_phone(page: Any, url: str, photo: Path, friend: bool, shot: Shot) -> None:
    """The child's way through the phone app."""

    def on_screen(name: str) -> None:
        page.wait_for_selector(f"#{name}:not([hidden])")
        page.wait_for_timeout(1500)

    page.goto(url)
    on_screen("start")
    shot("start")
    page.set_input_files("#file", str(photo))
    on_screen("sure")
    shot("sure")
    if friend:
        page.goto(url)
        on_screen("start")
        page.click("#with-friends")
        page.click(".person >> nth=0")
    else:
        page.click("#sure-yes")
    on_screen("overview")
    shot("overview")
    page.click(".cards button:has-text('기쁜')")
    on_screen("face")
    shot("face")
    page.click("#my-turn")
    page.wait_for_timeout(6000)
    shot("turn")
    page.wait_for_selector("#compare:not([hidden])")
    page.wait_for_timeout(1500)
    shot("compare")
    page.click("#keep")
    on_screen("face")
    page.click("#face [data-back]")
    on_screen("overview")
    page.click("#finish")
    on_screen("ending")
    shot("ending")
    if not friend:  # after playing with a friend nothing is sent
        page.click("#send-ask")
        on_screen("consent")
        shot("consent")
    page.goto(url)
    on_screen("start")
    page.hover("#settings-button")
    page.mouse.down()
    page.wait_for_timeout(1800)
    page.mouse.up()
    on_screen("settings")
    shot("settings")


def take_desk(page: Any, url: str, photo: Path, _friend: bool, shot: Shot) -> None:
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
    parser.add_argument("photo", type=Path, help="a drawn or rendered face")
    parser.add_argument("--friend", action="store_true", help="go on with a drawn friend instead of the photo")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--size", choices=("phone", "laptop"), help="of the window; default: the app's own")
    given = parser.parse_args()

    from browser import film, launch
    from PIL import Image
    from playwright.sync_api import sync_playwright
    from serving import Server, StreamlitServer

    small = (given.size or ("phone" if given.app == "phone" else "laptop")) == "phone"
    walk, kind = (take_phone, Server) if given.app == "phone" else (take_desk, StreamlitServer)
    suffix = f"-{given.size}" if given.size else ""
    given.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        camera = film(folder / "film.mjpeg", IDENTITY, "neutral", "happy", frames=300)
        fill_record(folder / "data" / "record.sqlite3")
        settings = {"STARGAN_FE_CHECKPOINT": str(given.generator.resolve()), "PYTHONPATH": str(ROOT)}
        chromium = launch(playwright, camera)
        with kind(folder, **settings) as server:
            page = chromium.new_page(viewport=PHONE if small else LAPTOP, locale="ko-KR", has_touch=small)
            page.set_default_timeout(PATIENCE)

            def shot(name: str) -> None:
                file = given.output / f"{given.app}-{name}{suffix}.jpg"
                page.screenshot(path=str(folder / "shot.png"))
                with Image.open(folder / "shot.png") as picture:
                    picture.convert("RGB").save(file, quality=82, optimize=True)
                print(f"{os.path.relpath(file)}: {file.stat().st_size // 1024} kB", flush=True)

            walk(page, server.url, given.photo, given.friend, shot)
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
