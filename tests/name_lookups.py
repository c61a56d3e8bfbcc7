"""A program in a network of its own, whose only name server writes down what it is asked.

    with_lookups([sys.executable, "main.py", ...], cwd=ROOT) -> (CompletedProcess, the names that were looked up)

Linux only: `unshare` makes the network, in which nothing but this machine's loopback exists. A library's own resolver
is seen as well as Python's, since all of them read /etc/resolv.conf.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ALONE = ["unshare", "--net", "--mount", *(["--user", "--map-root-user"] if os.getuid() else [])]
NO_SUCH_NAME = 3
SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP_RUNNING = 0x8914, 0x8916, 0x41


def possible() -> bool:
    """Whether this system makes such networks for this user."""
    with contextlib.suppress(OSError):
        return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0
    return False


def with_lookups(
    command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 290
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run `command` to its end; also every name it asked for, and every address outside that it wrote to."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked")
        words = [*ALONE, sys.executable, __file__, str(asked), *map(str, command)]
        run = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout)
        return run, asked.read_text().split() if asked.exists() else ["nothing was watched"]


def watch(asked: Path, command: Sequence[str]) -> int:
    """Inside: put up loopback, become the name server, run the command."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_RUNNING))
        # Where 127.0.0.1 is the only address, some libraries take the machine for offline and don't even ask.
        address = socket.inet_aton("10.77.77.77")
        fcntl.ioctl(any_socket, SIOCSIFADDR, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, address))
    for file, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        own = asked.with_name(Path(file).name)
        own.write_text(text)
        subprocess.run(["mount", "--bind", own, Path(file).resolve()], check=True)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    asked.touch()
    threading.Thread(target=answer, args=(server, asked), daemon=True).start()
    return subprocess.run(command).returncode


def answer(server: socket.socket, asked: Path) -> None:
    """Write every name down; there is no such name."""
    while True:
        query, client = server.recvfrom(4096)
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
            at += 1 + length
        with asked.open("a") as file:
            file.write(".".join(labels) + "\n")
        server.sendto(query[:2] + bytes([0x81, 0x80 | NO_SUCH_NAME]) + query[4:6] + bytes(6) + query[12:], client)


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1]), sys.argv[2:]))
