"""Snapshots of VirtualBox's own: a tree; of a running machine with its memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState, Snapshot
from core.model.work import Work
from core.providers import naming
from core.providers.base import Started
from core.providers.virtualbox.boxes import percent
from core.providers.virtualbox.bridge import VirtualBoxError
from core.providers.virtualbox.context import Context, existing, facts, read, with_disks
from core.providers.virtualbox.layout import machine_uuid
from core.providers.virtualbox.options import read_options
from core.providers.virtualbox.power import SLOW, launch, refuse_running, start
from core.providers.virtualbox.record import started


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot as VirtualBox has it."""

    id: str
    name: str
    created: float
    size: int = 0
    parent: str = ""
    current: bool = False


async def _points(context: Context, plan: MachinePlan) -> list[Point]:
    """Oldest first; none of a machine that VirtualBox does not know."""
    try:
        found = await context.bridge.ask("snapshots", uuid=machine_uuid(plan.id))
    except VirtualBoxError as error:
        if error.kind != "absent":
            raise
        return []
    return sorted(msgspec.convert(found, list[Point]), key=lambda point: point.created)


async def list_all(context: Context, plan: MachinePlan) -> tuple[Snapshot, ...]:
    """Oldest first; none of a machine that does not exist."""
    if read(plan) is None:
        return ()
    return tuple(
        Snapshot(
            name=point.name,
            created=point.created,
            size=point.size,
            parent=point.parent,
            current=point.current,
        )
        for point in await _points(context, plan)
    )


async def _known(context: Context, plan: MachinePlan, name: str) -> Point:
    points = await _points(context, plan)
    for point in points:
        if point.name == name:
            return point
    raise naming.unknown(plan.key.name, name, [point.name for point in points])


async def save(context: Context, plan: MachinePlan, name: str, work: Work) -> None:
    """With the memory where the machine runs. A suspended machine has to be resumed first."""
    record = existing(plan)
    naming.check_new(name, [point.name for point in await _points(context, plan)])
    async with context.changing(plan) as watched:
        row = await context.row(plan)
        if row and row.saved:
            raise ProviderError(
                f"The machine {plan.key.name} is suspended, and its snapshot would not be of a running one.",
                remedy=f"boxwright resume {plan.key.name}, or boxwright halt, and then the snapshot",
            )
        intent = work.intend("virtualbox.snapshot", **facts(plan, name=name))
        try:
            await context.bridge.call(
                "take snapshot",
                patience=SLOW,
                progress=percent(work),
                uuid=machine_uuid(plan.id),
                name=name,
            )
        finally:
            record = await with_disks(context, plan, record)
        watched.known = MachineState.RUNNING if row and row.live else MachineState.STOPPED
    intent.settle()


async def restore(context: Context, plan: MachinePlan, name: str, work: Work) -> Started | None:
    """A snapshot with memory leaves the machine running, one without as it was: running or stopped."""
    existing(plan)
    point = await _known(context, plan, name)
    async with context.changing(plan) as watched:
        row = await context.row(plan)
        ran = row is not None and row.live
        if not ran:
            work.intend("virtualbox.start", **facts(plan))
        await _go_back(context, plan, point, work)
        watched.known = MachineState.RUNNING if point.size else MachineState.STOPPED
    if point.size:
        return started(existing(plan))
    return await start(context, plan, work) if ran else None


async def start_from(context: Context, plan: MachinePlan, name: str, work: Work) -> Started:
    """Start a stopped machine from a snapshot."""
    record = existing(plan)
    point = await _known(context, plan, name)
    async with context.changing(plan) as watched:
        await refuse_running(context, plan, record)
        work.intend("virtualbox.start", **facts(plan))
        await _go_back(context, plan, point, work)
        watched.known = MachineState.RUNNING if point.size else MachineState.STOPPED
    return started(existing(plan)) if point.size else await start(context, plan, work)


async def _go_back(context: Context, plan: MachinePlan, point: Point, work: Work) -> None:
    """Disks, and memory where there is some, in which case the machine runs afterwards."""
    work.note("loading memory and disks" if point.size else "putting the disks back")
    uuid = machine_uuid(plan.id)
    try:
        await context.bridge.call(
            "restore snapshot", patience=SLOW, progress=percent(work), uuid=uuid, point=point.id
        )
    finally:
        await with_disks(context, plan, existing(plan))
    if point.size:
        await launch(context, plan, read_options(plan.options))
    else:
        await context.bridge.call("forget memory", uuid=uuid)


async def delete(context: Context, plan: MachinePlan, name: str) -> None:
    record = existing(plan)
    point = await _known(context, plan, name)
    async with context.changing(plan) as watched:
        before = watched.known
        try:
            await _delete(context, plan.id, point.id)
        except VirtualBoxError as error:
            if error.kind != "state":
                raise
            raise ProviderError(
                f"The snapshot {name!r} cannot be deleted.",
                why=error.problem.what,
                remedy="delete the snapshots that were made from it first",
            ) from error
        finally:
            await with_disks(context, plan, record)
        watched.known = before


async def _delete(context: Context, machine_id: str, point: str) -> None:
    await context.bridge.call("delete snapshot", patience=SLOW, uuid=machine_uuid(machine_id), point=point)


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``virtualbox.snapshot``: delete the snapshot of that name, if it came to be."""
    try:
        found = await context.bridge.ask("snapshots", uuid=machine_uuid(given["id"]))
    except VirtualBoxError as error:
        if error.kind == "absent":
            return
        raise
    for point in msgspec.convert(found, list[Point]):
        if point.name == given["name"]:
            await _delete(context, given["id"], point.id)
