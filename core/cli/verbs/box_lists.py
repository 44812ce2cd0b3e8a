"""box list and box show."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import msgspec

from core import amounts
from core.cli.context import Context
from core.cli.suggestions import did_you_mean
from core.cli.table import table
from core.commands import CommandSpec
from core.commands.names import matches
from core.errors import NotFoundError
from core.model.box import Box, BoxUse
from core.model.problem import ExitCode
from core.model.query import Boxes, GetBoxes

if TYPE_CHECKING:
    from core.cli.output import Output


def all_boxes(context: Context) -> tuple[BoxUse, ...]:
    """Every box of the store with the machines that are linked to it."""
    answer = context.session.query(GetBoxes())
    assert isinstance(answer, Boxes)
    return answer.boxes


def show_list(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    uses = all_boxes(context)
    if given.patterns:
        names = [use.box.name for use in uses]
        wanted = {name for word in given.patterns for name in matches(word, names)}
        uses = tuple(use for use in uses if use.box.name in wanted)
    output = context.output
    now = time.time()
    rows = [
        (
            use.box.name,
            use.box.version,
            use.box.key.provider,
            use.box.key.architecture or "-",
            amounts.size(use.box.size),
            amounts.ago(use.box.added, now),
            amounts.count(len(use.machines), "machine") if use.machines else "",
        )
        for use in uses
    ]
    heads = ("BOX", "VERSION", "PROVIDER", "ARCH", "SIZE", "ADDED", "USED BY")
    lines = table(heads, rows, output.look, width=output.width, right=(4,))
    empty = "No such box in the store." if given.patterns else "No boxes yet: boxwright box add SOURCE"
    output.result({"boxes": msgspec.to_builtins(uses)}, lines or [empty])
    return ExitCode.DONE


def find_boxes(context: Context, name: str, version: str = "", provider: str = "") -> list[BoxUse]:
    """The boxes of a name (and version and provider). Raises NotFoundError for none."""
    uses = all_boxes(context)
    found = [
        use
        for use in uses
        if use.box.name == name
        and version in ("", "all", use.box.version)
        and provider in ("", use.box.key.provider)
    ]
    if not found:
        named = [use for use in uses if use.box.name == name]
        versions = amounts.listed([str(use.box.key) for use in named])
        asked = " ".join(part for part in (name, version, provider) if part)
        raise NotFoundError(
            f"There is no such box in the store: {asked}.",
            why=f"There is {versions}." if named else did_you_mean(name, [use.box.name for use in uses]),
            remedy="boxwright box list",
        )
    return found


def show(context: Context, _spec: CommandSpec, given: argparse.Namespace) -> int:
    found = find_boxes(context, given.name, given.version or "", given.provider or "")
    lines: list[str] = []
    for use in found:
        lines += [*_box_lines(use, context.output), ""]
    context.output.result({"boxes": msgspec.to_builtins(found)}, lines[:-1])
    return ExitCode.DONE


def _box_lines(use: BoxUse, output: Output) -> list[str]:
    box = use.box
    facts = [
        ("description", box.description),
        ("size", amounts.size(box.size)),
        ("added", time.strftime("%Y-%m-%d %H:%M", time.localtime(box.added)) if box.added else ""),
        ("from", box.url or ("built here" if box.fingerprint else "")),
        ("catalogue", box.catalogue),
        ("checksum", box.checksum),
        ("firmware", box.firmware),
        ("account", box.user),
        *_disk_facts(box),
        ("used by", ", ".join(use.machines) or "no machine"),
    ]
    look = output.look
    return [
        look.paint(str(box.key), "bold"),
        *(f"  {look.paint(f'{name:<12}', 'dim')} {text}" for name, text in facts if text),
    ]


def _disk_facts(box: Box) -> list[tuple[str, str]]:
    return [
        ("disk", f"{disk.path} ({disk.format}{f', {amounts.size(disk.size)}' if disk.size else ''})")
        for disk in box.disks
    ]
