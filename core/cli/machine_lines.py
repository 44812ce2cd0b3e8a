"""Machines as lines of text. Imports nothing heavy, as ``status`` waits for it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from core import amounts
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
            *_uptime_and_ports(machine, now, look),
            look.paint(_remark(machine, now), "dim"),
        )
        for machine in machines
    ]
    heads = ("NAME", "STATE", "PROVIDER", "BOX", "UP FOR", "PORTS", "")
    lines = _filled(heads, rows, look, width)
    if all(machine.state == "not created" and not machine.holder for machine in machines):
        lines += ["", look.paint("boxwright up   brings them up", "dim")]
    why = chosen(machines)
    return [*lines, *(["", *(look.paint(line, "dim") for line in why)] if why else [])]


def chosen(machines: Sequence[Shown]) -> list[str]:
    """Why machines run on the providers that were chosen for them; nothing where there was no choice."""
    reasons: dict[str, list[str]] = {}
    for machine in machines:
        if "first usable" in machine.provider_reason:
            reasons.setdefault(machine.provider_reason, []).append(machine.key.name)
    return [f"{amounts.listed(names)} on {reason}" for reason, names in reasons.items()]


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
                *_uptime_and_ports(machine, now, look),
                look.paint(why or _remark(machine, now), "yellow" if why else "dim"),
            )
        )
    heads = ("ID", "NAME", "STATE", "PROVIDER", "PROJECT", "UP FOR", "PORTS", "")
    lines = _filled(heads, rows, look, width)
    if gone:
        lines += ["", f"To remove what is left of projects that are gone: boxwright destroy {' '.join(gone)}"]
    return lines


def stale(machine: Shown) -> str:
    """Why a machine can no longer be brought up; "" where it can."""
    return "" if os.path.isdir(machine.key.project) else "the project's folder is gone"  # noqa: PTH112


def _filled(heads: Sequence[str], rows: Sequence[Sequence[str]], look: Look, width: int) -> list[str]:
    """A table without the columns that have nothing in them."""
    used = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    wanted = [[row[column] for column in used] for row in rows]
    return table([heads[column] for column in used], wanted, look, width=width)


def _uptime_and_ports(machine: Shown, now: float, look: Look) -> tuple[str, str]:
    if machine.state != "running" or machine.holder or machine.trouble:
        return "", ""
    since = amounts.whole(now - machine.started) if machine.started else ""
    ports = " ".join(f"{one.host}{look.arrow}{one.guest}" for one in machine.ports)
    return look.paint(since, "dim"), look.paint(ports, "dim")


def _remark(machine: Shown, now: float) -> str:
    """What else is to be said: who works on it, what is wrong."""
    if machine.holder:
        return _holder(machine.holder, len(machine.waiting), now)
    if machine.kept:
        return f"destroyed {amounts.ago(machine.kept.destroyed, now)}: boxwright recover brings it back"
    return str(machine.trouble) if machine.trouble else ""


def _holder(holder: Holder | Record, waiting: int, now: float) -> str:
    queue = f", {waiting} waiting" if waiting else ""
    return f"{holder.action} for {amounts.whole(now - holder.since)}{queue}"


def _home(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and (path == home or path.startswith(f"{home}/")) else path
