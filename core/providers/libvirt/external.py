"""Snapshots outside of the images: what is written later goes into files of their own, memory into another.

They are Boxwright's own affair, as libvirt before 9.9 cannot go back to such snapshots: the machine's record
says which files belong to which. Files that a snapshot has are never written again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, Snapshot
from core.model.work import Work
from core.providers import images
from core.providers.libvirt import domains
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, facts, undoing
from core.providers.libvirt.creating import SLOW, define
from core.providers.libvirt.element import add, text
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import bindings
from core.providers.libvirt.record import DiskFile, ExternalPoint, Record


def listed(plan: MachinePlan, record: Record) -> list[Snapshot]:
    """As everybody sees them."""
    home = Layout.of(plan).home
    names = {point.tag: point.name for point in record.points}
    return [
        Snapshot(
            name=point.name,
            created=point.created,
            size=_size(home / point.memory) if point.memory else 0,
            parent=names.get(point.parent, ""),
            current=point.tag == record.current,
        )
        for point in record.points
    ]


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return max(1, path.stat().st_size)
    return 1


def find(record: Record, name: str) -> ExternalPoint | None:
    return next((point for point in record.points if point.name == name), None)


async def save(connection: Connection, plan: MachinePlan, record: Record, name: str, work: Work) -> None:
    """The record is changed first: as long as an overlay is empty it is the same as what is below it."""
    layout = Layout.of(plan)
    row = await connection.run(domains.row, plan.id)
    running = row is not None and row.active
    tag = secrets.token_hex(6)
    point = ExternalPoint(
        tag=tag,
        name=name,
        created=time.time(),
        parent=record.current,
        memory=f"memory-{tag}" if running else "",
        disks=record.disks,
    )
    work.intend("libvirt.external", tag=tag, **facts(plan, record.uri))
    disks = await _overlays(layout, record.disks, tag)
    if layout.variables.exists():
        await asyncio.to_thread(shutil.copyfile, layout.variables, _variables(layout, tag))
    before, record = (
        record,
        msgspec.structs.replace(record, disks=disks, points=(*record.points, point), current=tag),
    )
    records.write(layout, record)
    if running:
        work.note("saving memory; the guest stands still meanwhile")
        moves = {
            str(layout.home / old.file): str(layout.home / new.file)
            for old, new in zip(before.disks, disks, strict=True)
        }
        await connection.run(_save, plan.id, tag, moves, str(layout.home / point.memory), timeout=None)
    else:
        await define(connection, plan, record, row)


async def _overlays(layout: Layout, disks: tuple[DiskFile, ...], tag: str) -> tuple[DiskFile, ...]:
    made = []
    for disk in disks:
        file = f"{disk.file.partition('-')[0].removesuffix('.qcow2')}-{tag}.qcow2"
        like = await images.describe(layout.home / disk.file)
        await images.create_layer(layout.home / file, disk.file, "qcow2", like)
        made.append(msgspec.structs.replace(disk, file=file, bases=(disk.file, *disk.bases)))
    return tuple(made)


def _variables(layout: Layout, tag: str) -> Path:
    return layout.home / f"nvram-{tag}.fd"


def _save(handle: Any, machine_id: str, tag: str, moves: Mapping[str, str], memory: str) -> None:
    libvirt = bindings()
    domain = domains.needed(handle, machine_id)
    snapshot = Element("domainsnapshot")
    add(snapshot, "name", tag)
    add(snapshot, "memory", snapshot="external", file=memory)
    disks = add(snapshot, "disks")
    for target, source in _sources(domain).items():
        moved = moves.get(source)
        disk = add(disks, "disk", name=target, snapshot="external" if moved else "no")
        if moved:
            add(disk, "driver", type="qcow2")
            add(disk, "source", file=moved)
    flags = (
        libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC
        | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
        | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
    )
    domain.snapshotCreateXML(text(snapshot), flags)


def _sources(domain: Any) -> dict[str, str]:
    """The files of a domain by the names of their targets, as vda."""
    found = {}
    for disk in ElementTree.fromstring(domain.XMLDesc(0)).iterfind("devices/disk"):
        target, source = disk.find("target"), disk.find("source")
        if target is not None:
            found[target.get("dev", "")] = source.get("file", "") if source is not None else ""
    return found


def _files_in_use(handle: Any, machine_id: str) -> set[str]:
    """Of a guest that runs; nothing of one that does not."""
    domain = domains.find(handle, machine_id)
    return set(_sources(domain).values()) if domain is not None and domain.isActive() else set()


async def undo_save(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.external``: the snapshot goes; overlays that the guest writes to already stay."""
    connection = await undoing(context, given)
    layout, tag = Layout.from_facts(given), given["tag"]
    record = records.read(layout)
    if record is None:
        return
    point = next((point for point in record.points if point.tag == tag), None)
    if point:
        used = await connection.run(_files_in_use, given["id"])
        record = _without(record, point)
        if used and not any(str(layout.home / disk.file) in used for disk in record.disks):
            record = msgspec.structs.replace(record, disks=point.disks, definition="")
        records.write(layout, record)
    await asyncio.to_thread(_sweep, layout, record)


def _without(record: Record, point: ExternalPoint) -> Record:
    """Those on top of it are on top of what was below it then."""
    points = tuple(
        msgspec.structs.replace(each, parent=point.parent) if each.parent == point.tag else each
        for each in record.points
        if each.tag != point.tag
    )
    current = point.parent if record.current == point.tag else record.current
    return msgspec.structs.replace(record, points=points, current=current)


def _sweep(layout: Layout, record: Record) -> None:
    """Remove what no disk and no snapshot has any more."""
    disks = [*record.disks, *(disk for point in record.points for disk in point.disks)]
    kept = {name for disk in disks for name in (disk.file, *disk.bases)}
    kept |= {point.memory for point in record.points}
    kept |= {_variables(layout, point.tag).name for point in record.points}
    for pattern in ("*.qcow2", "memory-*", "nvram-*.fd"):
        for path in layout.home.glob(pattern):
            if path.name not in kept:
                path.unlink(missing_ok=True)


async def revert(
    connection: Connection, plan: MachinePlan, record: Record, point: ExternalPoint
) -> tuple[Record, int]:
    """End the guest, and go on in fresh overlays on the snapshot's files. Returns the record as it is then,
    and the number of the domain's run; -1 where the snapshot has no memory."""
    layout = Layout.of(plan)
    tag = secrets.token_hex(6)
    await connection.run(domains.end, plan.id, timeout=SLOW)
    await connection.run(domains.forget_memory, plan.id)
    disks = await _overlays(layout, point.disks, tag)
    record = msgspec.structs.replace(record, disks=disks, current=point.tag, definition="", run="")
    records.write(layout, record)
    if _variables(layout, point.tag).exists():
        await asyncio.to_thread(shutil.copyfile, _variables(layout, point.tag), layout.variables)
    await asyncio.to_thread(_sweep, layout, record)
    record, _ = await define(connection, plan, record, await connection.run(domains.row, plan.id))
    if not point.memory:
        return record, -1
    moves = {
        str(layout.home / old.file): str(layout.home / new.file)
        for old, new in zip(point.disks, disks, strict=True)
    }
    memory = str(layout.home / point.memory)
    return record, await connection.run(_load, plan.id, memory, moves, timeout=None)


def _load(handle: Any, machine_id: str, memory: str, moves: Mapping[str, str]) -> int:
    tree = ElementTree.fromstring(
        handle.saveImageGetXMLDesc(memory, bindings().VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
    )
    for source in tree.iterfind("devices/disk/source"):
        source.set("file", moves.get(source.get("file", ""), source.get("file", "")))
    handle.restoreFlags(memory, text(tree), bindings().VIR_DOMAIN_SAVE_RUNNING)
    number: int = domains.needed(handle, machine_id).ID()
    return number


async def delete(plan: MachinePlan, record: Record, point: ExternalPoint) -> None:
    """Files that others are on top of stay until those have gone."""
    layout = Layout.of(plan)
    record = _without(record, point)
    records.write(layout, record)
    await asyncio.to_thread(_sweep, layout, record)


def refuse_mixing(record: Record, others: int, *, external: bool) -> None:
    """Raise ProviderError where a machine would have both kinds: one would lose what the other needs."""
    if external and others:
        raise ProviderError(
            "The machine has snapshots inside of its images.",
            why="After an external one they could not be gone back to.",
            remedy='delete them first, or remove snapshots = "external"',
        )
    if not external and (record.points or any(disk.bases for disk in record.disks)):
        raise ProviderError(
            "The machine has external snapshots.",
            why="A snapshot inside of an image would be lost with it, when going back to one of those.",
            remedy='snapshots = "external" in its libvirt table',
        )
