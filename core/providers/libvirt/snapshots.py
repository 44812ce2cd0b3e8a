"""Snapshots, of a running machine with its memory: inside of its images, kept by libvirt, or external."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState, Snapshot
from core.model.work import Work
from core.providers import images, naming
from core.providers.base import Started
from core.providers.libvirt import domains, external, forwards
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, Watched, existing, facts, undoing
from core.providers.libvirt.creating import SLOW
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import read_options
from core.providers.libvirt.power import have_surroundings, prepare, refuse_running, start
from core.providers.libvirt.record import ExternalPoint, Record

_MINE = "boxwright-"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot as libvirt has it."""

    tag: str
    """libvirt's name of it, and its name inside of the images."""
    name: str
    """What the user calls it; of one that was made elsewhere, its tag."""
    created: float
    parent: str = ""
    """Tag of the snapshot that it was made on top of."""
    memory: bool = False
    current: bool = False


def read_point(text: str, current: str) -> Point:
    """From libvirt's XML; ``current``: the tag of the snapshot that the disks go on from."""
    tree = ElementTree.fromstring(text)
    tag = tree.findtext("name", "")
    mine = tag.startswith(_MINE)
    name = tree.findtext("description", "") if mine else tag
    created = float(tree.findtext("creationTime", "0"))
    if mine:
        # libvirt counts whole seconds, which do not put quick ones in order.
        created = int(tag.split("-")[1], 16) / 1e9
    memory = tree.find("memory")
    return Point(
        tag=tag,
        name=name or tag,
        created=created,
        parent=tree.findtext("parent/name", ""),
        memory=memory is not None and memory.get("snapshot", "no") != "no",
        current=tag == current,
    )


def _points(handle: Any, machine_id: str) -> tuple[Point, ...]:
    domain = domains.find(handle, machine_id)
    if domain is None:
        return ()
    current = domain.snapshotCurrent(0).getName() if domain.hasCurrentSnapshot(0) else ""
    found = [read_point(snapshot.getXMLDesc(0), current) for snapshot in domain.listAllSnapshots(0)]
    return tuple(sorted(found, key=lambda point: point.created))


async def list_all(context: Context, plan: MachinePlan) -> tuple[Snapshot, ...]:
    """Oldest first; none of a machine that does not exist."""
    record = records.read(Layout.of(plan))
    if record is None:
        return ()
    points = await context.of(plan, record).run(_points, plan.id)
    if record.points:
        return tuple(external.listed(plan, record))
    sizes = await _sizes(plan, record) if any(point.memory for point in points) else {}
    names = {point.tag: point.name for point in points}
    return tuple(
        Snapshot(
            name=point.name,
            created=point.created,
            size=max(1, sizes.get(point.tag, 0)) if point.memory else 0,
            parent=names.get(point.parent, ""),
            current=point.current,
        )
        for point in points
    )


async def _sizes(plan: MachinePlan, record: Record) -> dict[str, int]:
    """Bytes of memory by tag: it lies in the first image."""
    path = Path(record.disks[0].path or Layout.of(plan).home / record.disks[0].file)
    return await images.snapshots(path) if os.access(path, os.R_OK) else {}


async def save(context: Context, plan: MachinePlan, name: str, work: Work) -> None:
    """With the memory where the machine runs. A suspended machine has to be resumed first."""
    record = existing(plan)
    connection = context.of(plan, record)
    points = await connection.run(_points, plan.id)
    naming.check_new(name, {point.name for point in points} | {point.name for point in record.points})
    outside = read_options(plan.options).snapshots == "external"
    external.refuse_mixing(record, len(points), external=outside)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row and row.saved and not row.active:
            raise ProviderError(
                f"The machine {plan.key.name} is suspended, and its snapshot would be of the disks alone.",
                remedy=f"boxwright resume {plan.key.name}, or boxwright halt, and then the snapshot",
            )
        if outside:
            await external.save(connection, plan, record, name, work)
            watched.known = MachineState.RUNNING if row and row.active else MachineState.STOPPED
            return
        tag = f"{_MINE}{time.time_ns():x}-{secrets.token_hex(3)}"
        # Its undo takes the snapshot away again, should the operation fail later.
        work.intend("libvirt.snapshot", tag=tag, **facts(plan, record.uri))
        if row and row.active:
            work.note("saving memory and disks; the guest stands still meanwhile")
        await connection.run(_save, plan.id, tag, name, timeout=None)
        watched.known = MachineState.RUNNING if row and row.active else MachineState.STOPPED


def _save(handle: Any, machine_id: str, tag: str, name: str) -> None:
    snapshot = Element("domainsnapshot")
    SubElement(snapshot, "name").text = tag
    SubElement(snapshot, "description").text = name
    xml = ElementTree.tostring(snapshot, encoding="unicode")
    domains.needed(handle, machine_id).snapshotCreateXML(xml, 0)


async def _known(
    connection: Connection, plan: MachinePlan, record: Record, name: str
) -> Point | ExternalPoint:
    inside = await connection.run(_points, plan.id)
    points: list[Point | ExternalPoint] = [*record.points, *inside]
    for point in points:
        if point.name == name:
            return point
    raise naming.unknown(plan.key.name, name, [known.name for known in points])


async def restore(context: Context, plan: MachinePlan, name: str, work: Work) -> Started | None:
    """A snapshot with memory leaves the machine running, one without as it was: running or stopped."""
    record = existing(plan)
    connection = context.of(plan, record)
    point = await _known(connection, plan, record, name)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        ran = row is not None and row.active
        if not ran:
            work.intend("libvirt.start", **facts(plan, record.uri))
        begun = await _go_back(context, connection, plan, record, point, work, watched)
    if begun or not ran:
        return begun
    return await start(context, plan, work)


async def _go_back(
    context: Context,
    connection: Connection,
    plan: MachinePlan,
    record: Record,
    point: Point | ExternalPoint,
    work: Work,
    watched: Watched,
) -> Started | None:
    """Disks, and memory where there is some, in which case the machine runs afterwards."""
    work.note("loading memory and disks" if point.memory else "putting the disks back")
    await have_surroundings(connection, plan)
    prepare(record, Layout.of(plan))
    if isinstance(point, ExternalPoint):
        record, number = await external.revert(connection, plan, record, point)
    else:
        # The snapshot brings its own definition along: the next start compares it with the plan again.
        record = msgspec.structs.replace(record, definition="", run="")
        records.write(Layout.of(plan), record)
        number = await connection.run(_revert, plan.id, point.tag, point.memory, timeout=None)
    if not point.memory:
        watched.known = MachineState.STOPPED
        return None
    await context.leave_ports(plan.id)
    ports = forwards.choose(context, plan, record)
    record = await forwards.add(context, plan, record, number, ports)
    watched.known = MachineState.RUNNING
    return forwards.started(record, plan)


def _revert(handle: Any, machine_id: str, tag: str, memory: bool) -> int:
    """Returns the number of the domain's run; -1 where it does not run."""
    libvirt = bindings()
    domain = domains.needed(handle, machine_id)
    snapshot = domain.snapshotLookupByName(tag, 0)
    domains.forget_memory(handle, machine_id)
    domain.revertToSnapshot(snapshot, libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING if memory else 0)
    number: int = domains.needed(handle, machine_id).ID()
    return number


async def start_from(context: Context, plan: MachinePlan, name: str, work: Work) -> Started:
    """Start a stopped machine from a snapshot."""
    record = existing(plan)
    connection = context.of(plan, record)
    point = await _known(connection, plan, record, name)
    async with context.changing(plan) as watched:
        refuse_running(plan, record, await connection.run(domains.row, plan.id))
        work.intend("libvirt.start", **facts(plan, record.uri))
        begun = await _go_back(context, connection, plan, record, point, work, watched)
    return begun or await start(context, plan, work)


async def delete(context: Context, plan: MachinePlan, name: str) -> None:
    record = existing(plan)
    connection = context.of(plan, record)
    point = await _known(connection, plan, record, name)
    async with context.changing(plan) as watched:
        before = watched.known
        if isinstance(point, ExternalPoint):
            await external.delete(plan, record, point)
        else:
            await connection.run(_delete, plan.id, point.tag, timeout=SLOW)
        watched.known = before


def _delete(handle: Any, machine_id: str, tag: str) -> None:
    """From libvirt and from the images; one that is not there is no error."""
    libvirt = bindings()
    domain = domains.find(handle, machine_id)
    if domain is None:
        return
    try:
        domain.snapshotLookupByName(tag, 0).delete(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:
            raise


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.snapshot``."""
    connection = await undoing(context, given)
    await connection.insist(_delete, given["id"], given["tag"])
