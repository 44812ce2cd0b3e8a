"""What is really there of a machine."""

from __future__ import annotations

from typing import Any

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen, Started
from core.providers.ports import LOOPBACK
from core.providers.qemu import disks
from core.providers.qemu import record as records
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link, Links
from core.providers.qemu.monitor import MonitorError
from core.providers.qemu.record import Record

_PAUSED = ("paused", "io-error", "internal-error", "guest-panicked", "watchdog", "suspended")

PATIENCE = 10.0
"""Seconds for a process to say how it is: one that hangs does not hold up a look at all for long."""


def started(record: Record, plan: MachinePlan) -> Started:
    """As ``start`` returned it."""
    shown = record.launch is not None and record.launch.shown
    ssh = next((forward for forward in record.ports if forward.name == "ssh"), None)
    ssh = ssh or next((forward for forward in record.ports if forward.guest == 22), None)
    return Started(
        ports=record.ports,
        ssh_host=LOOPBACK,
        ssh_port=ssh.host if ssh else 22,
        screen=str(Layout.of(plan).vnc_socket) if shown else "",
        facts=record.facts,
    )


async def look(links: Links, plan: MachinePlan, pid: int | None) -> Seen:
    """``pid``: of the machine's live process, None where there is none. Never raises BoxwrightError."""
    layout = Layout.of(plan)
    try:
        record = records.read(layout)
    except BoxwrightError as error:
        return Seen(state=MachineState.BROKEN, trouble=str(error))
    if record is None:
        if pid is None and not layout.home.exists():
            return Seen(state=MachineState.ABSENT)
        return Seen(
            state=MachineState.BROKEN,
            trouble=f"The machine's record {layout.record} is gone. boxwright destroy {plan.key.name} "
            "removes the rest.",
        )
    trouble = disks.lost(layout, record, plan)
    if pid is None:
        if trouble:
            return Seen(state=MachineState.BROKEN, trouble=trouble)
        saved = layout.saved.exists()
        return Seen(state=MachineState.SUSPENDED if saved else MachineState.STOPPED)
    return await _live(links, plan, pid, record, trouble)


async def _live(links: Links, plan: MachinePlan, pid: int, record: Record, trouble: str) -> Seen:
    running = started(record, plan)
    try:
        link = await links.open(plan, pid)
        if link.busy:
            # QEMU may be deaf for a while, and what is half done is no state.
            return Seen(state=MachineState.RUNNING, trouble=trouble, started=running)
        status = (await link.monitor.execute("query-status", timeout=PATIENCE))["status"]
    except MonitorError as error:
        return Seen(state=MachineState.RUNNING, trouble=trouble or str(error), started=running)
    if status in _PAUSED:
        return Seen(
            state=MachineState.SUSPENDED, trouble=trouble or paused_text(link, status, plan), started=running
        )
    if status == "postmigrate":
        return Seen(state=MachineState.SUSPENDED, trouble=trouble)
    if status == "shutdown":
        return Seen(state=MachineState.STOPPING, trouble=trouble, started=running)
    return Seen(state=MachineState.RUNNING, trouble=trouble, started=running)


def paused_text(link: Link, status: Any, plan: MachinePlan) -> str:
    """Why a machine that is in memory does not run, and what helps."""
    name = plan.key.name
    if status == "io-error":
        why = link.disk_trouble or "a disk could not be written"
        return f"Paused: {why}. Free some space, then: boxwright resume {name}"
    if status == "paused":
        return f"Paused from outside. To go on: boxwright resume {name}"
    return f"Paused ({status}). boxwright reload {name} starts it again."


def end_text(link: Link, tail: tuple[str, ...]) -> str:
    """Why a machine stopped that nobody here stopped; "" when its guest powered off, as guests may."""
    if link.ended_by == "guest-shutdown":
        return ""
    if link.ended_by.startswith("host"):
        return "QEMU was ended from outside, in order."
    last = f" It last said: {tail[-1]}" if tail else ""
    return f"QEMU was killed, or crashed.{last}"
