"""The files of a data set as it was downloaded: in folders of any depth and in zips, which are read in place."""

from __future__ import annotations

import functools
import io
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from imaging.image_folder import CLUTTER_FOLDERS
from imaging.photo import UnreadablePhoto

# Files that operating systems and git leave behind, no part of any data set.
CLUTTER = frozenset((".gitkeep", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", *CLUTTER_FOLDERS))

MAX_MEMBER_BYTES = 256 << 20  # a zip may claim that one photo unpacks to the size of the disk
ZIP_UTF8_FLAG = 0x800
OPEN_ZIPS = 2  # a zip's directory of 70,000 names takes 40 MB in each worker


@dataclass(frozen=True)
class Source:
    """One file: `name` is its path below the input folder, zips counted as folders, in plain Unicode."""

    name: str
    path: str
    member: str | None = None  # its name inside the zip at `path`, as zipfile spells it
    problem: str = ""  # why it cannot be read, where the folder listing already shows it
    checksum: int = 0  # a zip member's
    unpacked: int = 0  # a zip member's length

    @property
    def folders(self) -> list[str]:
        """The folders and zips it lies in, outermost first, normalised."""
        return unicodedata.normalize("NFC", self.name).split("/")[:-1]

    @property
    def file_name(self) -> str:
        """Its own name, normalised."""
        return unicodedata.normalize("NFC", self.name).rsplit("/", 1)[-1]

    @property
    def version(self) -> int:
        """A number that is another one when the file's content is another: its size, or a zip member's checksum."""
        return self.checksum if self.member is not None or self.problem else self.length

    @property
    def length(self) -> int:
        """Its bytes, as its folder or zip says; -1 of a file that is gone."""
        if self.member is not None:
            return self.unpacked
        try:
            return os.path.getsize(self.path)  # noqa: PTH202 - a string path, as everywhere in this file
        except OSError:  # gone since the folder was listed; opening it will say so
            return -1

    def open(self) -> str | BinaryIO:
        """Something `photo.Photo` reads: the path, or a zip member's bytes. Raises `UnreadablePhoto`."""
        if self.problem:
            raise UnreadablePhoto(self.problem)
        return self.path if self.member is None else io.BytesIO(self.read())

    def read(self) -> bytes:
        """All its bytes. Raises `UnreadablePhoto`."""
        try:
            if self.member is None:
                with open(self.path, "rb") as file:  # noqa: PTH123 - a string path, as everywhere in this file
                    return file.read()
            with _zip(self.path).open(self.member) as file:
                data = file.read(MAX_MEMBER_BYTES + 1)
        except RuntimeError as error:  # zipfile's word for an encrypted member
            raise UnreadablePhoto("encrypted in its zip") from error
        except OSError as error:
            raise UnreadablePhoto(f"cannot be opened ({error.strerror or error})") from error
        # A damaged member breaks its decompressor in as many ways as there are decompressors.
        except Exception as error:
            raise UnreadablePhoto("damaged in its zip") from error
        if len(data) > MAX_MEMBER_BYTES:
            raise UnreadablePhoto(f"absurdly large (unpacks to more than {MAX_MEMBER_BYTES >> 20} MiB)")
        return data


def walk(root: str) -> Iterator[Source]:
    """Every file below `root`, in no particular order, one at a time whatever their number."""
    yield from _walk_folder(root, "", ())


def _walk_folder(folder: str, prefix: str, above: tuple[str, ...]) -> Iterator[Source]:
    real = os.path.realpath(folder)
    if real in above:
        yield Source(prefix.rstrip("/"), folder, problem="a link to a folder it lies in")
        return
    try:
        entries = os.scandir(folder)
    except OSError as error:
        yield Source(prefix.rstrip("/"), folder, problem=f"cannot be opened ({error.strerror})")
        return
    with entries:
        for entry in entries:
            name = prefix + _plain(entry.name, folder)
            if entry.name in CLUTTER:
                continue
            if entry.is_dir():
                yield from _walk_folder(entry.path, name + "/", (*above, real))
            elif not entry.is_file():  # opening a named pipe would wait for ever
                problem = "a link that leads nowhere" if entry.is_symlink() else "not a regular file"
                yield Source(name, entry.path, problem=problem)
            elif entry.name.lower().endswith(".zip"):
                yield from _walk_zip(entry.path, name)
            else:
                yield Source(name, entry.path)


def _walk_zip(path: str, name: str) -> Iterator[Source]:
    try:
        members = _zip(path).infolist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        yield Source(name, path, problem="a damaged zip")
        return
    for member in members:
        inner = _member_name(member)
        parts = inner.split("/")
        if not member.is_dir() and not CLUTTER.intersection(parts):
            yield Source(f"{name}/{inner}", path, member.filename, checksum=member.CRC, unpacked=member.file_size)


@functools.lru_cache(maxsize=OPEN_ZIPS)
def _zip(path: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _member_name(member: zipfile.ZipInfo) -> str:
    """A member's name. Old Windows tools write Korean as CP949, unmarked, which zipfile reads as CP437."""
    if member.flag_bits & ZIP_UTF8_FLAG:
        return member.filename
    raw = member.filename.encode("cp437")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="backslashreplace")


def _plain(name: str, folder: str) -> str:
    """A name in a folder as text that any file can hold.

    Bytes that are no UTF-8 are Korean where they can be (CP949: an old zip, unpacked elsewhere), and `\\xNN` where they
    can't, or where another file has that name.
    """
    raw = os.fsencode(name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    korean = raw.decode("cp949", errors="backslashreplace")
    if os.path.lexists(os.path.join(folder, korean)):  # noqa: PTH118 - string paths, as everywhere in this file
        return raw.decode("utf-8", errors="backslashreplace")
    return korean
