"""Real servers for tests and benchmarks, each on a free port, in a folder of its own: the phones' and Streamlit's."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
# With these settings glibc and Python overwrite what is freed: a search of the memory finds only what is still held.
OVERWRITING = {"MALLOC_PERTURB_": "85", "PYTHONMALLOC": "malloc"}


def jpeg(image: np.ndarray) -> bytes:
    """uint8 RGB [H, W, 3] as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=92)
    return file.getvalue()


def make_checkpoint(folder: Path, **config: str) -> Path:
    """A small generator with random weights, where no trained one is needed; `config` adds to its arguments."""
    import torch

    from checkpointing import run_config, training_sets
    from common import emotions
    from model import Generator

    torch.manual_seed(0)
    path = training_sets.path_of(folder, "best", "G")
    torch.save(Generator(8, 5, 1).state_dict(), path)
    arguments = {"image_size": 64, "crop_size": 448, **config}
    run_config.save_config(folder, {"arguments": arguments, "domains": list(emotions.FIVE)})
    return path


SHIPPED = ROOT / "pretrained" / "people-256.ckpt"  # whose faces pass the check: those of random weights are left out


def shipped_generator(folder: Path, **config: str) -> Path:
    """The generator that comes with the project, under this folder; `config` changes its arguments."""
    described = json.loads(SHIPPED.with_suffix(".json").read_text())
    described["arguments"].update(config)
    (folder / "shipped.json").write_text(json.dumps(described))
    (folder / "shipped.ckpt").symlink_to(SHIPPED)
    return folder / "shipped.ckpt"


class Server:
    """`with Server(folder, NAME=value ...) as server`: uvicorn with these settings, run in `folder`."""

    health = "/health"

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = settings
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Server:
        self._log = (self.folder / "server.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.command()],
            cwd=self.folder,
            env={**os.environ, **self.settings},
            stdout=self._log,
            stderr=self._log,
        )
        giving_up = time.monotonic() + 200
        while True:
            try:
                self.get(self.health)
                return self
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > giving_up:
                    self.__exit__()
                    raise RuntimeError(self.log()) from error
                time.sleep(0.1)

    def command(self) -> list[str]:
        """What Python runs."""
        return ["uvicorn", "--app-dir", str(ROOT), "backend:app", "--port", str(self.port)]

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(100)  # on a busy machine: it finishes the photo at hand
        self._log.close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, body: object, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Post JSON: a string as it is, anything else as JSON."""
        content = body if isinstance(body, str) else json.dumps(body)
        return self._ask("POST", path, content.encode(), {"Content-Type": "application/json", **headers})

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=200)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def files(self) -> set[Path]:
        """Everything in its folder but the log."""
        return {path for path in self.folder.rglob("*") if path.is_file()} - {self.folder / "server.log"}

    def kept(self) -> set[Path]:
        """The pictures that were submitted and kept."""
        return set(self.folder.glob("data/extended_train/*/*"))


class BelowServer(Server):
    """The same below /play of a site, as behind a proxy that takes this off and `uvicorn --root-path /play`."""

    health = "/play/health"

    def command(self) -> list[str]:
        """What Python runs."""
        return ["uvicorn", "--app-dir", str(Path(__file__).parent), "serving:below", "--port", str(self.port)]


async def below(scope: dict, receive: object, send: object) -> None:
    """The proxy and uvicorn's flag in one: an ASGI app."""
    sys.path.append(str(ROOT))
    import backend

    if scope["type"] == "http" and not scope["path"].startswith("/play/"):
        scope = {**scope, "path": "/nowhere"}
    await backend.app({**scope, "root_path": "/play"}, receive, send)  # type: ignore[arg-type]


class StreamlitServer(Server):
    """The Streamlit app instead."""

    health = "/_stcore/health"

    def command(self) -> list[str]:
        """What Python runs."""
        flags = ["--server.headless", "true", "--server.port", str(self.port)]
        return ["streamlit", "run", str(ROOT / "streamlit_app.py"), *flags]


@contextlib.contextmanager
def killed(server: Server) -> Iterator[None]:
    """The server is away meanwhile, then started again."""
    server.process.kill()
    server.__exit__()
    yield
    server.__enter__()


def in_memory(server: Server, traces: Mapping[str, bytes]) -> set[str]:
    """The names of those bytes that the server, or a process that it started, holds. Start it with `OVERWRITING`."""
    own = server.process.pid
    children = [
        child for thread in Path(f"/proc/{own}/task").glob("*/children") for child in thread.read_text().split()
    ]
    found: set[str] = set()
    for process in (own, *map(int, children)):
        for part in memory(process):
            found |= {name for name, trace in traces.items() if trace in part}
    return found


def memory(process: int) -> Iterator[bytes]:
    """All that a process can write to and that is no file's, one mapping after the other."""
    with Path(f"/proc/{process}/mem").open("rb") as file:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            span, access, _, _, _, *name = line.split(maxsplit=5)
            if access.startswith("rw") and not "".join(name).startswith("/"):
                start, end = (int(number, 16) for number in span.split("-"))
                file.seek(start)
                try:
                    yield file.read(end - start)
                except OSError:  # a mapping that nobody may read, or that is gone meanwhile
                    continue
