"""The snapshots of a machine: pure functions from the state to lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core import amounts
from core.model.machine import Machine, Snapshot
from tui.look.lines import Part, clean, spread
from tui.look.signs import Signs
from tui.views.overview import Key

if TYPE_CHECKING:
    from tui.dialogs.palette import Entry

Line = list[Part]


def content(
    machine: Machine, *, width: int, signs: Signs, now: float, key: Key
) -> tuple[list[Line], dict[int, str]]:
    """Lines, and the name of the snapshot on each."""
    if not machine.snapshots:
        saves = _does(key("snapshot.save"), "keeps it as it is now, to come back to")
        return [[(f"{clean(machine.name)} has no snapshot.", "text")], [], saves], {}
    lines: list[Line] = []
    targets: dict[int, str] = {}
    depths = _depths(machine.snapshots)
    for snapshot in machine.snapshots:
        targets[len(lines)] = snapshot.name
        sign = (signs.running, "good") if snapshot.current else (signs.stopped, "muted")
        left: Line = [
            ("  " * depths[snapshot.name], "text"),
            (f"{sign[0]} ", sign[1]),
            (clean(snapshot.name), "text"),
        ]
        if snapshot.current:
            left.append(("  current", "good"))
        memory = f"with memory, {amounts.size(snapshot.size)}" if snapshot.has_memory else "disk only"
        lines.append(
            spread(
                left, [(f"{memory}   {amounts.ago(snapshot.created, now)}", "muted")], width, signs.ellipsis
            )
        )
    restore = key("snapshot.restore")
    lines += [
        [],
        [
            *_does(f"enter or {restore}" if restore else "enter", "goes back to it   "),
            *_does(key("snapshot.delete"), "deletes it   "),
            *_does(key("snapshot.save"), "makes another"),
        ],
    ]
    return lines, targets


def _does(key: str, what: str) -> Line:
    return [(key, "!accent"), (f" {what}", "muted")] if key else []


def offered(snapshots: Sequence[Snapshot], signs: Signs, now: float) -> list[Entry]:
    """To be chosen from: the current one first, then the latest."""
    from tui.dialogs.palette import Entry

    ordered = sorted(snapshots, key=lambda one: (not one.current, -one.created))
    return [
        Entry(one.name, one.name, clean(one.name), signs.running if one.current else "", _told(one, now))
        for one in ordered
    ]


def _told(snapshot: Snapshot, now: float) -> str:
    words = ["current"] if snapshot.current else []
    memory = f"with memory, {amounts.size(snapshot.size)}" if snapshot.has_memory else "disk only"
    return ", ".join([*words, memory, amounts.ago(snapshot.created, now)])


def _depths(snapshots: tuple[Snapshot, ...]) -> dict[str, int]:
    """How deep each lies; parents that are gone or go round in a circle count as none."""
    parents = {snapshot.name: snapshot.parent for snapshot in snapshots}
    depths = {}
    for name in parents:
        seen = {name}
        at = parents[name]
        while at in parents and at not in seen:
            seen.add(at)
            at = parents[at]
        depths[name] = min(len(seen) - 1, 8)
    return depths
