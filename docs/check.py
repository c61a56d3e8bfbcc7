"""Are the documents' commands and links right? `make docs-check`, or `python docs/check.py [--run]`.

Every command, in a block of code or in a line, is read as the program itself would read it: its flags, their values,
and the files of this project that it names. Every relative link must lead to a file, every anchor to a heading. With
`--run` those that work on data are carried out too, in a folder of their own, on drawn faces, with networks that train
in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {".venv", ".git", ".pytest_cache", "data", "vendor", "node_modules"}


def words_of(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


# Programs of others, whose flags are not looked at.
OTHERS = words_of(
    "cd cp export gh git kill loginctl mkcert npm openssl python3 source sudo systemctl tee tensorboard tmux ."
    " nvidia-smi ip apt-get"
)
# Flags in running text that belong to programs of others.
OTHERS_FLAGS = words_of(
    "--help --version --overwrite --host --port --limit-concurrency --ssl-certfile --ssl-keyfile --nproc_per_node"
    " --nnodes --max_restarts --server.address --server.port --server.sslCertFile --server.sslKeyFile --time --requeue"
    " --logdir --loop --seed"
)
STARTS = re.compile(r"(\.venv/bin/\w+|python|make|torchrun|uvicorn|streamlit|pytest|pip|tensorboard)( |$)")
LEFT_OUT = {"...", "…"}


@dataclass(frozen=True)
class Command:
    """A command of a document, as words."""

    document: Path
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}: {shlex.join(self.words)}"


class Wrong(Exception):
    """What is wrong with a command, in a few words."""


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    found = [path for path in ROOT.rglob("*.md") if not ELSEWHERE & set(path.relative_to(ROOT).parts)]
    return sorted(found)


# --- Commands -------------------------------------------------------------------------------------------------


def commands_of(document: Path, text: str) -> Iterator[Command]:
    """Those in blocks of code without a language or of a shell, and those in running text."""
    lines = text.splitlines()
    fence: str | None = None
    shell = False
    started, pending = 0, ""
    for number, line in enumerate(lines, 1):
        mark = re.match(r"\s*```(\w*)", line)
        if mark:
            fence = None if fence is not None else mark[1]
            shell = fence in ("", "bash", "sh", "console")
            continue
        if fence is None:
            for span in re.findall(r"`([^`]+)`", line):
                if STARTS.match(span):
                    yield from split(document, number, span)
        elif fence == "ini" and line.startswith("ExecStart="):
            yield from split(document, number, line.removeprefix("ExecStart=").replace("%h/stargan-fe/", ""))
        elif shell and not line.startswith("#!"):
            started = started if pending else number
            pending += line.rstrip().removesuffix("\\") + " "
            if not line.rstrip().endswith("\\"):
                yield from split(document, started, pending.strip().removeprefix("$ "))
                pending = ""


def split(document: Path, line: int, text: str) -> Iterator[Command]:
    """The single commands of a line of shell, less variables, redirections and remarks."""
    lexer = shlex.shlex(re.sub(r"\$\([^)]*\)|<\w+>", "VALUE", text), posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        yield Command(document, line, ("unreadable", text))
        return
    part: list[str] = []
    for word in [*words, ";"]:
        if word and set(word) <= set("|;&<>"):
            while part and re.match(r"\w+=", part[0]):
                part = part[1:]
            if part and part[-1].isdigit() and ">" in word:
                part = part[:-1]
            if part and not part[0].startswith(("Ctrl", "%", "/dev")) and part != ["1"]:
                yield Command(document, line, tuple(part))
            part = []
        else:
            part.append(word)


def check(command: Command) -> None:
    """Raises `Wrong` where the program would refuse the command, or a file of the project is missing."""
    words = [word for word in command.words if word not in LEFT_OUT]
    program, *arguments = words
    program = program.removeprefix(".venv/bin/")
    if program == "srun":
        return check(Command(command.document, command.line, tuple(arguments)))
    if program not in ("tee", "tensorboard"):  # the files of others may be new
        for word in arguments:
            require_file(word)
    if program == "make":
        check_make(arguments)
    elif re.fullmatch(r"python[\d.]*", program):
        check_python(arguments)
    elif program == "torchrun":
        check_torchrun(arguments)
    elif program == "pytest":
        return
    elif program == "uvicorn":
        check_click("uvicorn.main", "main", arguments)
    elif program == "streamlit":
        check_click("streamlit.web.cli", "main_run", arguments[1:])
    elif program not in (*OTHERS, "pip"):
        raise Wrong(f"{program} is a program that docs/check.py does not know")
    return None


def require_file(word: str) -> None:
    """A word that names a file of the project names one that is there."""
    word = word.split("::")[0]
    ours = re.match(r"(docs|pretrained|tests|benchmarks|apps|imaging)/[\w./-]+$|[\w-]+\.(py|txt|toml)$", word)
    if ours and not (ROOT / word).exists():
        raise Wrong(f"there is no {word}")


def check_make(arguments: Sequence[str]) -> None:
    """The targets are the Makefile's."""
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for word in arguments:
        if "=" not in word and word not in targets:
            raise Wrong(f"the Makefile has no {word}")


def check_python(arguments: Sequence[str]) -> None:
    """A script or module of the project, with arguments that its parser takes."""
    if not arguments or arguments[0] in ("-c", "-V"):
        return
    if arguments[0] == "-m":
        if arguments[1] in ("pip", "pytest", "venv", "mypy", "ruff"):
            return
        where, rest = arguments[1].replace(".", "/") + ".py", arguments[2:]
    else:
        where, rest = arguments[0], arguments[1:]
    if not (ROOT / where).is_file():
        raise Wrong(f"there is no {where}")
    parser = parser_of(where)
    if parser is None:
        if rest:
            raise Wrong(f"{where} takes no arguments")
        return
    understood(parser, rest)


class Caught(BaseException):
    """A parser that was about to parse; no program catches it."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


@functools.cache
def parser_of(where: str) -> argparse.ArgumentParser | None:
    """The parser that the program itself makes; None where it has none."""
    path = ROOT / where
    if "Parser(" not in path.read_text(encoding="utf-8"):
        return None

    def caught(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        raise Caught(parser)

    with (
        mock.patch.object(argparse.ArgumentParser, "parse_known_args", caught),
        mock.patch.object(sys, "argv", [where]),
        mock.patch.object(sys, "path", [str(path.parent), str(ROOT), *sys.path]),
    ):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except Caught as found:
            return found.parser
    raise Wrong(f"{where} ended without reading its arguments")


def understood(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """What the parser makes of arguments. Raises `Wrong` with its sentence where it refuses them."""
    from common.errors import UserError

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            return parser.parse_args([re.sub(r"^N$", "1", word) for word in arguments])
    except SystemExit as error:
        if error.code:
            raise Wrong(said.getvalue().strip().splitlines()[-1]) from error
    except UserError as error:
        raise Wrong(str(error)) from error
    return argparse.Namespace()


def check_torchrun(arguments: Sequence[str]) -> None:
    """Its own flags, then ours."""
    from torch.distributed.run import get_args_parser

    told = understood(get_args_parser(), arguments)
    check_python([told.training_script, *told.training_script_args])


def check_click(module: str, name: str, arguments: Sequence[str]) -> None:
    """A program that reads its flags with click."""
    import importlib

    import click

    command: Any = getattr(importlib.import_module(module), name)
    try:
        command.make_context(name, list(arguments))
    except click.exceptions.Exit:
        return
    except click.ClickException as error:
        raise Wrong(error.format_message()) from error


def flags_in_text(text: str) -> Iterator[tuple[int, str]]:
    """Flags that running text names, with their lines."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if not fenced:
            for span in re.findall(r"`(--[^`]+)`", line):
                yield number, re.split(r"[ =|]", span)[0]


@functools.cache
def known_flags() -> set[str]:
    """Every flag of every program of the project."""
    known = set(OTHERS_FLAGS)
    for path in [*ROOT.glob("*.py"), *ROOT.glob("benchmarks/*.py"), ROOT / "imaging/draw_faces.py", Path(__file__)]:
        known |= set(re.findall(r'"(--[\w-]+)"', path.read_text(encoding="utf-8")))
    return known


# --- Links ----------------------------------------------------------------------------------------------------


def without_remarks(text: str) -> str:
    """The text less HTML comments; lines stay lines."""
    return re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)


def links_of(text: str) -> Iterator[tuple[int, str]]:
    """Targets of links and pictures outside code, with their lines."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if not fenced:
            bare = re.sub(r"`[^`]*`", "", line)
            for found in re.finditer(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", bare):
                yield number, found[1] or found[2]


@functools.cache
def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings."""
    found: set[str] = set()
    fenced = False
    for line in document.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        heading = re.match(r"#+ +(.*)", line)
        if heading and not fenced:
            plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower().strip()
            kept = [c for c in plain if c in " -_" or unicodedata.category(c)[0] in "LN"]
            slug = base = "".join(kept).replace(" ", "-")
            count = 0
            while slug in found:
                count += 1
                slug = f"{base}-{count}"
            found.add(slug)
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


# --- Everything -----------------------------------------------------------------------------------------------


def faults_of(document: Path) -> Iterator[str]:
    """What is wrong in a document, a line each."""
    text = without_remarks(document.read_text(encoding="utf-8"))
    place = document.relative_to(ROOT) if document.is_relative_to(ROOT) else document.name
    for command in commands_of(document, text):
        try:
            check(command)
        except Wrong as error:
            yield f"{place}:{command.line}: {shlex.join(command.words)}: {error}"
    for line, flag in flags_in_text(text):
        if flag not in known_flags():
            yield f"{place}:{line}: no program has a flag {flag}"
    for line, target in links_of(text):
        try:
            check_link(document, target)
        except Wrong as error:
            yield f"{place}:{line}: link {target}: {error}"


# --- Running them ---------------------------------------------------------------------------------------------

TINY = words_of(
    "--image_size 32 --g_conv_dim 8 --d_conv_dim 8 --g_repeat_num 1 --d_repeat_num 3 --batch_size 4 --num_iters 8"
    " --num_iters_decay 0 --score none --num_workers 0 --sample_step 4 --model_save_step 4 --log_step 4 --n_critic 2"
    " --compile False --accumulate 1"
)
TINY_JUDGE = words_of("--arch test_efficientnet --image_size 32 --epochs 1 --batch_size 8")
TOOK_HOURS = {"MODEL_CARD.md"}  # documents whose commands say how something was made; they are read, not carried out
RUN = ("main.py", "datapreprocess.py", "emotion_recognition.py", "-m")


def tiny(words: Sequence[str]) -> list[str] | None:
    """The command on small data with small networks; None where its data can't be here."""
    program, *arguments = words
    if not re.fullmatch(r"(\.venv/bin/)?python[\d.]*", program) or not arguments or arguments[0] not in RUN:
        return None
    if arguments[0] == "-m" and arguments[1] != "imaging.draw_faces":
        return None
    if {"--help", "--version"} & set(arguments):
        return None
    if any(re.search(r"[A-Z]{2}|/disk/|^\.\.\.$|…|extended", word) for word in arguments):
        return None
    if {"--shard", "--merge", "--iters", "--resume_iters", "--lambda_pair", "--init"} & set(arguments):
        return None
    arguments = ["latest" if word == "best" else word for word in arguments]
    mode = arguments[arguments.index("--mode") + 1] if "--mode" in arguments else "train"
    if arguments[0] == "main.py" and mode == "train":
        return [*(word for word in arguments if word != "--emotion_model data/models/emotion.pt"), *TINY]
    if arguments[0] == "datapreprocess.py":
        if "--output" not in arguments:  # other settings want another folder
            arguments += ["--output", f"data/other{len(arguments)}"]
        return [*arguments, "--num_workers", "0"]
    if arguments[0] == "emotion_recognition.py" and arguments[1] == "train":
        return [*arguments, *TINY_JUDGE]
    if arguments[0] == "main.py" and mode == "eval":
        return [*arguments, "--emotion_model", "data/models/emotion.pt", "--fid_features", "emotion"]
    return arguments


def run_all(found: Sequence[Command]) -> Iterator[str]:
    """Carry out what can be, in a folder that looks like the project; yields what failed."""
    from common.emotions import EMOTIONS
    from imaging.draw_faces import write_faces

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in ROOT.iterdir():
            if path.name not in ("data", ".git"):
                (folder / path.name).symlink_to(path)
        first = [
            "-m imaging.draw_faces --output data/train --per_emotion 8",
            "datapreprocess.py --input data/train --output data/train512 --val_fraction 0.25 --num_workers 0",
            "-m imaging.draw_faces --output data/test --per_emotion 1 --emotions neutral",
            f"emotion_recognition.py train --image_dir data/train512 {' '.join(TINY_JUDGE)}",
            f"main.py --image_dir data/train512 {' '.join(TINY)}",
        ]
        (folder / "data" / "demo").mkdir(parents=True)
        (folder / "data" / "demo" / "train512").symlink_to(folder / "data" / "train512")
        write_faces(folder / "people", list(EMOTIONS), 12, seed=3, same_identities=True)
        write_faces(folder / "photos", ["neutral", "happy"], 4, seed=4, same_identities=False)
        done: set[tuple[str, ...]] = set()
        for command in [*(Command(ROOT / "docs/check.py", 0, ("python", *line.split())) for line in first), *found]:
            words = list(command.words[1:]) if command.line == 0 else tiny(command.words)
            if words is None or tuple(words) in done or command.document.name in TOOK_HOURS:
                continue
            done.add(tuple(words))
            print(f"$ python {shlex.join(words)}", flush=True)
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
            ended = subprocess.run(
                [sys.executable, *words], cwd=folder, capture_output=True, text=True, env=environment
            )
            if ended.returncode:
                yield f"{command}: ended with {ended.returncode}: {ended.stderr.strip().splitlines()[-1:]}"


def main() -> int:
    """Check every document; 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="carry out the commands that work on data, too")
    parser.add_argument("documents", nargs="*", type=Path, help="documents to check; default: all")
    given = parser.parse_args()
    chosen = [path.resolve() for path in given.documents] or documents()
    faults = [fault for document in chosen for fault in faults_of(document)]
    found = [c for path in chosen for c in commands_of(path, without_remarks(path.read_text(encoding="utf-8")))]
    if given.run and not faults:
        faults = list(run_all(found))
    print("\n".join(faults) or f"{len(chosen)} documents, {len(found)} commands: all right")
    return bool(faults)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
