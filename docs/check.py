"""Are the documents' commands and links right? `make docs-check`, or `python docs/check.py [--run] [DOCUMENT...]`.

Every command of this project, in a block of code or in a line, is read as the program itself would read it, with the
files that it names. Every relative link must lead to a file, every anchor to a heading, and NOTICE.md must name each
picture, font and weights of the project. With `--run` those that work on data are carried out too, in a folder of their
own, on drawn faces, with networks that train in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import functools
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {".venv", ".git", ".pytest_cache", "data", "vendor", "node_modules"}

# The programs that have flags, as modules.
PROGRAMS = ("main", "datapreprocess", "emotion_recognition", "demo", "imaging.draw_faces", "research.make_pairs")
# Flags in running text that belong to programs of others.
OTHERS_FLAGS = (
    "--help --version --host --port --limit-concurrency --ssl-certfile --ssl-keyfile --nproc_per_node --nnodes"
    " --max_restarts --server.address --server.port --server.sslCertFile --server.sslKeyFile --time --requeue --logdir"
    " --loop --run"
)
OURS = re.compile(r"(docs|pretrained|tests|benchmarks|apps|imaging)/[\w./-]+$|[\w-]+\.(py|txt|toml)$")
STARTS = re.compile(r"(\.venv/bin/\w+|python|make|torchrun|uvicorn|streamlit|pytest|pip|tensorboard)( |$)")

Command = tuple[int, list[str]]  # line and words


class Wrong(Exception):
    """What is wrong with a command or a link, in a few words."""


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    return sorted(path for path in ROOT.rglob("*.md") if not ELSEWHERE & set(path.relative_to(ROOT).parts))


def lines_of(document: Path) -> Iterator[tuple[int, str, str | None]]:
    """Number and text of each line without HTML comments, and the language of the block of code it lies in."""
    text = document.read_text(encoding="utf-8")
    text = re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    language: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if mark := re.match(r"\s*```(\w*)", line):
            language = mark[1] if language is None else None
        else:
            yield number, line, language


# --- Commands -------------------------------------------------------------------------------------------------


def commands_of(document: Path) -> Iterator[Command]:
    """Those in blocks of code without a language or of a shell, and those in running text."""
    pending = ""
    for number, line, language in lines_of(document):
        if language is None:
            for span in re.findall(r"`([^`]+)`", line):
                if STARTS.match(span):
                    yield from split(number, span)
        elif language in ("", "bash", "sh", "console") and not line.startswith("#!"):
            pending += line.rstrip().removesuffix("\\") + " "
            if not line.rstrip().endswith("\\"):
                yield from split(number, pending.strip().removeprefix("$ "))
                pending = ""


def split(number: int, text: str) -> Iterator[Command]:
    """The single commands of a line of shell, without variables, redirections and comments."""
    text = re.sub(r"\d*>+&? *\S+", "", re.sub(r"\$\([^)]*\)|<\w+>", "VALUE", text))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    part: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|;&<>"):
            while part and re.match(r"\w+=", part[0]):
                part = part[1:]
            if part:
                yield number, [word for word in part if word not in ("...", "…")]
            part = []
        else:
            part.append(word)


def check(words: Sequence[str]) -> None:
    """Raises `Wrong` where the program would refuse the command, or a file of the project is missing."""
    program, *arguments = words
    program = program.removeprefix(".venv/bin/")
    for word in arguments:
        name = word.split("::")[0]
        if program not in ("tee", "tensorboard") and OURS.match(name) and not (ROOT / name).exists():
            raise Wrong(f"there is no {name}")
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        for word in arguments:
            if "=" not in word and word not in targets:
                raise Wrong(f"the Makefile has no {word}")
    elif re.fullmatch(r"python[\d.]*|torchrun|srun", program):
        script = next((i for i, word in enumerate(arguments) if word.endswith(".py") or word == "-m"), len(arguments))
        check_python(arguments[script:])


def check_python(arguments: Sequence[str]) -> None:
    """A script or module with arguments that its parser takes."""
    if not arguments:
        return
    module = arguments[1] if arguments[0] == "-m" else arguments[0].removesuffix(".py").replace("/", ".")
    if module not in PROGRAMS:
        return
    parser = importlib.import_module(module).build_parser()
    from common.errors import UserError

    said = io.StringIO()
    words = [re.sub(r"^N$", "1", word) for word in arguments[2 if arguments[0] == "-m" else 1 :]]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            parser.parse_args(words)
    except SystemExit as error:
        if error.code:
            raise Wrong(said.getvalue().strip().splitlines()[-1]) from error
    except UserError as error:
        raise Wrong(str(error)) from error


@functools.cache
def known_flags() -> set[str]:
    """Every flag of every program of the project."""
    known = set(OTHERS_FLAGS.split())
    parsers = [importlib.import_module(module).build_parser() for module in PROGRAMS]
    while parsers:
        for action in parsers.pop()._actions:
            known.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                parsers.extend(action.choices.values())
    for path in ROOT.glob("benchmarks/*.py"):
        known.update(re.findall(r'"(--[\w-]+)"', path.read_text(encoding="utf-8")))
    return known


# --- Links ----------------------------------------------------------------------------------------------------


@functools.cache
def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings."""
    found: set[str] = set()
    for _, line, language in lines_of(document):
        if language is None and (heading := re.match(r"#+ +(.*)", line)):
            plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower().strip()
            base = "".join(c for c in plain if c in " -_" or unicodedata.category(c)[0] in "LN").replace(" ", "-")
            names = (base, *(f"{base}-{count}" for count in range(1, 99)))
            found.add(next(name for name in names if name not in found))
    return found


def check_link(document: Path, target: str) -> None:
    """Raises `Wrong` where a relative link leads nowhere."""
    if re.match(r"(https?|mailto):", target):
        return
    name, _, anchor = target.partition("#")
    file = (document.parent / name).resolve() if name else document
    if not file.exists():
        raise Wrong(f"there is no {name}")
    if anchor and file.suffix == ".md" and anchor not in anchors_of(file):
        raise Wrong(f"{file.name} has no heading #{anchor}")


# --- Licences -------------------------------------------------------------------------------------------------

SHIPPED = ("pretrained/*", "apps/**/*", "docs/**/*", "data/test/photolike-*", "data/demo_people/**/*")
SOMEBODYS = (".jpg", ".png", ".webp", ".ttf", ".onnx", ".tflite", ".ckpt")


def without_licence(notice: str) -> Iterator[str]:
    """The pictures, fonts and weights whose file or folder this text does not name, a line each."""
    named = [name.rstrip("/") for name in re.findall(r"`([\w./*-]+)`", notice)]
    for path in sorted(path for pattern in SHIPPED for path in ROOT.glob(pattern)):
        place = path.relative_to(ROOT).as_posix()
        if path.suffix not in SOMEBODYS or "vendor" in path.parts:
            continue
        if not any(fnmatch.fnmatch(place, pattern) for name in named for pattern in (name, f"{name}/*")):
            yield f"NOTICE.md: does not say whose {place} is"


# --- All ------------------------------------------------------------------------------------------------------


def faults_of(document: Path) -> Iterator[str]:
    """What is wrong in a document, a line each."""
    place = document.relative_to(ROOT) if document.is_relative_to(ROOT) else document.name
    for number, words in commands_of(document):
        try:
            check(words)
        except Wrong as error:
            yield f"{place}:{number}: {shlex.join(words)}: {error}"
    for number, line, language in lines_of(document):
        if language is not None:
            continue
        for span in re.findall(r"`(--[^`]+)`", line):
            if (flag := re.split(r"[ =|]", span)[0]) not in known_flags():
                yield f"{place}:{number}: no program has a flag {flag}"
        for found in re.finditer(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", re.sub(r"`[^`]*`", "", line)):
            try:
                check_link(document, found[1] or found[2])
            except Wrong as error:
                yield f"{place}:{number}: link {found[1] or found[2]}: {error}"


# --- Running them ---------------------------------------------------------------------------------------------

TINY = (
    " --image_size 32 --g_conv_dim 8 --d_conv_dim 8 --g_repeat_num 1 --d_repeat_num 3 --batch_size 4 --num_iters 8"
    " --num_iters_decay 0 --score none --num_workers 0 --sample_step 4 --model_save_step 4 --log_step 4 --n_critic 2"
    " --compile False --accumulate 1"
)
TINY_JUDGE = " --arch test_efficientnet --image_size 32 --epochs 1 --batch_size 8"
FIRST = (
    "-m imaging.draw_faces --output data/train --per_emotion 8",
    "datapreprocess.py --input data/train --output data/train512 --val_fraction 0.25 --num_workers 0",
    "-m imaging.draw_faces --output data/test --per_emotion 1 --emotions neutral",
    "-m imaging.draw_faces --output photos --per_emotion 4 --seed 4 --emotions neutral happy",
    "-m imaging.draw_faces --output people --per_emotion 12 --seed 3 --same_identities --emotions neutral angry fearful"
    " happy sadness surprised",
    "emotion_recognition.py train" + TINY_JUDGE,
    "main.py --image_dir data/train512" + TINY,
)
TOOK_HOURS = {"MODEL_CARD.md"}  # documents whose commands say how something was made; they are not carried out
# Commands about data or runs that are not here.
ELSEWHERE_DATA = re.compile(
    r"[A-Z]{2}|/disk/|…|extended|--help|--version|--(shard|merge|iters|resume_iters|lambda_pair|init)\b"
)


def tiny(words: Sequence[str]) -> str:
    """The command on small data with small networks; "" where its data can't be here."""
    program, *arguments = words
    line = " ".join("latest" if word == "best" else word for word in arguments)
    runs = re.match(r"(main|datapreprocess|emotion_recognition)\.py|-m imaging\.draw_faces", line)
    if not re.fullmatch(r"(\.venv/bin/)?python[\d.]*", program) or not runs or ELSEWHERE_DATA.search(line):
        return ""
    if line.startswith("main.py"):
        if "--mode eval" in line:
            return line + " --emotion_model data/models/emotion.pt --fid_features emotion"
        return line if "--mode" in line else line + TINY
    if line.startswith("datapreprocess.py"):  # other settings want another folder
        return line + ("" if "--output" in line else f" --output data/other{len(line)}") + " --num_workers 0"
    return line + TINY_JUDGE if line.startswith("emotion_recognition.py train") else line


def run_all(chosen: Sequence[Path]) -> Iterator[str]:
    """Carry out what can be, in a folder that looks like the project; yields what failed."""
    found = [words for path in chosen if path.name not in TOOK_HOURS for _, words in commands_of(path)]
    lines = dict.fromkeys([*FIRST, *filter(None, map(tiny, found))])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in ROOT.iterdir():
            if path.name not in ("data", ".git"):
                (folder / path.name).symlink_to(path)
        (folder / "data" / "demo_drawn").mkdir(parents=True)
        (folder / "data" / "demo_drawn" / "train512").symlink_to(folder / "data" / "train512")
        for line in lines:
            print(f"$ python {line}", flush=True)
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
            command = [sys.executable, *line.split()]
            ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
            if ended.returncode:
                yield f"python {line}: ended with {ended.returncode}: {ended.stderr.strip().splitlines()[-1:]}"


def main() -> int:
    """Check every document; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="carry out the commands that work on data, too")
    parser.add_argument("documents", nargs="*", type=Path, help="documents to check; default: all")
    given = parser.parse_args()
    chosen = [path.resolve() for path in given.documents] or documents()
    faults = [fault for document in chosen for fault in faults_of(document)]
    if not given.documents:
        faults += without_licence((ROOT / "NOTICE.md").read_text(encoding="utf-8"))
    if given.run and not faults:
        faults = list(run_all(chosen))
    print("\n".join(faults) or f"{len(chosen)} documents: all right")
    return bool(faults)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
