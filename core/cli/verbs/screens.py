"""screen: what a machine shows, or the one that a build works on, in this terminal or as a file."""

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
    name: str
    """Of the machine or build."""
    source: str
    """Of a build; "" for a machine."""
    socket: Path


def screen(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    from core.builds.qemu.screen import picture_of

    if given.output and given.follow:
        raise UsageError("--output saves one picture, --follow goes on drawing.", remedy="leave one out")
    shown = _chosen(context, given.names, given.source or "")
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
                **(
                    {"build": shown.name, "source": shown.source} if shown.source else {"machine": shown.name}
                ),
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
            remedy=f"boxwright screen {shown.name} --output screen.png",
        )
    painter = Painter(output.out)
    if given.follow:
        _follow(painter, shown)
    else:
        _draw(painter, shown)
    return ExitCode.DONE


def _chosen(context: Context, words: list[str], source: str) -> _Shown:
    """Raises NotFoundError where none of them has a screen, UsageError where several have."""
    found = [
        one
        for one in (*_of_builds(context), *_of_machines(context))
        if (not words or any(matches(word, [one.name]) for word in words)) and source in ("", one.source)
    ]
    if not found:
        raise NotFoundError(
            "Nothing of that name has a screen now." if words else "Nothing has a screen now.",
            why="Machines of QEMU and libvirt have one while they run, those of a build while its source "
            "qemu works on them. What bootstrap makes speaks on its serial port alone.",
            remedy="boxwright status, or boxwright ops --running",
        )
    if len(found) > 1:
        named = amounts.listed([f"{one.source} (of {one.name})" if one.source else one.name for one in found])
        several = len({one.name for one in found}) > 1
        raise UsageError(
            "There are several screens.",
            why=f"They are of {named}.",
            remedy="name one of them" if several else "add --source SOURCE",
        )
    return found[0]


def _of_builds(context: Context) -> list[_Shown]:
    return [
        _Shown(now.name, source, Path(socket))
        for now in running(context)
        for source, socket in now.screens.items()
    ]


def _of_machines(context: Context) -> list[_Shown]:
    """Of the project here, where there is one."""
    try:
        machines, _ = context.machines()
    except NotFoundError:
        return []
    return [_Shown(machine.name, "", Path(machine.screen)) for machine in machines if machine.screen]


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
