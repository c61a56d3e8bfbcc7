"""The documents say what is true: flags, files, links and versions, checked against the programs and the tree."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT

from common.version import VERSION
from docs import check, make_flags


def test_the_page_of_flags_is_what_the_parsers_say():
    told = "run `python docs/make_flags.py`"
    assert make_flags.PAGE.read_text(encoding="utf-8") == make_flags.page(), told


@pytest.mark.parametrize("document", check.documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_is_understood_and_every_link_leads_somewhere(document):
    assert not list(check.faults_of(document))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```\npython main.py --image_dri data/train512\n```", "did you mean --image_dir?"),
        ("```\npython main.py --batch_size \\\n    none\n```", "is not a whole number above 0"),
        ("Run `python main.py --mode paint` first.", "invalid choice: 'paint'"),
        ("`--lambda_recc` helps.", "no program has a flag --lambda_recc"),
        ("```\npython no_such.py\n```", "there is no no_such.py"),
        ("```\nmake tset\n```", "the Makefile has no tset"),
        ("```\nstreamlit run streamlit_run.py\n```", "there is no streamlit_run.py"),
        ("```\ntorchrun --nproc_per_node=8 main.py --no_such 1\n```", "there is no flag --no_such"),
        ("[more](no/such.md)", "there is no no/such.md"),
        ("[more](README.md#no-such-heading)", "has no heading #no-such-heading"),
    ],
)
def test_what_is_wrong_in_a_document_is_found(tmp_path, text, fault):
    document = tmp_path / "page.md"
    (tmp_path / "README.md").write_text("# A heading\n")
    document.write_text(text)
    faults = list(check.faults_of(document))
    assert len(faults) == 1, faults
    assert fault in "".join(faults)


def test_what_is_right_is_left_alone(tmp_path):
    (tmp_path / "other.md").write_text("# One, two & `three`\n\n# 한국어 제목\n\n# Again\n\n# Again\n")
    document = tmp_path / "page.md"
    document.write_text(
        "[a](other.md#one-two--three) [b](other.md#한국어-제목) [c](other.md#again-1) [d](https://example.org/x)\n"
        "<!-- [later](no/such.md) -->\n`[no](link)`\n"
        "```\n$ NAME=1 .venv/bin/python main.py --mode test … | tee out.txt  # a remark\n```\n"
        "```python\nno_command()\n```\n"
    )
    assert not list(check.faults_of(document))


def test_the_checker_ends_with_1_where_a_flag_is_wrong(tmp_path):
    (tmp_path / "page.md").write_text("```\npython main.py --no_such\n```\n")
    command = [sys.executable, "docs/check.py", str(tmp_path / "page.md")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert run.returncode == 1
    assert "--no_such" in run.stdout


def test_the_notice_names_every_picture_font_and_weights():
    notice = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
    assert not list(check.without_licence(notice))
    less = re.sub(r"^.*(Noto Sans|SFHQ).*$", "", notice, flags=re.MULTILINE)
    unnamed = "\n".join(check.without_licence(less))
    for place in ("apps/desk/fonts/NotoSansKR", "data/demo_people/held_out", "data/test/photolike", "docs/people.jpg"):
        assert place in unnamed
    assert "pretrained" not in unnamed


def test_one_version_everywhere():
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changelog, re.MULTILINE)[0] == VERSION


def test_the_pictures_are_small():
    pictures = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".jpg", ".png")]
    assert sum(path.stat().st_size for path in pictures) < 2_000_000
    assert all(path.stat().st_size < 120_000 for path in (ROOT / "docs" / "pictures").iterdir())


def test_make_quick_names_tests_that_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    names = re.search(r"^QUICK := (.*)$", makefile, re.MULTILINE)[1].split()
    assert len(names) > 5
    assert all((ROOT / "tests" / f"{name}.py").is_file() for name in names)


TRAINING_ONLY = ("tensorboard", "pytorch_fid", "onnxscript", "matplotlib")


@pytest.mark.slow
def test_the_apps_and_test_mode_run_without_what_only_training_needs():
    """requirements-apps.txt is enough to load them."""
    code = f"import sys\nfor name in {TRAINING_ONLY}: sys.modules[name] = None\n" + (
        "import backend, streamlit_app, translation.photo_folder, apps.desk.studio, apps.desk.children_page"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=200)
