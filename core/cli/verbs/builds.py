"""build: the project's builds."""

from __future__ import annotations

import argparse

from core import amounts
from core.cli.context import Context
from core.cli.operating import command_of, finish
from core.cli.selection import matches
from core.cli.suggestions import did_you_mean
from core.commands import CommandSpec
from core.errors import NotFoundError
from core.projects import load


def run(context: Context, spec: CommandSpec, given: argparse.Namespace) -> int:
    """Those that are named or match, side by side; without words all."""
    names = list(load(context.root).builds)
    if not names:
        raise NotFoundError(
            "This project has no builds.",
            why="A build is a table [builds.NAME] in the project's file.",
            remedy="boxwright init --template list",
        )
    chosen: list[str] = [] if given.builds else names
    for word in given.builds:
        found = matches(word, names)
        if not found:
            raise NotFoundError(
                f"There is no build {word!r}.",
                why=did_you_mean(word, names) or f"There is {amounts.listed(names)}.",
            )
        chosen += [name for name in found if name not in chosen]
    return finish(context, [command_of(spec, given, project=context.root, name=name) for name in chosen])
