"""Machines as lines of text. Imports nothing heavy, as ``status`` waits for it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from core.cli import amounts
from core.cli.look import Look
from core.cli.table import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.cli.packed import Record
    from core.model.machine import Holder, Machine

    Shown = Machine | Record
    """A machine, or the map that came over the socket in its place: the same names either way."""


def of_project(machines: Sequence[Shown], look: Look, width: int) -> list[str]:
    """The machines of one project, and what to do next where none is created."""
    if not machines:
        return ["This project has no machines."]
    now = time.time()
    rows = [
        (
            machine.key.name,
            look.machine(machine.state),
            machine.provider or "-",
            f"{machine.box} {machine.box_version}".strip(),
            look.paint(_remark(machine, now, look), "dim"),
        )
        for machine in machines
    ]
    lines = table(("NAME", "STATE", "PROVIDER", "BOX", ""), rows, look, width=width)
    if all(machine.state == "not created" and not machine.holder for machine in machines):
        lines += ["", look.paint("boxwright up   brings them up", "dim")]
    return lines


def created(machines: Sequence[Shown]) -> list[Shown]:
    """Those of which something exists, or is about to."""
    return [machine for machine in machines if machine.state != "not created" or machine.holder]


def of_all(machines: Sequence[Shown], look: Look, width: int) -> list[str]:
    """The created machines of all projects; those whose project is gone with the way to be rid of them."""
    shown = created(machines)
    if not shown:
        return ["No machine is created in any project."]
    now = time.time()
    rows = []
    gone = []
    for machine in shown:
        why = stale(machine)
        if why:
            gone.append(machine.id)
        rows.append(
            (
                machine.id,
                machine.key.name,
                look.machine(machine.state),
                machine.provider,
                _home(machine.key.project),
                look.paint(why or _remark(machine, now, look), "yellow" if why else "dim"),
            )
        )
    lines = table(("ID", "NAME", "STATE", "PROVIDER", "PROJECT", ""), rows, look, width=width)
    if gone:
        lines += ["", f"To remove what is left of projects that are gone: boxwright destroy {' '.join(gone)}"]
    return lines


def stale(machine: Shown) -> str:
    """Why a machine can no longer be brought up; "" where it can."""
    return "" if os.path.isdir(machine.key.project) else "the project's folder is gone"  # noqa: PTH112


def _remark(machine: Shown, now: float, look: Look) -> str:
    """What else is to be said: who works on it, what is wrong, where it answers."""
    if machine.holder:
        return _holder(machine.holder, len(machine.waiting), now)
    if machine.trouble:
        return str(machine.trouble)
    if machine.state == "running":
        ports = [f"{one.host}{look.arrow}{one.guest}" for one in machine.ports]
        since = f"since {amounts.duration(now - machine.started)}" if machine.started else ""
        return " ".join(part for part in (since, *ports) if part)
    return ""


def _holder(holder: Holder | Record, waiting: int, now: float) -> str:
    queue = f", {waiting} waiting" if waiting else ""
    return f"{holder.action} for {amounts.duration(now - holder.since)}{queue}"


def _home(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and (path == home or path.startswith(f"{home}/")) else path
