"""docs/house.md is the way in for a newcomer: it lists every package and every root file, and none that is gone.

Who may import whom is checked by `tach check` (make lint), whose list must know them all too; in JavaScript, here.
What is imported from outside must be in the requirements.
"""

import ast
import graphlib
import re
import sys
from collections import Counter

import pytest
from conftest import ROOT

PACKAGES = {
    path.parent.relative_to(ROOT).as_posix(): path.parent
    for top in ROOT.iterdir()
    for path in top.rglob("__init__.py")
    if not top.name.startswith(".")
}
FILES = {path.name for path in ROOT.glob("*.py")}


def table_rows(start):
    """Those rows of the page's tables that begin with a name like this."""
    text = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    return re.findall(rf"^\| (`{start}.*) \|$", text, re.MULTILINE)


def test_the_page_lists_every_package_and_root_file_and_no_other():
    rows = [row.split(" | ") for row in table_rows(r"[\w/]+/`")]
    assert {name.strip("`/") for name, *_ in rows} == set(PACKAGES)
    assert {
        name for row in table_rows(r"\w+\.py`") for name in re.findall(r"`(\w+\.py)`", row.split(" | ")[0])
    } == FILES


def test_the_layers_know_every_package_and_root_file():
    layers = re.findall(
        r'^ +\{ path = "([\w.]+)", layer', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(layers) == sorted([package.replace("/", ".") for package in PACKAGES] + [name[:-3] for name in FILES])


def test_no_script_of_the_page_imports_itself_round_about():
    """Nor of the desk's mirror, which is served beside them."""
    scripts = [*ROOT.glob("apps/page/web/*.js"), *ROOT.glob("apps/desk/mirror/*.js")]
    imports = {
        path.name: re.findall(r"""(?:\bfrom|\bimport\(?)\s*["'`]\./(\w+\.js)""", path.read_text(encoding="utf-8"))
        for path in scripts
    }
    assert {name for names in imports.values() for name in names} <= set(imports)
    assert len(imports["app.js"]) > 10, "imports are found"
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError with the files of a circle


# Where a package's name is not that of the module; opencv-contrib-python has a reason of its own in its file.
DISTRIBUTIONS = {"PIL": "Pillow", "cv2": "opencv-contrib-python"}


def requirements(file):
    """The packages that a file of requirements lists itself, and those of the files it includes."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    own = [re.split(r"[<>=~! #]", line)[0] for line in lines if line and line[0] not in "#-"]
    included = [requirements(line.split()[1]) for line in lines if line.startswith("-r ")]
    return own, own + [name for _, names in included for name in names]


def imported(folders):
    """The modules of other packages that the Python files there import, by the file that does."""
    found = {}
    for path in (path for folder in folders for path in folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                found |= {name.split(".")[0]: path.name for name in names}
    own = {path.stem for folder in (ROOT, *folders) for path in folder.iterdir()}
    return {name: file for name, file in found.items() if name not in own | sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("folders", "file"),
    [
        ([ROOT, *PACKAGES.values()], "requirements.txt"),
        ([ROOT / name for name in ("tests", "benchmarks", "docs")], "requirements-dev.txt"),
    ],
)
def test_every_import_is_declared(folders, file):
    declared = {name.lower().replace("-", "_") for name in requirements(file)[1]}
    names = {name: DISTRIBUTIONS.get(name, name).lower().replace("-", "_") for name in imported(folders)}
    assert {name for name, package in names.items() if package not in declared} == set()


def test_every_requirement_is_declared_once():
    names = Counter(name.lower() for file in ROOT.glob("requirements*.txt") for name in requirements(file.name)[0])
    assert [name for name, times in names.items() if times > 1] == []
