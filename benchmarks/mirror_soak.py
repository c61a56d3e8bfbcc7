"""Does the Streamlit mirror keep its frame rate and its memory? A real server, Chromium, a camera with drawn faces.

python benchmarks/mirror_soak.py [--minutes 20]

Prints each minute the frames that were answered a second, and the memory of the server. The rate is what a child's
computer sees, as browser and server share this machine. Ends with 1 where the rate fell below 10 or memory grew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from browser import film, launch  # noqa: E402
from serving import StreamlitServer, make_checkpoint  # noqa: E402

from common import emotions  # noqa: E402

MIN_RATE = 10.0  # frames a second
MAX_GROWTH = 1.05  # memory at the end, in times that after the second minute
INTERVAL = 60.0  # seconds

COUNT_FRAMES = """() => {
    const frames = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/mirror/"));
    performance.clearResourceTimings();
    return frames.length;
}"""


def memory(server: StreamlitServer) -> float:
    """MiB resident, the children's included."""
    own = server.process.pid
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (own, *children))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_mirror(page: Page, server: StreamlitServer) -> None:
    """The feedback page, once its mirror answers."""
    page.set_default_timeout(120_000)
    page.add_init_script("performance.setResourceTimingBufferSize(100000)")
    page.goto(server.url + "/feedback")
    page.wait_for_selector(".pair[data-state]")


def soak(page: Page, server: StreamlitServer, minutes: int) -> tuple[list[float], list[float]]:
    """Frames a second and memory of each minute; every minute the child turns to the next emotion."""
    rates, sizes = [], []
    page.evaluate(COUNT_FRAMES)
    for minute in range(minutes):
        page.get_by_role("radio", name=emotions.EMOTIONS[emotions.FIVE[minute % 5]].korean).click()
        start = time.monotonic()
        page.wait_for_timeout(1000 * INTERVAL)
        rates.append(page.evaluate(COUNT_FRAMES) / (time.monotonic() - start))
        sizes.append(memory(server))
        print(f"minute {minute + 1:3}: {rates[-1]:5.1f} frames/s, server {sizes[-1]:5.0f} MiB", flush=True)
    return rates, sizes


def main() -> int:
    """Run it and judge it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=20)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        camera = film(folder / "camera.mjpeg", 7, "neutral", *emotions.FIVE, frames=60)
        checkpoint = make_checkpoint(folder)
        with StreamlitServer(folder, STARGAN_FE_CHECKPOINT=str(checkpoint)) as server:
            browser = launch(playwright, camera)
            page = browser.new_page()
            open_mirror(page, server)
            rates, sizes = soak(page, server, minutes)
            browser.close()
    growth = sizes[-1] / sizes[min(1, minutes - 1)]
    print(f"lowest {min(rates):.1f} frames/s; memory at the end {growth:.3f} of that after the second minute")
    return int(min(rates) < MIN_RATE or growth > MAX_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
