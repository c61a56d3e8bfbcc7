"""What preprocessing promises about speed, memory and being killed, measured on drawn photos.

python benchmarks/preprocess.py speed    photos a second against the published way, one process and two, of photos
                                         with the annotators' boxes, as AI Hub has them, and of photos without
python benchmarks/preprocess.py many     200,000 files: memory of every process, seconds until the first is done
python benchmarks/preprocess.py kill     SIGKILL at ten random moments, then the same bytes as an unbroken run
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import datapreprocess  # noqa: E402
import face_detection  # noqa: E402
from common import emotions, pretrained_files  # noqa: E402
from common.worker_processes import map_in_processes  # noqa: E402
from imaging.drawing.picture import draw_face  # noqa: E402
from imaging.photo import Photo  # noqa: E402
from preprocessing import aihub  # noqa: E402
from preprocessing.output import Output  # noqa: E402
from preprocessing.plan import CropSettings, Labels, plan  # noqa: E402

DISTINCT_PHOTOS = 12
COPIES = 15  # copies of each photo: at the end one worker waits for the other, which should not count
PUBLISHED_PHOTOS = 48  # the published way takes long, and has no worker to wait for
QUALITIES = (90, 95)  # JPEG qualities that phones write
ROUNDS = 3
TINY_FILES = 200_000
FACES_AMONG_THEM = 2_000


def write_phone_photo(path: Path, identity: int, quality: int) -> None:
    """A 4000×3000 JPEG with a sensor's noise of a head a third as wide as the photo."""
    rng = np.random.default_rng(identity)
    face = draw_face(identity, "happy", size=2000)
    photo: NDArray = cv2.resize(face[:50, :50], (4000, 3000), interpolation=cv2.INTER_CUBIC)
    photo[600:2600, 1000:3000] = face
    noise = rng.normal(0, 3, (3000, 4000, 1)).astype(np.int16)
    photo = (photo.astype(np.int16) + noise).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])


def published_way(path: str, output: str) -> None:
    """The published steps for one photo: decode it whole, make a detector, crop what it finds, resize, write."""
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions, vision

    image: NDArray = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)  # type: ignore[assignment]
    detector_file = pretrained_files.path("face_detector_full_range")
    options = vision.FaceDetectorOptions(BaseOptions(model_asset_path=str(detector_file)), min_detection_confidence=0.5)
    with vision.FaceDetector.create_from_options(options) as detector:
        found = detector.detect(Image(ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))).detections
        copy = image.copy()
        for face in found:
            box = face.bounding_box
            x, y = max(box.origin_x, 0), max(box.origin_y, 0)
            crop = cv2.resize(copy[max(y - 50, 0) : y + box.height, x : x + box.width], (512, 512))
        cv2.imwrite(output, crop)


def published_rate(photos: list[Path], folder: Path) -> tuple[float, float]:
    """Photos a second of the published way, by the clock and by the processor's time; the first one not counted."""
    published_way(str(photos[0]), str(folder / "published.jpg"))
    start, busy = time.perf_counter(), time.process_time()
    for photo in photos:
        published_way(str(photo), str(folder / "published.jpg"))
    return len(photos) / (time.perf_counter() - start), len(photos) / (time.process_time() - busy)


def our_rate(source: Path, folder: Path, workers: int, labels: Labels) -> tuple[float, float]:
    """The same of preprocessing, from the moment each worker has done a batch until the last one is done."""
    settings = CropSettings(str(source))
    output = Output(folder / "train", folder / "val")
    work = functools.partial(datapreprocess._work, settings=settings, output=output)
    results = map_in_processes(work, plan(settings, labels), workers, batch_size=4)
    for _ in range(max(1, workers)):
        next(results)
    start, busy, done = time.perf_counter(), time.process_time(), 0
    for rows in results:
        done += len(rows)
        seconds, busy_seconds = time.perf_counter() - start, time.process_time() - busy
    return done / seconds, done / busy_seconds


def annotated(photos: Path) -> Labels:
    """What annotators would say of the photos: happy, and a box from the forehead to the chin."""
    labels = Labels()
    with face_detection.FaceFinder() as finder:
        for file in sorted(photos.glob("*.jpg")):
            photo = Photo(file)
            pixels = photo.pixels(0.25)
            points = (finder.faces(pixels)[0].points + 0.5) * photo.width / pixels.shape[1] - 0.5
            box = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
            labels.by_name[emotions.fold(file.name)] = aihub.Label("happy", ("happy",) * 3, box)
    return labels


def speed(folder: Path) -> None:
    """The contestants' speed on photos of each quality."""
    for quality in QUALITIES:
        photos = folder / f"{quality}/photos/happy"
        photos.mkdir(parents=True)
        for identity in range(DISTINCT_PHOTOS):
            write_phone_photo(photos / f"{identity}-0.jpg", identity, quality)
        labels = annotated(photos)
        for first in list(photos.iterdir()):
            for copy in range(1, COPIES):
                other = first.with_name(first.name.replace("-0", f"-{copy}"))
                other.hardlink_to(first)
                labels.by_name[other.name] = labels.by_name[first.name]
        files = sorted(photos.iterdir())
        megabytes = statistics.mean(file.stat().st_size for file in files) / 1e6
        for kind, known in (("with the annotators' boxes", labels), ("without", Labels())):
            print(f"\n{len(files)} photos of 12 megapixels, {megabytes:.1f} MB, {kind}; load {os.getloadavg()[0]:.1f}")
            compare(photos.parent, folder / f"{quality}-{len(known.by_name)}", known)


def compare(source: Path, folder: Path, labels: Labels) -> None:
    """Rounds of all contestants: what else the machine does then falls on all alike."""
    folder.mkdir()
    files = sorted(source.glob("*/*"))
    rounds = []
    for _ in range(ROUNDS):
        with face_detection.native_log_muted():
            published, published_busy = published_rate(files[:: len(files) // PUBLISHED_PHOTOS], folder)
        here, here_busy = our_rate(source, folder, 0, labels)
        one, two = (our_rate(source, folder, workers, labels)[0] for workers in (1, 2))
        print(f"photos a second: published {published:.1f}, here {here:.1f}, 1 worker {one:.1f}, 2 workers {two:.1f}; "
              f"a processor's second: published {published_busy:.1f}, this process {here_busy:.1f}")  # fmt: skip
        rounds.append((here / published, here_busy / published_busy, two / one))
    by_clock, by_processor, scaling = map(statistics.median, zip(*rounds, strict=True))
    print(f"one process: {by_clock:.2f} x the published way by the clock, {by_processor:.2f} x by the processor's time")
    print(f"two processes: {scaling:.2f} x one (load {os.getloadavg()[0]:.1f})")


def many(folder: Path) -> None:
    """200,000 files, one in a hundred with a face; the others too small to hold one."""
    photos = folder / "train/happy"
    photos.mkdir(parents=True)
    tiny = cv2.imencode(".jpg", draw_face(0, "happy", size=32))[1].tobytes()
    faces = [cv2.imencode(".jpg", draw_face(identity, "happy", size=256))[1].tobytes() for identity in range(20)]
    for number in range(TINY_FILES):
        is_face = number % (TINY_FILES // FACES_AMONG_THEM) == 0
        (photos / f"{number:06d}.jpg").write_bytes(faces[number % 20] if is_face else tiny)
    journal = folder / "out/.journal.jsonl"
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "datapreprocess.py", "--input", photos.parent, "--output", folder / "out"], cwd=ROOT
    )
    first, next_look, peak = None, 0.0, 0
    while process.poll() is None:
        passed = time.monotonic() - start
        if first is None and journal.exists() and journal.stat().st_size:
            first = passed
            print(f"\nfirst files done after {first:.1f} s")
        if passed >= next_look:
            sizes = memory(process.pid)
            peak = max(peak, *sizes, 0)
            print(f"\nafter {passed:.0f} s, MiB of parent and workers: {' '.join(map(str, sizes))}")
            next_look = passed + 10
        time.sleep(0.05)
    print(f"exit code {process.returncode} after {time.monotonic() - start:.0f} s, peak of any process {peak} MiB")


def memory(parent: int) -> list[int]:
    """Resident MiB of a process and its children that are at least 30 MiB large."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    sizes = []
    for pid in [str(parent), *children]:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:  # it has just ended
            continue
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") >> 20)
    return [size for size in sizes if size >= 30]


def kill(folder: Path) -> None:
    """Ten runs killed at random moments, an eleventh to the end, and a comparison with an unbroken run."""
    photos = folder / "train/happy"
    photos.mkdir(parents=True)
    faces = [draw_face(identity, "happy", size=256) for identity in range(20)]
    for number in range(800):
        cv2.imwrite(str(photos / f"{number}.jpg"), faces[number % 20])
    command = [sys.executable, "datapreprocess.py", "--input", folder / "train", "--num_workers", "2", "--output"]
    quiet = {"cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = time.monotonic()
    subprocess.run([*command, folder / "unbroken/out"], check=True, **quiet)  # type: ignore[call-overload]
    whole = time.monotonic() - start
    moments = random.Random(time.time_ns())
    for _ in range(10):
        process = subprocess.Popen([*command, folder / "killed/out"], **quiet)  # type: ignore[call-overload]
        delay = moments.uniform(0, 0.7 * whole)
        time.sleep(delay)
        process.kill()
        process.wait()
        print(f"killed after {delay:.2f} s with {len(list(folder.glob('killed/out/*/*.jpg')))} crops there")
    subprocess.run([*command, folder / "killed/out"], check=True, **quiet)  # type: ignore[call-overload]
    unbroken, killed = contents(folder / "unbroken/out"), contents(folder / "killed/out")
    print(f"{len(unbroken)} files, {'identical' if unbroken == killed else 'DIFFERENT'}")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the journal, whose lines lie in the order in which they were done."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != ".journal.jsonl")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def main() -> None:
    """Run one of the measurements in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "many", "kill"))
    with tempfile.TemporaryDirectory() as folder:
        {"speed": speed, "many": many, "kill": kill}[parser.parse_args().what](Path(folder))


if __name__ == "__main__":
    main()
