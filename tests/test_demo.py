"""The demos: they delete nothing that they were not told to, and say so where the faces do not show their emotions."""

import importlib
import shutil

import pytest
from conftest import ROOT
from PIL import Image

from common.emotions import FIVE
from common.errors import RunStopped

PEOPLE = ROOT / "data" / "demo_people"


def test_help_and_a_wrong_flag_run_nothing(cli):
    run = cli("-X", "importtime", "demo.py", "--help")
    assert run.returncode == 0
    assert "--overwrite" in run.stdout and "--drawn" in run.stdout
    assert not {"torch", "cv2", "numpy", "PIL"} & {line.split("|")[-1].strip() for line in run.stderr.splitlines()}
    run = cli("demo.py", "--overwritten")
    assert run.returncode == 2
    assert "unrecognized arguments" in run.stderr


@pytest.mark.parametrize(("flags", "which"), [([], "people"), (["--drawn"], "drawn")])
def test_an_earlier_demo_is_kept_unless_it_may_be_overwritten(tmp_path, monkeypatch, capsys, flags, which):
    monkeypatch.syspath_prepend(ROOT)
    import demo

    folders = {"people": tmp_path / demo.PEOPLE, "drawn": tmp_path / demo.DRAWN}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "demo.png").touch()
    ran = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module(f"demos.{which}"), "play", lambda: ran.append(which))
    assert demo.main(flags) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert not ran and all((folder / "demo.png").exists() for folder in folders.values())
    assert demo.main([*flags, "--overwrite"]) == 0
    assert ran == [which]
    assert [name for name, folder in folders.items() if not folder.exists()] == [which]


def test_the_people_are_small_attributed_and_held_out_ones_are_not_trained_on():
    train = {emotion: list((PEOPLE / "train" / emotion).glob("*.jpg")) for emotion in FIVE}
    held_out = list((PEOPLE / "held_out").glob("*.jpg"))
    names = [path.name for paths in train.values() for path in paths] + [path.name for path in held_out]
    assert len(names) == len(set(names)) == 66 and len(held_out) == 8
    assert min(map(len, train.values())) >= 6
    assert sum(path.stat().st_size for path in PEOPLE.rglob("*") if path.is_file()) < 2_500_000
    for document in (PEOPLE / "README.md", ROOT / "NOTICE.md"):
        assert "data/demo_people" in document.read_text() or document.parent == PEOPLE
        assert "David Beniaguev" in document.read_text()


@pytest.fixture
def two_people(tmp_path, monkeypatch):
    """The demo in a folder of its own that looks like the project, with two people to translate."""
    for path in ROOT.iterdir():
        if path.name not in ("data", ".git"):
            (tmp_path / path.name).symlink_to(path)
    held_out = tmp_path / "data" / "demo_people" / "held_out"
    held_out.mkdir(parents=True)
    (tmp_path / "data" / "demo_people" / "train").symlink_to(PEOPLE / "train")
    for photo in sorted((PEOPLE / "held_out").glob("*.jpg"))[:2]:
        shutil.copy(photo, held_out)
    monkeypatch.chdir(tmp_path)
    return held_out


def played(monkeypatch, result_of):
    """Plays the people's demo; its commands are only read, and `result_of(photo, emotion)` is what test mode "made"."""
    import datapreprocess
    import main
    from demos import people

    def read(line):
        program, *words = line.split()
        given = {"main.py": main, "datapreprocess.py": datapreprocess}[program].build_parser().parse_args(words)
        if getattr(given, "mode", "") == "test":
            for photo in people.HELD_OUT.glob("*.jpg"):
                for emotion in FIVE:
                    (given.result_dir / photo.stem).mkdir(parents=True, exist_ok=True)
                    shutil.copy(result_of(photo, emotion), given.result_dir / photo.stem / f"{emotion}.jpg")

    monkeypatch.setattr(people, "run", read)
    people.play()


def test_what_shows_the_emotions_is_put_on_a_sheet(two_people, monkeypatch, capsys):
    played(monkeypatch, lambda photo, emotion: sorted((PEOPLE / "train" / emotion).glob("*.jpg"))[1])
    assert "angry 2, fearful 2, happy 2, sadness 2, surprised 2" in capsys.readouterr().out
    with Image.open("data/demo/demo.png") as sheet:
        assert sheet.width > 6 * 200 and sheet.height > 2 * 200


def test_faces_that_stay_calm_are_a_failure(two_people, monkeypatch):
    with pytest.raises(RunStopped, match="fewer than half"):
        played(monkeypatch, lambda photo, emotion: photo)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_with_two_iterations(two_people, monkeypatch, capfd):
    """Every command for real; after so little training the faces are those of the shipped generator."""
    import demo
    from demos import people

    monkeypatch.setattr(people, "FINE_TUNING", people.FINE_TUNING.replace("--num_iters 100", "--num_iters 2"))
    assert demo.main([]) == 0
    assert "data/demo/results/results.html" in capfd.readouterr().out
    made = two_people.parents[1] / "demo"
    assert (made / "models" / "best-G.ckpt").exists() and (made / "results" / "results.html").exists()
    with Image.open(made / "demo.png") as sheet:
        assert sheet.height > 2 * 200
