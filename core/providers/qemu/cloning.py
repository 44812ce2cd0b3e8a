"""Linked copies of machines.

The image that the source writes to becomes a base: source and copy go on in overlays of their own, and both
have the base, as a hard link, in their folders, so that either can be removed. An image with snapshots inside
cannot be shared so, as going back to one of them would change it: what its machine wrote is copied instead.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.images import finish
from core.providers.qemu import command, disks, processes
from core.providers.qemu import record as records
from core.providers.qemu.context import Context, existing, facts
from core.providers.qemu.layout import Layout
from core.providers.qemu.monitor import Monitor
from core.providers.qemu.power import refuse_existing
from core.providers.qemu.record import DiskFile, Record
from core.providers.records import write_record
from core.undo import remove


async def clone(context: Context, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
    """All files are made in a folder beside, which then gets its name: the copy is there or not."""
    layout, origin = Layout.of(plan), Layout.of(source)
    refuse_existing(plan)
    record = existing(source)
    trouble = disks.lost(origin, record, source)
    if trouble:
        raise ProviderError(f"The machine {source.key.name} is broken.", why=trouble)
    work.intend("path", path=str(layout.home))
    staging = work.intend("path", path=str(layout.staging))
    await asyncio.to_thread(remove, layout.staging)
    layout.staging.mkdir(mode=0o700)
    if record.points:
        own = await _copied(context, source, record, layout, work)
    else:
        record = await _with_bases(context, source, record, work)
        own = tuple([await _above(origin, layout.staging, disk) for disk in record.disks])
    nvram = record.nvram and msgspec.structs.replace(record.nvram, file="nvram.qcow2")
    if record.nvram and nvram:
        await disks.copy_variables(origin.home / record.nvram.file, layout.staging / nvram.file)
    made = Record(id=plan.id, disks=own, nvram=nvram)
    write_record(layout.staging / layout.record.name, made)
    layout.staging.rename(layout.home)
    staging.settle()


# By bases that are shared.


async def _with_bases(context: Context, source: MachinePlan, record: Record, work: Work) -> Record:
    """The source's record once it goes on in fresh overlays.

    The record is changed before QEMU is: as long as an overlay is empty it is the same as what is below it.
    """
    layout = Layout.of(source)
    running = processes.find(layout.pid_file) is not None
    if not running and all([await disks.untouched(layout, disk) for disk in record.disks]):
        return record
    tag = secrets.token_hex(3)
    changes = [(disk, _moved_on(disk, tag)) for disk in record.disks]
    intent = work.intend(
        "qemu.bases", changes=[msgspec.to_builtins(change) for change in changes], **facts(source)
    )
    for before, after in changes:
        await disks.create_layer(layout.home, before.file, after.file)
    await finish(_switch(context, source, changes))
    intent.settle()
    return existing(source)


def _moved_on(disk: DiskFile, tag: str) -> DiskFile:
    name = f"{disk.node.partition('-')[0]}-{tag}"
    return msgspec.structs.replace(disk, file=f"{name}.qcow2", node=name, bases=(disk.file, *disk.bases))


async def _switch(
    context: Context, source: MachinePlan, changes: Sequence[tuple[DiskFile, DiskFile]]
) -> None:
    layout = Layout.of(source)
    _replace(layout, {before.node: after for before, after in changes})
    if processes.find(layout.pid_file) is None:
        return
    link = await context.running(source)
    with link.changing():
        attached = await _attached(link.monitor)
        actions = []
        for before, after in changes:
            if before.node not in attached:
                continue
            overlay = command.image(layout.home / after.file, after.node)
            await link.monitor.execute("blockdev-add", {**overlay, "backing": None})
            data = {"node": before.node, "overlay": after.node}
            actions.append({"type": "blockdev-snapshot", "data": data})
        await link.monitor.execute("transaction", {"actions": actions})


def _replace(layout: Layout, by: Mapping[str, DiskFile]) -> None:
    """Put other files in the place of disks of the record, named by their nodes."""
    record = records.read(layout)
    if record is None:
        return
    launch = record.launch and msgspec.structs.replace(
        record.launch,
        disks=tuple(by[node].node if node in by else node for node in record.launch.disks),
    )
    changed = tuple(by.get(disk.node, disk) for disk in record.disks)
    records.write(layout, msgspec.structs.replace(record, disks=changed, launch=launch))


async def _attached(monitor: Monitor) -> set[str]:
    """The nodes that the guest's disks are written to."""
    devices = await monitor.execute("query-block")
    return {device["inserted"]["node-name"] for device in devices if "inserted" in device}


async def _above(origin: Layout, folder: Path, disk: DiskFile) -> DiskFile:
    """The copy's disk: an overlay of its own on what it shares with the source."""
    made = _named(origin, folder, disk)
    await disks.create_layer(folder, disk.bases[0], made.file)
    return made


async def undo_bases(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.bases``: overlays that the machine goes on in stay, others go."""
    layout = Layout.from_facts(given)
    changes = msgspec.convert(given["changes"], list[tuple[DiskFile, DiskFile]])
    async with context.monitor(given) as monitor:
        record = records.read(layout)
        known = {disk.node for disk in record.disks} if record else set()
        attached = await _attached(monitor) if monitor else set()
        for before, after in changes:
            if after.node in (attached if attached & {before.node, after.node} else known):
                continue
            _replace(layout, {after.node: before})
            if monitor:
                await _let_go(monitor, after.node)
            (layout.home / after.file).unlink(missing_ok=True)


# By copies, where there are snapshots.


async def _copied(
    context: Context, source: MachinePlan, record: Record, layout: Layout, work: Work
) -> tuple[DiskFile, ...]:
    origin = Layout.of(source)
    made = [_named(origin, layout.staging, disk) for disk in record.disks]
    running = processes.find(origin.pid_file) is not None
    live: list[tuple[DiskFile, DiskFile]] = []
    attached: set[str] = set()
    if running:
        attached = await _attached((await context.running(source)).monitor)
    for disk, copy in zip(record.disks, made, strict=True):
        if disk.node in attached:
            await disks.create_like(origin.home / disk.file, layout.staging / copy.file)
            live.append((disk, copy))
        else:
            await disks.copy(origin.home / disk.file, layout.staging / copy.file)
    if live:
        work.note("copying what the machine has written")
        await _copy_live(context, source, layout.staging, live, work)
    return tuple(made)


async def _copy_live(
    context: Context,
    source: MachinePlan,
    folder: Path,
    pairs: Sequence[tuple[DiskFile, DiskFile]],
    work: Work,
) -> None:
    """QEMU copies all disks as they are at one moment, while the guest goes on writing."""
    link = await context.running(source)
    names = [f"copy{number}-{secrets.token_hex(3)}" for number, _ in enumerate(pairs)]
    intent = work.intend("qemu.copies", nodes=names, **facts(source))
    with link.changing():
        actions = []
        for name, (disk, copy) in zip(names, pairs, strict=True):
            target = command.image(folder / copy.file, name)
            await link.monitor.execute("blockdev-add", {**target, "backing": None})
            data = {"job-id": name, "device": disk.node, "target": name, "sync": "top"}
            actions.append({"type": "blockdev-backup", "data": {**data, "auto-dismiss": False}})
        await link.monitor.jobs("transaction", {"actions": actions}, names)
        for name in names:
            await link.monitor.execute("blockdev-del", {"node-name": name})
    intent.settle()


async def undo_copies(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.copies``: QEMU ends the copying and forgets the targets."""
    async with context.monitor(given) as monitor:
        if monitor:
            for name in given["nodes"]:
                await monitor.end_job(name)
                await _let_go(monitor, name)


async def _let_go(monitor: Monitor, node: str) -> None:
    nodes = await monitor.execute("query-named-block-nodes", {"flat": True})
    if any(known["node-name"] == node for known in nodes):
        await monitor.execute("blockdev-del", {"node-name": node})


def _named(origin: Layout, folder: Path, disk: DiskFile) -> DiskFile:
    """The copy's disk, which is still to be made; the bases below it are there, as hard links."""
    for base in disk.bases:
        (folder / base).hardlink_to(origin.home / base)
    name = disk.node.partition("-")[0]
    if f"{name}.qcow2" in disk.bases:
        name += f"-{secrets.token_hex(3)}"
    return msgspec.structs.replace(disk, file=f"{name}.qcow2", node=name)
