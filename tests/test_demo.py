"""The demo's command: it deletes nothing that it was not told to."""

from conftest import ROOT


def test_help_and_a_wrong_flag_run_nothing(cli, tmp_path):
    run = cli("-X", "importtime", "demo.py", "--help")
    assert run.returncode == 0
    assert "--overwrite" in run.stdout
    assert not {"torch", "cv2", "numpy", "PIL"} & {line.split("|")[-1].strip() for line in run.stderr.splitlines()}
    run = cli("demo.py", "--overwritten")
    assert run.returncode == 2
    assert "unrecognized arguments" in run.stderr


def test_an_earlier_demo_is_kept_unless_it_may_be_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT)
    import demo

    monkeypatch.chdir(tmp_path)
    kept = tmp_path / demo.DEMO / "demo.png"
    kept.parent.mkdir(parents=True)
    kept.touch()
    ran = []
    monkeypatch.setattr(demo, "run", ran.append)
    assert demo.main([]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert kept.exists() and not ran

    def stop(command):
        raise demo.UserError("begun")

    monkeypatch.setattr(demo, "run", stop)
    assert demo.main(["--overwrite"]) == 2
    assert "begun" in capsys.readouterr().err
    assert not kept.exists()
