"""Does the page's mirror praise rendered people for the expression they make, and for no other? In Chromium.

    python benchmarks/mirror.py --people FOLDER [--count 10] [--level medium]
    python benchmarks/mirror.py --people FOLDER --count 330 --record FILMS    # for feedback.py --fit

Each person of val.txt shows their neutral face, then each expression, as a camera would take them: 12 frames a second,
with noise, never quite still. The page's own scripts read every frame once; five coaches, one for each expression that
may be asked for, watch the readings. The clock is the frames', so that a busy machine changes nothing.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
from browser import launch
from feedback_films import Film
from playwright.sync_api import sync_playwright
from serving import Server, jpeg

from common.emotions import FIVE
from common.errors import UserError, command
from common.progress import progress_bar

PRAISE_SECONDS = 6.0  # an expression that is praised later than this counts as not praised
REST_SECONDS = 6.0  # who looks surprised or smiles at rest is asked for it three times
FILM_SECONDS = PRAISE_SECONDS  # an expression is shown
RECORDED_REST_SECONDS, RECORDED_SECONDS = 3.0, 2.5  # of a film to fit on
MAY_SHOW = 0.10  # a neutral face's meter stays below

# A script that shows a person's pictures to the page's mirror, and what is done with what it reads.
SHOW = """async ([pictures, emotions, level, rest, seconds]) => {
    const { loadMirror } = await import("./mirror.js");
    const { Coach, Visit } = await import("./feedback.js");
    const load = async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        return image;
    };
    const mirror = await loadMirror();
    await mirror.landmarker.setOptions({ runningMode: "VIDEO" });
    const canvas = new OffscreenCanvas(640, 480);
    Object.assign(canvas, { videoWidth: 640, videoHeight: 480 });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const noise = new OffscreenCanvas(700, 540);
    const pattern = new ImageData(700, 540);
    for (let i = 0; i < pattern.data.length; i += 1) pattern.data[i] = i % 4 === 3 ? 255 : 255 * random();
    noise.getContext("2d").putImageData(pattern, 0, 0);
    const frame = (image) => {
        const [x, y, size] = [102 + 3 * random(), 22 + 3 * random(), 434 + 2 * random()];
        context.globalAlpha = 1;
        context.drawImage(image, x, y, size, size);
        context.globalAlpha = 0.04;
        context.drawImage(noise, -60 * random(), -60 * random());
    };
    let now = globalThis.mirrorClock ?? 0;
    const film = (image, length) => Array.from({ length: Math.round(12 * length) }, () => {
        now += 1000 / 12;
        frame(image);
        return { ...mirror.see(canvas, now), seconds: now / 1000 };
    });
    const images = {};
    for (const [name, address] of Object.entries(pictures)) images[name] = await load(address);
    const done = (found) => {
        globalThis.mirrorClock = now;
        return JSON.stringify(found);
    };
"""

WATCH = """
    const visit = new Visit();
    const first = new Coach(mirror.table, emotions[0], null, level, visit);
    film(images.neutral, 0.5);
    for (const { face, seconds, turned } of film(images.neutral, rest)) first.see(face, seconds, turned);
    const results = [];
    for (const shown of emotions) {
        film(images.neutral, 0.5); // the face goes back
        const calm = film(images.neutral, 1);
        const made = film(images[shown], seconds);
        for (const asked of emotions) {
            const coach = new Coach(mirror.table, asked, null, level, visit);
            let neutral = 0, after = null, meter = 0;
            for (const { face, seconds, turned } of calm) {
                neutral = Math.max(neutral, coach.see(face, seconds, turned).meter);
            }
            for (const { face, seconds, turned } of made) {
                const moment = coach.see(face, seconds, turned);
                meter = Math.max(meter, moment.meter);
                if (moment.done && after === null) after = seconds - made[0].seconds;
            }
            results.push({ shown, asked, neutral, after, meter });
        }
    }
    return done({ rest: visit.rest !== null, results });
}"""

RECORD = """
    const frames = [];
    const record = (phase, film) => {
        for (const { face } of film) if (face) frames.push([phase, face]);
    };
    film(images.neutral, 0.5);
    record("rest", film(images.neutral, rest));
    for (const shown of emotions) {
        film(images.neutral, 0.5);
        record(`calm ${shown}`, film(images.neutral, 1));
        record(`made ${shown}`, film(images[shown], seconds));
    }
    return done(frames);
}"""


@contextlib.contextmanager
def shown_people(folder: Path, persons: list[str], *given: Any) -> Iterator[Callable[[str], Iterator[tuple[str, Any]]]]:
    """A function that runs a script for each of the people before the page's mirror: (person, what it returns)."""
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        camera = Path(temporary) / "camera.mjpeg"
        camera.write_bytes(jpeg(np.full((480, 640, 3), 128, np.uint8)))
        with Server(Path(temporary)) as server:
            browser = launch(playwright, camera)
            page = browser.new_page()
            page.set_default_timeout(1_800_000)
            page.goto(server.url)

            def run(script: str) -> Iterator[tuple[str, Any]]:
                with progress_bar(len(persons), "people") as progress:
                    for person in persons:
                        pictures = {name: _address(folder / name / f"{person}.jpg") for name in ("neutral", *FIVE)}
                        yield person, json.loads(page.evaluate(SHOW + script, [pictures, list(FIVE), *given]))
                        progress.update()

            yield run
            browser.close()


def watch_all(folder: Path, count: int, level: str) -> list[dict[str, Any]]:
    """What the mirror makes of each of the people: {person, shown, asked, neutral, after (seconds or None), meter}."""
    persons = (folder / "val.txt").read_text().split()
    found = []
    with shown_people(folder, spread(persons, count), level, REST_SECONDS, FILM_SECONDS) as run:
        for person, watched in run(WATCH):
            if not watched["rest"]:
                print(f"{person}: no resting face was taken", file=sys.stderr)
            found += [{"person": person, **result} for result in watched["results"]]
    return found


def record_all(folder: Path, count: int, films: Path) -> None:
    """Keep what the mirror reads of those people that are for fitting, a file each; those there are left alone."""
    films.mkdir(parents=True, exist_ok=True)
    measured = set((folder / "val.txt").read_text().split())
    whole = set.intersection(*({file.stem for file in (folder / name).glob("*.jpg")} for name in ("neutral", *FIVE)))
    persons = spread(sorted(whole - measured), count)
    persons = [person for person in persons if not (films / f"{person}.npz").exists()]
    with shown_people(folder, persons, "", RECORDED_REST_SECONDS, RECORDED_SECONDS) as run:
        for person, frames in run(RECORD):
            names = list(frames[0][1])
            values = np.array([[face[name] for name in names] for _, face in frames])
            Film(person, names, values, np.array([phase for phase, _ in frames])).save(films)


def spread(persons: list[str], count: int) -> list[str]:
    """So many of them, from the whole of the list."""
    return persons[:: max(1, len(persons) // count)][:count]


def _address(file: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}"


@command
def main(argv: list[str] | None = None) -> int:
    """Watch and print; ends with 1 where it falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="folder of rendered people, with its val.txt")
    parser.add_argument("--count", type=int, default=10, help="people")
    parser.add_argument("--level", choices=("easy", "medium", "hard"), default="medium", help="of difficulty")
    parser.add_argument("--record", type=Path, help="keep films of people that are not in val.txt in this folder")
    args = parser.parse_args(argv)
    if not (args.people / "val.txt").is_file():
        raise UserError(f"--people {args.people} holds no val.txt: name the folder of rendered people")
    if args.record:
        record_all(args.people, args.count, args.record)
        return 0
    found = watch_all(args.people, args.count, args.level)
    right = [one for one in found if one["shown"] == one["asked"]]
    wrong = [one for one in found if one["shown"] != one["asked"]]
    praised = [one for one in right if one["after"] is not None and one["after"] <= PRAISE_SECONDS]
    mistaken = [one for one in wrong if one["after"] is not None]
    highest = max(one["neutral"] for one in found)
    print(f"\nLevel {args.level}: of {len(right)} right expressions {len(praised)} praised within {PRAISE_SECONDS:g} s")
    for emotion in FIVE:
        times = [one["after"] for one in praised if one["asked"] == emotion]
        own = sum(one["asked"] == emotion for one in right)
        slowest = f", the slowest after {max(times):.1f} s" if times else ""
        print(f"  {emotion}: {len(times)} of {own}{slowest}")
    for one in right:
        if one not in praised:
            print(f"  not praised: {one['person']} {one['asked']}, highest {100 * one['meter']:.0f} of 100")
    print(f"Of {len(wrong)} wrong ones {len(mistaken)} praised")
    for one in mistaken:
        print(f"  {one['person']} shows {one['shown']}, praised for {one['asked']} after {one['after']:.1f} s")
    print(f"Neutral faces: at most {100 * highest:.0f} of 100")
    for one in found:
        if one["neutral"] >= MAY_SHOW:
            print(f"  {one['person']} before {one['shown']}, asked for {one['asked']}: {100 * one['neutral']:.0f}")
    return int(len(praised) < len(right) or len(mistaken) > 0.01 * len(wrong) or highest >= MAY_SHOW)


if __name__ == "__main__":
    sys.exit(main())
