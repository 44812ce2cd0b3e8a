"""screen: what the machine that a build works on shows, in this terminal or as a file."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.look import capable
from core.cli.painter import Painter
from core.cli.verbs.builds import running
from core.commands import CommandSpec
from core.commands.names import matches
from core.errors import BoxwrightError, NotFoundError, UsageError
from core.model.problem import ExitCode

_FRAME = 0.5
"""Seconds between two looks."""


class _Shown(msgspec.Struct, frozen=True):
    build: str
    source: str
    socket: Path


def screen(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    from core.builds.qemu.screen import picture_of

    if given.output and given.follow:
        raise UsageError("--output saves one picture, --follow goes on drawing.", remedy="leave one out")
    shown = _chosen(context, given.builds, given.source or "")
    if given.output:
        picture = asyncio.run(picture_of(shown.socket))
        target = Path(given.output)
        try:
            target.write_bytes(picture.png())
        except OSError as error:
            raise BoxwrightError(
                f"{target} could not be written.",
                why=error.strerror or str(error),
                remedy="name another file after --output",
            ) from error
        context.output.result(
            {
                "build": shown.build,
                "source": shown.source,
                "width": picture.width,
                "height": picture.height,
                "file": str(target),
            },
            [f"{target}: {picture.width} x {picture.height}"],
        )
        return ExitCode.DONE
    output = context.output
    if output.options.json or not (capable(output.out) and output.look.colour and output.look.unicode):
        raise UsageError(
            "A screen can be drawn in a terminal with colours only.",
            remedy=f"boxwright screen {shown.build} --output screen.png",
        )
    painter = Painter(output.out)
    if given.follow:
        _follow(painter, shown)
    else:
        _draw(painter, shown)
    return ExitCode.DONE


def _chosen(context: Context, words: list[str], source: str) -> _Shown:
    """Raises NotFoundError where no such build has a screen, UsageError where several have."""
    found = [
        _Shown(now.name, name, Path(socket))
        for now in running(context)
        if not words or any(matches(word, [now.name]) for word in words)
        for name, socket in now.screens.items()
        if source in ("", name)
    ]
    if not found:
        raise NotFoundError(
            "No build has a machine with a screen now.",
            why="Only a machine of the source qemu has one, and only while the build runs. "
            "What bootstrap makes speaks on its serial port alone.",
            remedy="boxwright ops --running",
        )
    if len(found) > 1:
        named = amounts.listed([f"{one.source} (of {one.build})" for one in found])
        raise UsageError(
            "There are several screens.", why=f"They are of {named}.", remedy="add --source SOURCE"
        )
    return found[0]


def _draw(painter: Painter, shown: _Shown) -> None:
    from core.builds.qemu.picture import ansi
    from core.builds.qemu.screen import picture_of

    columns, lines = painter.size()
    picture = asyncio.run(picture_of(shown.socket))
    painter.paint([], ansi(picture.blocks(columns, lines - 2)))


def _follow(painter: Painter, shown: _Shown) -> None:
    """Until the machine has ended, or somebody presses Ctrl-C."""
    try:
        while True:
            _draw(painter, shown)
            time.sleep(_FRAME)
    except BoxwrightError:
        painter.paint(["The machine has ended."], [])
    except KeyboardInterrupt:
        pass
