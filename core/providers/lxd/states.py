"""What is really there of a machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen
from core.providers.looking import look_by_place
from core.providers.lxd import forwards, instances
from core.providers.lxd import record as records
from core.providers.lxd.context import Context, Watched
from core.providers.lxd.instances import Row
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import read_options
from core.providers.lxd.place import Place, place_of
from core.providers.lxd.power import gone
from core.providers.lxd.record import Record

HEARSAY = 2.0
"""Seconds for the server to say how a container ended that has ended."""

_Group = Sequence[tuple[MachinePlan, Record | None]]


async def look(context: Context, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
    """By machine id, see :func:`core.providers.looking.look_by_place`."""
    return await look_by_place(
        plans,
        read=lambda plan: records.read(Layout.of(plan)),
        place=lambda plan, record: record.place if record else place_of(read_options(plan.options)),
        look=lambda place, group: _look_at(context, place, group),
    )


async def _look_at(context: Context, place: Place, group: _Group) -> dict[str, Seen]:
    await context.follow(place)
    by_id: dict[str, list[Row]] = {}
    if len(group) > 1:
        for row in await instances.ours(context.connection(place)):
            by_id.setdefault(row.id, []).append(row)
    seen: dict[str, Seen] = {}
    for plan, record in group:
        watched = context.watch(plan)
        if len(group) > 1:
            uuid = record.uuid if record else ""
            found = instances.choose(by_id.get(plan.id, ()), plan.id, uuid=uuid, name=watched.name)
            if found and record:
                found = instances.as_left(found, thawing=record.thawing)
        else:
            found = await context.row(plan, record)
        if found:
            watched.name = found.name
        seen[plan.id] = judge(plan, record, found)
        if watched.known is None and not watched.busy:
            watched.known = seen[plan.id].state
    return seen


def judge(plan: MachinePlan, record: Record | None, row: Row | None) -> Seen:
    """From the record and the instance, as they are."""
    name = plan.key.name
    if record is None:
        if row is None and not Layout.of(plan).home.exists():
            return Seen(state=MachineState.ABSENT)
        trouble = f"The machine's record is gone. boxwright destroy {name} removes the rest."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    if row is None:
        return Seen(state=MachineState.BROKEN, trouble=gone(plan))
    match row.status:
        case instances.RUNNING:
            return Seen(state=MachineState.RUNNING, started=forwards.started(plan, record, row))
        case instances.FROZEN | instances.FREEZING:
            return Seen(state=MachineState.SUSPENDED)
        case instances.STOPPED:
            return Seen(state=MachineState.STOPPED)
        case "Starting":
            return Seen(state=MachineState.STARTING)
        case "Stopping":
            return Seen(state=MachineState.STOPPING)
    trouble = f"The server says of it: {row.status or 'nothing'}. boxwright destroy {name} removes it."
    return Seen(state=MachineState.BROKEN, trouble=trouble)


async def end_text(watched: Watched) -> str:
    """Why a machine stopped that nobody here stopped; "" when its guest halted, as guests may.

    That it has stopped may be seen a moment before the server says how.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARSAY):
            await watched.heard.wait()
    if watched.ended_by == "instance-shutdown":
        return ""
    if watched.ended_by == "instance-stopped":
        return "It was stopped by somebody else (lxc stop, or another program)."
    return "It stopped while its server could not be heard."
