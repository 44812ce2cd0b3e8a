"""Snapshots inside of the machine's images: of a running machine with its memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, Snapshot
from core.model.work import Work
from core.providers import naming
from core.providers.base import Started
from core.providers.images import finish
from core.providers.qemu import disks, memory, processes
from core.providers.qemu import record as records
from core.providers.qemu.context import Context, existing, facts
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link
from core.providers.qemu.monitor import Monitor, MonitorError
from core.providers.qemu.power import quit_now, refuse_running, start
from core.providers.qemu.record import DiskFile, Record, SavedPoint
from core.providers.qemu.starting import launch
from core.providers.qemu.states import started


def list_all(plan: MachinePlan) -> tuple[Snapshot, ...]:
    """Oldest first; none of a machine that does not exist."""
    record = records.read(Layout.of(plan))
    if record is None:
        return ()
    names = {point.tag: point.name for point in record.points}
    return tuple(
        Snapshot(
            name=point.name,
            created=point.created,
            size=point.size,
            parent=names.get(point.parent, ""),
            current=point.tag == record.current,
        )
        for point in sorted(record.points, key=lambda point: point.created)
    )


async def save(context: Context, plan: MachinePlan, name: str, work: Work) -> None:
    """With the memory where the machine runs. A suspended machine has to be resumed first."""
    layout = Layout.of(plan)
    record = existing(plan)
    naming.check_new(name, [point.name for point in record.points])
    pid = processes.find(layout.pid_file)
    if pid is None:
        _refuse_suspended(plan)
        await refuse_running(context, plan, record)
    point = SavedPoint(
        name=name, tag=secrets.token_hex(6), created=time.time(), parent=record.current, disks=()
    )
    intent = work.intend("qemu.snapshot", tag=point.tag, **facts(plan))
    if pid is None:
        chosen = [disk.node for disk in record.all_disks]
        for node in chosen:
            await finish(disks.snapshot(layout, record.disk(node), "-c", point.tag))
        point = msgspec.structs.replace(point, disks=tuple(chosen))
    else:
        link = await context.running(plan)
        with link.changing():
            work.note("saving memory and disks; the guest stands still meanwhile")
            point, record = await finish(_save_live(link, layout, record, point))
    records.write(layout, msgspec.structs.replace(record, points=(*record.points, point), current=point.tag))
    del intent  # Its undo takes the snapshot out of images and record, should the operation fail later.


async def _save_live(
    link: Link, layout: Layout, record: Record, point: SavedPoint
) -> tuple[SavedPoint, Record]:
    needed = await memory.versioned(link.monitor, record.launch)
    nodes = _writable(record, needed.disks)
    try:
        await link.monitor.job(
            "snapshot-save",
            f"save-{point.tag}",
            {"tag": point.tag, "vmstate": nodes[0], "devices": list(nodes)},
        )
    except MonitorError as error:
        why, remedy = memory.failed_write(error, layout)
        raise ProviderError(
            f"The snapshot {point.name!r} could not be saved; the machine runs on.", why=why, remedy=remedy
        ) from error
    sizes = await disks.snapshots(layout, record.disk(nodes[0]))
    done = msgspec.structs.replace(point, disks=nodes, size=sizes.get(point.tag, 0), launch=needed)
    return done, record


def _writable(record: Record, attached: tuple[str, ...]) -> tuple[str, ...]:
    return attached + ((record.nvram.node,) if record.nvram else ())


def _refuse_suspended(plan: MachinePlan) -> None:
    if Layout.of(plan).saved.exists():
        raise ProviderError(
            f"The machine {plan.key.name} is suspended, and its snapshot would be of the disks alone.",
            remedy=f"boxwright resume {plan.key.name}, or boxwright halt, and then the snapshot",
        )


def _known(plan: MachinePlan, record: Record, name: str) -> SavedPoint:
    point = record.point(name)
    if point is None:
        raise naming.unknown(plan.key.name, name, [known.name for known in record.points])
    return point


async def restore(context: Context, plan: MachinePlan, name: str, work: Work) -> Started | None:
    """A snapshot with memory leaves the machine running, one without as it was: running or stopped."""
    layout = Layout.of(plan)
    record = existing(plan)
    point = _known(plan, record, name)
    await _all_there(layout, record, point)
    pid = processes.find(layout.pid_file)
    if pid is None:
        return await _restore_stopped(context, plan, record, point, work)
    link = await context.running(plan)
    with link.changing():
        if point.launch and await _fits(link.monitor, record, point):
            work.note("loading memory and disks")
            await finish(_load_in_place(context, link, plan, point))
            _go_on_from(layout, point)
            return started(existing(plan), plan)
        work.note("ending QEMU")
        await quit_now(link)
        await context.end(plan.id, layout)
    begun = await _restore_stopped(context, plan, existing(plan), point, work)
    return begun or await start(context, plan, work)


async def _all_there(layout: Layout, record: Record, point: SavedPoint) -> None:
    """Before anything is changed: every image must have its part."""
    for node in point.disks:
        if point.tag not in await disks.snapshots(layout, record.disk(node)):
            raise ProviderError(
                f"The snapshot {point.name!r} is damaged.",
                why=f"{record.disk(node).file} does not hold its part of it.",
                remedy=f"boxwright snapshot delete {point.name!r}",
            )


async def _fits(monitor: Monitor, record: Record, point: SavedPoint) -> bool:
    """Whether the running process has the very hardware that the snapshot was made of."""
    return await memory.versioned(monitor, record.launch) == point.launch


async def _load_in_place(context: Context, link: Link, plan: MachinePlan, point: SavedPoint) -> None:
    try:
        await _load(link.monitor, point)
        await link.monitor.execute("cont")
    except MonitorError as error:
        await context.end(plan.id, Layout.of(plan))
        raise ProviderError(
            f"The snapshot {point.name!r} could not be loaded; the machine was stopped.",
            why=error.problem.why or error.problem.what,
            remedy=f"boxwright snapshot restore {point.name!r} once more, or boxwright up",
        ) from error


async def _load(monitor: Monitor, point: SavedPoint) -> None:
    await monitor.job(
        "snapshot-load",
        f"load-{secrets.token_hex(4)}",
        {"tag": point.tag, "vmstate": point.disks[0], "devices": list(point.disks)},
    )


async def _restore_stopped(
    context: Context, plan: MachinePlan, record: Record, point: SavedPoint, work: Work
) -> Started | None:
    layout = Layout.of(plan)
    if point.launch is None:
        work.note("putting the disks back")
        for node in point.disks:
            await finish(disks.snapshot(layout, record.disk(node), "-a", point.tag))
        layout.saved.unlink(missing_ok=True)
        _go_on_from(layout, point)
        return None
    layout.saved.unlink(missing_ok=True)
    return await _start_with_memory(context, plan, record, point, work)


async def _start_with_memory(
    context: Context, plan: MachinePlan, record: Record, point: SavedPoint, work: Work
) -> Started:
    """Start QEMU, the guest not running, load memory and disks, go on."""
    assert point.launch is not None
    layout = Layout.of(plan)
    await refuse_running(context, plan, record)
    work.intend("qemu.process", **facts(plan))
    work.note("starting QEMU")
    shown = {**record.facts, "acceleration": f"{point.launch.accelerator} (as in the snapshot)"}
    link, record = await launch(context.links, context.claims, plan, record, point.launch, shown, paused=True)
    with link.changing():
        work.note("loading memory and disks")
        await finish(_load_in_place(context, link, plan, point))
    _go_on_from(layout, point)
    return started(record, plan)


async def start_from(context: Context, plan: MachinePlan, name: str, work: Work) -> Started:
    """Start a stopped machine from a snapshot."""
    record = existing(plan)
    point = _known(plan, record, name)
    await refuse_running(context, plan, record)
    await _all_there(Layout.of(plan), record, point)
    begun = await _restore_stopped(context, plan, record, point, work)
    return begun or await start(context, plan, work)


def _go_on_from(layout: Layout, point: SavedPoint) -> None:
    record = records.read(layout)
    if record:
        records.write(layout, msgspec.structs.replace(record, current=point.tag))


async def delete(context: Context, plan: MachinePlan, name: str) -> None:
    """Out of the record first: a snapshot that is half deleted is not offered any more."""
    layout = Layout.of(plan)
    point = _known(plan, existing(plan), name)
    _forget(layout, point.tag)
    await finish(_remove(context, facts(plan), point.tag))


def _forget(layout: Layout, tag: str) -> None:
    record = records.read(layout)
    gone = next((point for point in record.points if point.tag == tag), None) if record else None
    if record is None or gone is None:
        return
    kept = [
        msgspec.structs.replace(point, parent=gone.parent) if point.parent == tag else point
        for point in record.points
        if point.tag != tag
    ]
    current = gone.parent if record.current == tag else record.current
    records.write(layout, msgspec.structs.replace(record, points=tuple(kept), current=current))


async def _remove(context: Context, given: Mapping[str, Any], tag: str) -> None:
    """Out of all images, whether the machine runs or not; what is not there is no error."""
    layout = Layout.from_facts(given)
    record = records.read(layout)
    if record is None:
        return
    async with context.monitor(given) as monitor:
        attached = _writable(record, record.launch.disks) if monitor and record.launch else ()
        for disk in record.all_disks:
            if not await _holds(layout, disk, tag):
                continue
            if monitor and disk.node in attached:
                await monitor.job(
                    "snapshot-delete", f"delete-{secrets.token_hex(4)}", {"tag": tag, "devices": [disk.node]}
                )
            else:
                await disks.snapshot(layout, disk, "-d", tag)


async def _holds(layout: Layout, disk: DiskFile, tag: str) -> bool:
    if not (layout.home / disk.file).exists():
        return False
    return tag in await disks.snapshots(layout, disk)


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.snapshot``."""
    layout = Layout.from_facts(given)
    _forget(layout, given["tag"])
    await _remove(context, given, given["tag"])
