"""Every file of a data set is listed, whatever lies about in it, and zips are read in place."""

from __future__ import annotations

import os
import unicodedata
import zipfile

import pytest

from imaging.photo import UnreadablePhoto
from preprocessing import input_files


def listed(root) -> dict[str, input_files.Source]:
    return {source.name: source for source in input_files.walk(str(root))}


def test_nested_folders_and_clutter(tmp_path):
    for name in ("happy/a.jpg", "happy/more/b.jpg", ".gitkeep", "happy/.DS_Store", "__MACOSX/happy/._a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert sorted(listed(tmp_path)) == ["happy/a.jpg", "happy/more/b.jpg"]


def test_what_is_no_file_is_listed_with_its_problem(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "bad.zip").write_bytes(b"PK\3\4 no zip")
    assert {name: source.problem for name, source in listed(tmp_path).items()} == {
        "pipe.jpg": "not a regular file",
        "lost.jpg": "a link that leads nowhere",
        "loop": "a link to a folder it lies in",
        "bad.zip": "a damaged zip",
    }


def test_linked_folders_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.jpg").write_bytes(b"x")
    (tmp_path / "train").mkdir()
    (tmp_path / "train/happy").symlink_to(tmp_path / "elsewhere")
    assert list(listed(tmp_path / "train")) == ["happy/a.jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_korean_names_in_zips_without_the_utf8_mark(tmp_path, encoding):
    """As old Windows archivers write them: the name's bytes, and no word about their encoding."""
    with zipfile.ZipFile(tmp_path / "기쁨.zip", "w") as archive:
        archive.writestr("XXXXXXXX.jpg", b"pixels")
    name = "기쁨".encode(encoding)
    data = (tmp_path / "기쁨.zip").read_bytes()
    (tmp_path / "기쁨.zip").write_bytes(data.replace(b"XXXXXXXX", name.ljust(8, b"_")))
    (source,) = listed(tmp_path).values()
    assert source.name == "기쁨.zip/" + name.ljust(8, b"_").decode(encoding) + ".jpg"
    assert source.read() == b"pixels"


def test_encrypted_and_damaged_members_say_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("photo.jpg", b"pixels" * 100)
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "damaged.zip").write_bytes(data.replace(b"pixels", b"pixel?", 1))
    locked = bytearray(data)
    locked[6] |= 1  # the flag "encrypted" of the member, then of its entry in the directory
    locked[data.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    found = listed(tmp_path)
    assert found["a.zip/photo.jpg"].read() == b"pixels" * 100
    for name, reason in (("damaged.zip/photo.jpg", "damaged"), ("locked.zip/photo.jpg", "encrypted")):
        with pytest.raises(UnreadablePhoto, match=reason):
            found[name].read()


def test_a_zip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "MAX_MEMBER_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", bytes(10_000))
    with pytest.raises(UnreadablePhoto, match="absurdly large"):
        listed(tmp_path)["a.zip/photo.jpg"].read()


def test_names_in_any_bytes(tmp_path):
    """A decomposed Korean name keeps its own form in `name`; bytes that are no text become text."""
    decomposed = unicodedata.normalize("NFD", "기쁨.jpg")
    (tmp_path / decomposed).write_bytes(b"x")
    (tmp_path / os.fsdecode(b"\xff\xfe.jpg")).write_bytes(b"y")
    found = listed(tmp_path)
    assert found[decomposed].file_name == "기쁨.jpg"
    assert found["\\xff\\xfe.jpg"].read() == b"y"
