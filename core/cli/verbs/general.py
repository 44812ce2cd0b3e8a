"""version, help, completion and the workbench."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__
from core.cli.context import Context
from core.commands import CommandSpec
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.problem import ExitCode

if TYPE_CHECKING:
    import argparse

_WORKBENCH = "tui.app"
"""Found by its name: the core does not depend on the workbench, and runs without it."""


def version(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    python = ".".join(str(number) for number in sys.version_info[:3])
    context.output.result(
        {"version": __version__, "python": python}, [f"boxwright {__version__} (Python {python})"]
    )
    return ExitCode.DONE


def show_help(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    from core.cli.help import print_command_help, print_group_help, print_overview
    from core.cli.verb import find_verb, members

    words = list(given.words)
    if not words:
        return print_overview(context.output)
    if len(words) == 1 and members(words[0]):
        return print_group_help(words[0], context.output)
    found = find_verb(words)
    assert found.spec is not None
    return print_command_help(found.spec, context.output)


def completion(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    from core.cli.completion.scripts import SCRIPTS

    script = SCRIPTS.get(given.shell)
    if script is None:
        raise UsageError(
            f"There is no completion for {given.shell!r}.",
            why=f"There is one for {', '.join(SCRIPTS)}.",
            remedy="boxwright completion bash",
        )
    context.output.result({"shell": given.shell, "script": script}, script.rstrip("\n").split("\n"))
    return ExitCode.DONE


def workbench(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    """Open the workbench on the project here, or on none."""
    if context.options.json:
        raise UsageError("The workbench prints no JSON.", remedy="boxwright status --json")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The workbench needs a terminal.", remedy="boxwright help")
    try:
        application = importlib.import_module(_WORKBENCH)
    except ModuleNotFoundError as error:
        raise BoxwrightError(
            "The workbench is not installed.",
            why=f"The Python package {error.name!r} is missing; all other commands work without it.",
            remedy="pip install boxwright",
        ) from error
    return int(application.run(_project(context), read_only=getattr(given, "read_only", False)) or 0)


def _project(context: Context) -> Path | None:
    try:
        return Path(context.root)
    except NotFoundError:
        if context.options.project:
            raise
        return None
