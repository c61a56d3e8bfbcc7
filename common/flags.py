"""Command-line flags as fields of dataclasses: parser, --help, docs/flags.md and types from one declaration."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from common.argument_types import boolean

T = TypeVar("T")
Group = TypeVar("Group")


class Switch(argparse.Action):
    """`--flag` and `--no-flag`, as `argparse.BooleanOptionalAction`; also `--flag True`, as published commands say."""

    def __init__(self, option_strings: list[str], dest: str, default: bool, help: str | None = None) -> None:
        words = [*option_strings, *(f"--no-{word.removeprefix('--')}" for word in option_strings)]
        super().__init__(words, dest, "?", default=default, type=boolean, help=help, metavar="True|False")

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Take the value, or what the flag means without one."""
        off = bool(option and option.startswith("--no-"))
        if off and values is not None:
            parser.error(f"{option} takes no value")
        setattr(namespace, self.dest, not off if values is None else values)


def flag(default: T, help: str, *names: str, type: Callable[[str], Any] = str, **options: Any) -> T:
    """A field for the flag `--field`, or for `names`; `type` and `options` as `add_argument` takes them."""
    metadata = {"names": names, "options": {"help": help, **options}, "type": type}
    return dataclasses.field(default=default, metadata=metadata)


def add_flags(parser: argparse.ArgumentParser | argparse._ArgumentGroup, group: type) -> None:
    """Declare the flags of a dataclass."""
    for name, field in _flags(group):
        names = field.metadata["names"] or (f"--{name}",)
        options = dict(field.metadata["options"])
        options |= {"action": Switch} if isinstance(field.default, bool) else {"type": field.metadata["type"]}
        parser.add_argument(*names, default=field.default, **options)


def from_values(group: type[Group], values: Mapping[str, Any]) -> Group:
    """The dataclass with the values of a parsed command line."""
    found = {field.name: values[name] for name, field in _flags(group)}
    return group(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})


def as_json(group: Any) -> dict[str, Any]:
    """The values by flag, as JSON has them."""
    return {name: _plain(getattr(group, field.name)) for name, field in _flags(type(group))}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def _flags(group: type) -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """Each flag's name, without dashes, and its field."""
    for field in dataclasses.fields(group):
        names = field.metadata["names"]
        yield (names[0].removeprefix("--") if names else field.name), field
