"""The backend under load, under attack, and against the bare Translator. Each starts its own server.

python benchmarks/backend.py load      32 clients for 60 s
python benchmarks/backend.py hostile   1,000 hostile bodies; then schemathesis, where it is installed
python benchmarks/backend.py overhead  a request's time beside the Translator's
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hostile_bodies import hostile_bodies  # noqa: E402
from serving import Server, jpeg, make_checkpoint  # noqa: E402

from imaging.drawing.picture import draw_face  # noqa: E402


def processes(server: Server) -> list[Path]:
    """The server and its children, below /proc."""
    own = server.process.pid
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return [Path(f"/proc/{pid}") for pid in (own, *children)]


def memory(server: Server) -> float:
    """MiB resident, children included."""
    pages = sum(int((process / "statm").read_text().split()[1]) for process in processes(server))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(server: Server) -> float:
    """CPU time used so far, children included, those that have ended too."""
    ticks = 0
    for process in processes(server):
        with contextlib.suppress(FileNotFoundError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


# --- Load -----------------------------------------------------------------------------------------------------


def load(server: Server, clients: int, seconds: float) -> bool:
    """Every answer 200 or 503, memory flat, /health quick."""
    body = json.dumps({"image": base64.b64encode(jpeg(draw_face(1, "neutral"))).decode()})
    server.post("/generate", body)
    ends = time.monotonic() + seconds
    answers: Counter[object] = Counter()

    def client() -> None:
        while time.monotonic() < ends:
            try:
                status, headers, _ = server.post("/generate", body)
            except OSError as error:
                answers[type(error).__name__] += 1
                continue
            answers[status] += 1
            if status == 503:
                time.sleep(float(headers["Retry-After"]))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    health, sizes = [], []
    while time.monotonic() < ends:
        began = time.monotonic()
        server.get("/health")
        health.append(time.monotonic() - began)
        sizes.append(memory(server))
        time.sleep(0.2)
    for thread in threads:
        thread.join()
    third = len(sizes) // 3
    early, late = statistics.median(sizes[third : 2 * third]), statistics.median(sizes[2 * third :])
    print(f"{clients} clients, {seconds:.0f} s: answers {dict(answers)}")
    print(f"/health: median {1000 * statistics.median(health):.0f} ms, worst {1000 * max(health):.0f} ms")
    print(f"memory: {sizes[0]:.0f} MiB at first, {early:.0f} in the second third, {late:.0f} in the last")
    return set(answers) <= {200, 503} and late < 1.05 * early


# --- Hostile bodies -------------------------------------------------------------------------------------------


def hostile(server: Server, count: int) -> bool:
    """No 500, nothing outside the one folder, at most 3 s of CPU each."""
    answers: Counter[int] = Counter()
    before = server.files()
    worst = (0.0, "")
    for path, body in hostile_bodies(count):
        began = cpu_seconds(server)
        status, _, _ = server.post(path, body)
        answers[status] += 1
        worst = max(worst, (cpu_seconds(server) - began, f"{path} {body[:40]}... ({len(body):,} characters)"))
        if status >= 500:
            print(status, path, body[:80])
    strays = server.files() - before - server.kept()
    print(f"{count} hostile bodies: answers {dict(answers)}; worst CPU {worst[0]:.2f} s for {worst[1]}")
    print(f"files outside data/extended_train: {len(strays)}; tracebacks in the log: {server.log().count('Traceback')}")
    schemathesis = shutil.which("st") or shutil.which("st", path=Path(sys.executable).parent)
    passed = True
    if schemathesis:
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        command = [schemathesis, "run", f"{server.url}/openapi.json", "--checks", checks, "--max-examples", "200"]
        passed = subprocess.run(command, cwd=server.folder).returncode == 0
    return max(answers) < 500 and not strays and worst[0] < 3 and passed


# --- Overhead -------------------------------------------------------------------------------------------------


def overhead(server: Server, path: Path, rounds: int) -> bool:
    """A request's time minus the Translator's for the same photo, both by turns."""
    from translation.translator import Translator

    photo = draw_face(3, "neutral", size=768)
    body = json.dumps({"image": base64.b64encode(jpeg(photo)).decode()})
    more = []
    with Translator.load(path) as translator:
        for i in range(rounds + 2):
            began = time.perf_counter()
            translator.translate(photo)
            between = time.perf_counter()
            status, _, _ = server.post("/generate", body)
            assert status == 200
            if i >= 2:  # the first ones warm up
                more.append(time.perf_counter() - between - (between - began))
    quartiles = [1000 * q for q in statistics.quantiles(more, n=4)]
    print(f"request minus translator: {', '.join(f'{q:.0f}' for q in quartiles)} ms (quartiles of {rounds})")
    return quartiles[1] <= 50


def main() -> int:
    """Run one of the three; 0 if the time and memory it asks for are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "hostile", "overhead"))
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--count", type=int, default=1000, help="of hostile bodies, or of requests for overhead")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint = make_checkpoint(folder)
        with Server(folder, STARGAN_FE_CHECKPOINT=str(checkpoint)) as server:
            if args.what == "load":
                good = load(server, args.clients, args.seconds)
            elif args.what == "hostile":
                good = hostile(server, args.count)
            else:
                good = overhead(server, checkpoint, min(args.count, 40))
    print("as asked" if good else "NOT as asked")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
