"""What is really there of a machine."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen
from core.providers.virtualbox.context import Context, Row, read, with_disks
from core.providers.virtualbox.layout import Layout
from core.providers.virtualbox.record import Record, lost, started

_STATES = {
    "Running": MachineState.RUNNING,
    "LiveSnapshotting": MachineState.RUNNING,
    "OnlineSnapshotting": MachineState.RUNNING,
    "DeletingSnapshotOnline": MachineState.RUNNING,
    "Teleporting": MachineState.RUNNING,
    "Stuck": MachineState.RUNNING,
    "Starting": MachineState.STARTING,
    "Restoring": MachineState.STARTING,
    "TeleportingIn": MachineState.STARTING,
    "Stopping": MachineState.STOPPING,
    "Saving": MachineState.STOPPING,
    "Saved": MachineState.SUSPENDED,
    "AbortedSaved": MachineState.SUSPENDED,
    "Paused": MachineState.SUSPENDED,
    "TeleportingPausedVM": MachineState.SUSPENDED,
    "DeletingSnapshotPaused": MachineState.SUSPENDED,
}
"""VirtualBox's words; all others are of machines that do not run."""


async def look(context: Context, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
    """By machine id, with one bulk look at VirtualBox."""
    rows = await context.rows([plan.id for plan in plans]) if plans else {}
    seen: dict[str, Seen] = {}
    for plan in plans:
        row = rows.get(plan.id)
        try:
            record = read(plan)
            watched = context.watch(plan) if record else None
            busy = bool(watched and watched.busy)
            if record and row and not busy and lost(plan, record):
                # Somebody else may have made or deleted a snapshot meanwhile.
                record = await with_disks(context, plan, record)
            seen[plan.id] = judge(plan, record, row, busy=busy)
            if watched and watched.known is None and not busy:
                watched.known = seen[plan.id].state
        except BoxwrightError as error:
            state = MachineState.RUNNING if row and row.live else MachineState.BROKEN
            seen[plan.id] = Seen(state=state, trouble=str(error))
    return seen


def judge(plan: MachinePlan, record: Record | None, row: Row | None, *, busy: bool) -> Seen:
    """From the record and VirtualBox, as they are. ``busy``: an action of ours is at work."""
    name, layout = plan.key.name, Layout.of(plan)
    if record is None:
        if (row is None and not layout.home.exists()) or busy:
            return Seen(state=MachineState.ABSENT)
        trouble = f"The machine's record is gone. boxwright destroy {name} removes the rest."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    if row is None:
        return _unknown(plan)
    if row.trouble:
        trouble = f"VirtualBox cannot read its settings ({row.trouble}). boxwright destroy {name} removes it."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    state = _STATES.get(row.state, MachineState.STOPPED)
    trouble = lost(plan, record)
    if row.live:
        return _live(plan, record, row, state, trouble, busy=busy)
    if trouble:
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    return Seen(state=state)


def _unknown(plan: MachinePlan) -> Seen:
    """VirtualBox does not know it any more."""
    if Layout.of(plan).settings(plan).exists():
        trouble = "Somebody took it out of VirtualBox's list; the next start puts it back."
        return Seen(state=MachineState.STOPPED, trouble=trouble)
    trouble = (
        f"It was deleted in VirtualBox, and its settings are gone. boxwright destroy {plan.key.name} "
        "removes the rest, boxwright up makes it anew."
    )
    return Seen(state=MachineState.BROKEN, trouble=trouble)


def _live(
    plan: MachinePlan, record: Record, row: Row, state: MachineState, trouble: str, *, busy: bool
) -> Seen:
    running = started(record)
    if row.additions:
        shown = {**running.facts, "guest additions": row.additions}
        running = msgspec.structs.replace(running, facts=shown)
    if row.state == "Stuck":
        trouble = trouble or f"Its guest is stuck. boxwright reload {plan.key.name} starts it again."
    if state is MachineState.SUSPENDED and busy:
        state = MachineState.RUNNING
    if state is MachineState.SUSPENDED:
        trouble = trouble or f"Paused from outside. To go on: boxwright resume {plan.key.name}"
    return Seen(state=state, trouble=trouble, started=running)


def end_text(row: Row | None) -> str:
    """Why a machine stopped that nobody here stopped; "" when its guest powered off, as guests may."""
    if row is None:
        return "It was deleted, or taken out of VirtualBox's list, by somebody else."
    if row.state == "Aborted":
        return "VirtualBox's process of this machine was killed, or crashed."
    return ""
