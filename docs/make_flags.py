"""Write docs/flags.md from the parsers themselves: `python docs/make_flags.py`. A test keeps the two equal."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from common.flags import Switch  # noqa: E402
from common.settings import PRESETS  # noqa: E402

PAGE = ROOT / "docs" / "flags.md"

# Heading and module of each program, in the order in which they are met.
PROGRAMS = (
    ("main.py", "main"),
    ("datapreprocess.py", "datapreprocess"),
    ("emotion_recognition.py", "emotion_recognition"),
    ("demo.py", "demo"),
    ("python -m imaging.draw_faces", "imaging.draw_faces"),
)
INTRODUCTION = """# Every flag

Made by `python docs/make_flags.py` from the programs' own parsers; do not edit it. `--help` says the same.

`backend.py` and `streamlit_app.py` have no flags of their own: they are set by
[environment variables](page.md#start), and by the flags of uvicorn and Streamlit.

What is on or off is given as `--balance` or `--no-balance`; `--balance True` and `--balance False` do, too.
"""

# Defaults that another machine chooses otherwise.
CHOSEN = {("main", "num_workers"): "one a core but one, at most 8", ("datapreprocess", "num_workers"): "the cores"}


def page() -> str:
    """The whole document."""
    parts = [INTRODUCTION]
    for heading, module in PROGRAMS:
        parts.append(f"\n## {heading}\n")
        parts += sections(module, importlib.import_module(module).build_parser())
        if module == "main":
            parts += ["\n### What `--preset` stands for\n\n| preset | flags |\n| --- | --- |\n"]
            parts += [f"| `{name}` | `{flags}` |\n" for name, flags in PRESETS.items()]
    return "".join(parts)


def sections(module: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """A table for each group of flags, and for each command where the program has commands."""
    commands = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    for command in commands:
        for name, inner in command.choices.items():
            yield f"\n### {name}\n"
            yield from sections(module, inner)
    for group in parser._action_groups:
        actions = [a for a in group._group_actions if a not in commands and is_own(a)]
        if not actions:
            continue
        if group.title not in ("positional arguments", "options"):
            yield f"\n### {group.title}\n"
        yield "\n| flag | default | what it is |\n| --- | --- | --- |\n"
        yield from (f"| {name_of(a)} | {default_of(module, a)} | {text_of(a)} |\n" for a in actions)


def is_own(action: argparse.Action) -> bool:
    """Whether the flag belongs to this program: all have --help and --version."""
    return not isinstance(action, argparse._HelpAction | argparse._VersionAction)


def name_of(action: argparse.Action) -> str:
    """The flag, or the word of a positional argument."""
    return f"`{action.option_strings[0] if action.option_strings else action.metavar}`"


def default_of(module: str, action: argparse.Action) -> str:
    """What holds where the flag is not given."""
    if (module, action.dest) in CHOSEN:
        return CHOSEN[module, action.dest]
    if isinstance(action, Switch):
        return "on" if action.default else "off"
    if action.default is None:
        return ""
    if isinstance(action.default, list | tuple):
        return " ".join(f"`{word}`" for word in action.default)
    text = str(action.default).replace("|", "\\|")
    return f"`{text}`" if text else ""


def text_of(action: argparse.Action) -> str:
    """The help's words, less the default, which has its own column, and with the choices."""
    text = re.sub(r" ?\((?:[^()%]*: )?%\(default\)s\)|, %\(default\)s|: %\(default\)s", "", action.help or "")
    if action.choices is not None:
        choices = action.choices
        words = [f"{choices[0]} to {choices[-1]}"] if isinstance(choices, range) else [f"`{c}`" for c in choices]
        text += f" ({', '.join(words)})"
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
