"""Requests made to break the backend: bombs, polyglots, truncated files, huge JSON, wrong types."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image
from serving import jpeg

from imaging.drawing.picture import draw_face


def png(width: int, height: int, rows: int) -> bytes:
    """A PNG that says it is width x height, of black rows that compress a thousandfold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pack = zlib.compressobj(9)
    data = b"".join(pack.compress(bytes(width + 1)) for _ in range(rows)) + pack.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def scan_bomb() -> bytes:
    """A progressive JPEG of 48 megapixels whose last, empty scan stands there hundreds of times."""
    file = io.BytesIO()
    Image.new("L", (8000, 6000), 99).save(file, "JPEG", progressive=True, quality=5)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 400 + b"\xff\xd9"


def bombs() -> list[bytes]:
    """Files that are small to send and costly to read."""
    files = [png(60000, 60000, 500), png(7000, 7000, 7000), png(50000, 999, 999), scan_bomb()]
    for format, size in (("WEBP", (4000, 4000)), ("TIFF", (4000, 4000)), ("GIF", (4000, 4000)), ("AVIF", (3000, 3000))):
        file = io.BytesIO()
        Image.new("RGB", size, "navy").save(file, format)
        files.append(file.getvalue())
    return files


def damaged(rng: random.Random, files: list[bytes]) -> bytes:
    """A photo cut short, with bytes changed, or glued to something else."""
    file = bytearray(rng.choice(files))
    for _ in range(rng.choice((0, 1, 5, 50))):
        file[rng.randrange(len(file))] = rng.randrange(256)
    cut = rng.choice((len(file), rng.randrange(len(file))))
    before = rng.choice(
        (b"", b"", b"%PDF-1.7\n", b"PK\x03\x04", b"<html><script>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
    )
    return before + bytes(file[:cut]) + rng.choice((b"", b"", b"PK\x05\x06" + bytes(18), b"<?php ?>"))


def hostile_bodies(count: int) -> Iterator[tuple[str, str]]:
    """`count` requests (path, body), each another attempt."""
    rng = random.Random(0)
    face = draw_face(2, "neutral", size=256)
    photos = [jpeg(face)]
    for format in ("PNG", "WEBP", "AVIF", "TIFF", "GIF"):
        file = io.BytesIO()
        Image.fromarray(face).save(file, format)
        photos.append(file.getvalue())
    costly = bombs()
    values = [None, 0, -1, 1e308, True, "", "A", "é", "\ud800", [], {}, [[]], "../../etc/passwd", "file:///etc/passwd"]
    for i in range(count):
        path = rng.choice(("/generate", "/submit"))
        kind = i % 5
        if kind == 0:  # wrong types and places
            value = rng.choice(values)
            yield path, json.dumps(rng.choice([value, {"image": value}, {"images": value}, {"images": [value] * 6}]))
        elif kind == 1:  # JSON that is not whole, too deep or too wide
            size = rng.choice((10, 1000, 1_000_000, 4_000_000))
            yield (
                path,
                rng.choice(["[" * size, "[" + "[]," * size, '{"a":' * size, '"' * size, "1" * size, "\0" * size]),
            )
        else:
            file = rng.choice(costly) if i % 25 == 2 else damaged(rng, photos)
            text = base64.b64encode(file).decode()
            first = base64.b64encode(photos[0]).decode()
            yield path, json.dumps({"image": text} if path == "/generate" else {"images": [first, *[text] * 5]})
