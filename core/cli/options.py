"""Options that every command has, wherever they stand on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import argparse


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The global options as they were given."""

    project: str = ""
    """A folder, "" for the project that the current folder belongs to."""
    yes: bool = False
    json: bool = False
    verbose: int = 0
    debug: bool = False
    in_process: bool = False
    colour: bool = True
    quiet: bool = False

    @classmethod
    def of(cls, given: argparse.Namespace) -> Options:
        return cls(**{name: getattr(given, name) for name in cls.__struct_fields__ if hasattr(given, name)})


TAKES_VALUE = ("--project",)
"""Global options that are followed by a value."""

FLAGS = frozenset(
    {"--project", "-y", "--yes", "--json", "-v", "-vv", "-vvv", "--verbose", "-q", "--quiet"}
    | {"--no-colour", "--no-color", "--in-process", "--debug", "-h", "--help"}
)
"""All global options: a verb may stand behind them."""


def add_global_options(parser: argparse.ArgumentParser) -> None:
    """The global options as a group of their own."""
    import argparse

    group = parser.add_argument_group("options of every command")

    def add(*flags: str, **rest: object) -> None:
        group.add_argument(*flags, default=argparse.SUPPRESS, **rest)  # type: ignore[arg-type]

    add("--project", metavar="DIR", help="the project's folder; without it, found from here upward")
    add("-y", "--yes", action="store_true", help="answer yes to whatever would be asked")
    add("--json", action="store_true", help="print JSON on standard output, all else on standard error")
    add("-v", "--verbose", action="count", help="show details and every line of output; -vv shows more")
    add("-q", "--quiet", action="store_true", help="print results and errors only")
    add("--no-colour", "--no-color", dest="colour", action="store_false", help="print without colours")
    add("--in-process", action="store_true", help="run the engine within this command")
    add("--debug", action="store_true", help="show tracebacks")
    add("-h", "--help", action="store_true", help="show this help")
