"""Names that are not UTF-8, as Korean zips of old Windows leave them (CP949), in everything that reads folders."""

import os
import re
import shutil
import subprocess
import sys
from urllib.parse import unquote_to_bytes

import pytest
from conftest import ROOT, flags
from PIL import Image

from tests.serving import make_checkpoint

CP949 = "가족".encode("cp949")


@pytest.fixture
def folder(tmp_path):
    """A folder with such a name, where the system allows it."""
    path = tmp_path / os.fsdecode(CP949)
    try:
        path.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    return path


def test_a_photo_is_translated_and_the_page_leads_to_its_files(cli, folder, tmp_path, portrait):
    Image.fromarray(portrait).save(folder / (os.fsdecode(CP949) + ".jpg"))
    (folder / (os.fsdecode(CP949) + "-2.jpg")).write_bytes(b"no photo")
    models, results = tmp_path / "models", tmp_path / "results"
    models.mkdir()
    make_checkpoint(models)
    run = subprocess.run(
        [sys.executable, "main.py", "--mode", "test", "--image_path", folder, "--result_dir", results,
         "--model_save_dir", models, "--test_iters", "best"], cwd=ROOT, capture_output=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert b"1 of 2 photos translated" in run.stdout and rb"\udcb0\udca1" in run.stdout
    page = (results / "results.html").read_text(encoding="utf-8")
    addresses = re.findall(r'(?:src|href)="([^"#:]+\.jpg)"', page)
    assert len(addresses) >= 6
    for address in addresses:
        assert os.path.exists(os.fsencode(results) + b"/" + unquote_to_bytes(address))  # noqa: PTH110 - bytes


def test_faces_are_cut_and_a_training_reads_them(main_here, folder, tmp_path, drawn):
    """Preprocessing again finds everything done; the cache of decoded faces names what it holds."""
    import datapreprocess

    for emotion in ("happy", "sadness"):
        (folder / emotion).mkdir()
        for i, path in enumerate(sorted((drawn / emotion).iterdir())[:3]):
            shutil.copy(path, folder / emotion / f"{os.fsdecode(CP949)}{i}.jpg")
    words = ["--input", str(folder), "--output", str(tmp_path / "faces"), "--val_fraction", "0", "--num_workers", "1"]
    assert [datapreprocess.main(words) for _ in range(2)] == [0, 0]
    faces = tmp_path / "faces"
    kept = [path for path in faces.rglob("*.jpg") if "report" not in path.name]
    assert len(kept) >= 6
    changes = {"image_dir": folder, "c_dim": 2, "cache": tmp_path / "cache", "num_iters": 2}
    for i in (0, 2):
        run = main_here(*flags(tmp_path, **changes | {"num_iters": 2 + i}, resume_iters="latest"))
        assert run.returncode == 0, run.stderr


def test_korean_folders_and_tables_of_old_windows_are_understood(folder, tmp_path, drawn, capsys):
    """기쁨 in CP949 was "no emotion in its path", and a table in CP949 named none of the files. No name serves two."""
    import datapreprocess

    faces = sorted((drawn / "happy").iterdir())
    happy = folder / os.fsdecode("기쁨".encode("cp949"))
    happy.mkdir()
    for path, name in zip(faces, (CP949 + b".jpg", "가족.jpg".encode(), b"\xff.jpg"), strict=False):
        shutil.copy(path, happy / os.fsdecode(name))
    words = ["--input", str(folder), "--num_workers", "0", "--min_face", "20", "--output"]
    assert datapreprocess.main([*words, str(tmp_path / "faces")]) == 0
    assert "kept 3 faces (happy 3)" in capsys.readouterr().out
    assert len(list((tmp_path / "faces/happy").iterdir())) == 3
    (happy / "가족.jpg").unlink()
    (tmp_path / "labels.csv").write_bytes("file,emotion\n가족.jpg,놀람\n".encode("cp949"))
    assert datapreprocess.main([*words, str(tmp_path / "named"), "--labels", str(tmp_path / "labels.csv")]) == 0
    assert "kept 1 faces (surprised 1)" in capsys.readouterr().out
