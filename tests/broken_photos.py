"""A folder of photos as they really arrive: good ones in odd forms, and files that are no use, with the reason."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from imaging.drawing.picture import draw_face


def write_odd_but_good(folder: Path) -> list[str]:
    """Write photos of a face that must all be kept, no two the same bytes; return their names below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(draw_face(1, "happy", size=256))
    grey = face.convert("L")
    turned = Image.Exif()
    turned[0x0112] = 6
    files: dict[str, bytes] = {
        "plain.jpg": saved(face, "JPEG"),
        "SHOUTED.JPG": saved(face, "JPEG", quality=90),
        "no_suffix": saved(face, "JPEG", quality=91),
        "wrong_suffix.png": saved(face, "JPEG", quality=92),
        "on_its_side.jpg": saved(face.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=turned.tobytes()),
        "bad_exif.jpg": saved(face, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(9)),
        "progressive.jpg": saved(face, "JPEG", progressive=True),
        "garbage_after_it.jpg": saved(face, "JPEG") + bytes(range(256)),
        "grey.jpg": saved(grey, "JPEG"),
        "cmyk.jpg": saved(face.convert("CMYK"), "JPEG"),
        "palette.png": saved(face.convert("P"), "PNG"),
        "see_through.png": saved(face.convert("RGBA"), "PNG"),
        "grey_alpha.png": saved(face.convert("LA"), "PNG"),
        "sixteen_bits.png": saved(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "PNG"),
        "sixteen_bits.tif": saved(Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "TIFF"),
        "float.tif": saved(Image.fromarray(np.asarray(grey).astype(np.float32) / 255), "TIFF"),
        "a.webp": saved(face, "WEBP"),
        "moving.gif": saved(face, "GIF", save_all=True, append_images=[face.rotate(9)]),
        "a.bmp": saved(face, "BMP"),
        "a.jp2": saved(face, "JPEG2000"),
        'spaces, "quotes" & 기쁨 😀\n.jpg': saved(face, "JPEG", quality=93),
        "long" * 60 + ".jpg": saved(face, "JPEG", quality=94),
        "deep/er/down.jpg": saved(face, "JPEG", quality=95),
        os.fsdecode(b"no\xfftext.jpg"): saved(face, "JPEG", quality=96),
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    elsewhere = folder.parent.parent / "linked.jpg"
    elsewhere.write_bytes(saved(face, "JPEG", quality=97))
    (folder / "a_link.jpg").symlink_to(elsewhere)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("in/a/zip.jpg", saved(face, "JPEG", quality=98))
    return [*files, "a_link.jpg", "packed.zip/in/a/zip.jpg"]


def write_useless(folder: Path) -> dict[str, str]:
    """Write files of which none can be kept; return the beginning of the reason for each name below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(draw_face(1, "happy", size=256))
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8))
    files: dict[str, tuple[bytes, str]] = {
        "empty.jpg": (b"", "empty file"),
        "text.jpg": (b"this is no photo " * 9, "not a photo"),
        "page.jpg": (b"<!doctype html><title>404 Not Found</title>", "not a photo"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a photo"),
        "paper.pdf": (b"%PDF-1.7\n%\xe2\xe3", "not a photo"),
        "film.mp4": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(99), "not a photo"),
        "print.eps": (saved(face, "EPS"), "not a photo"),
        "notes.json": (b'{"made by": "somebody"}', "not a photo"),
        "random.jpg": (np.random.default_rng(1).bytes(5000), "not a photo"),
        "zeros.jpg": (bytes(5000), "not a photo"),
        "cut.jpg": (saved(face, "JPEG")[:3000], "truncated"),
        "nearly_whole.jpg": (saved(noise, "JPEG")[:-500], "truncated"),
        "head_only.jpg": (saved(face, "JPEG")[:200], "truncated"),
        "cut.png": (saved(face, "PNG")[:3000], "truncated"),
        "cut.gif": (saved(face, "GIF")[:3000], "truncated"),
        "cut.tif": (saved(face, "TIFF")[:3000], "truncated"),
        "cut.webp": (saved(face, "WEBP")[:3000], "damaged"),
        "cut.bmp": (saved(face, "BMP")[:3000], "truncated"),
        "bad_checksum.png": (saved(face, "PNG").replace(b"IDAT", b"IDAX", 1), ""),
        "bomb.png": (png_that_claims(60_000, 60_000), "absurdly large"),
        "big_bomb.png": (png_that_claims(10_000, 10_000), "absurdly large"),
        "damaged.zip": (b"PK\3\4 no zip", "a damaged zip"),
        "stamp.jpg": (saved(face.resize((20, 20)), "JPEG"), "photo smaller than --min_face"),
        "thread.png": (saved(Image.new("RGB", (20_000, 1)), "PNG"), "photo smaller than --min_face"),
        "black.jpg": (saved(Image.new("RGB", (300, 300)), "JPEG"), "no face found"),
        "noise.jpg": (saved(noise, "JPEG"), "no face found"),
        "far_away.jpg": (saved(far_away(face), "JPEG"), "face smaller than --min_face"),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "lost.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "loop").symlink_to(folder)
    return {name: reason for name, (_, reason) in files.items()} | {
        "pipe.jpg": "not a regular file",
        "lost.jpg": "a link that leads nowhere",
        "loop": "a link to a folder it lies in",
    }


def saved(image: Image.Image, format: str, **options) -> bytes:
    """The image as a file's bytes."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def far_away(face: Image.Image) -> Image.Image:
    """The face 100 pixels wide on a photo of 400: its box is about 40."""
    photo = Image.new("RGB", (400, 400), (120, 130, 140))
    photo.paste(face.resize((100, 100)), (150, 150))
    return photo


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises `width` x `height` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    def number(value: int) -> bytes:
        return value.to_bytes(4, "big")

    header = number(width) + number(height) + bytes((8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    )
