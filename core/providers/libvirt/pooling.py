"""A machine's disks as volumes in storage pools: linked clones of a box's volume, which machines share."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.model.machine import Disk, ExtraDisk, MachinePlan
from core.model.work import Work
from core.providers import images
from core.providers.libvirt import address, definition, volumes
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, undoing
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options
from core.providers.libvirt.record import DiskFile, Record
from core.providers.libvirt.volumes import Upload, Volume

DEFAULT = "default"
"""The pool where none is named and one is needed."""

SLOW = 120.0
"""Seconds for calls that make or remove a volume."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class Pools(msgspec.Struct, frozen=True):
    """Where a machine's volumes are."""

    box: str
    """Pool of the box's volumes."""
    machine: str
    """Pool of the machine's own."""
    folder: str
    """Where the first one is made if it is not there; "" for not at all."""


def pools_for(options: Options, uri: str) -> Pools | None:
    """None where disks are files in the machine's folder: on this computer, unless a pool is named."""
    if not options.pool and address.far_host(uri) is None:
        return None
    box = options.storage_pool_name or options.snapshot_pool_name or DEFAULT
    return Pools(box, options.snapshot_pool_name or box, options.storage_pool_path)


def owner(uri: str) -> str:
    """Of new volumes: whoever the guest's process runs as."""
    return "" if address.far_host(uri) else f"{os.getuid()}:{os.getgid()}"


async def make_disks(
    context: Context, plan: MachinePlan, options: Options, record: Record, work: Work
) -> Record:
    """Volumes for all disks; returns the record with them."""
    pools = pools_for(options, record.uri)
    assert pools is not None
    connection = context.connection(record.uri)
    name = definition.domain_name(plan, options)
    async with context.sharing:
        intent = work.intend("libvirt.pool", uri=record.uri, name=pools.box)
        key = (record.uri, pools.box, "")
        if await connection.run(volumes.needed_pool, pools.box, pools.folder, timeout=SLOW):
            context.shared.add(key)
        else:
            intent.settle()
        if key in context.shared or key in _shared_by_others(plan):
            record = msgspec.structs.replace(record, pools=(pools.box,))
        if pools.machine != pools.box:
            await connection.run(volumes.needed_pool, pools.machine, "", timeout=SLOW)
        for number, disk in enumerate(plan.disks):
            record, base = await _have_base(context, plan, record, pools.box, disk, work)
            made = Volume(
                pool=pools.machine,
                name=f"{name}_{number}.img" if number else f"{name}.img",
                capacity=disk.size or await _size(Path(disk.path)),
                backing=base,
                backing_format=disk.format,
                owner=owner(record.uri),
            )
            record = await _make(context, record, made, work)
    return record


async def make_extra(
    context: Context, plan: MachinePlan, options: Options, record: Record, disk: ExtraDisk, work: Work
) -> Record:
    """A volume for an extra disk; returns the record with it."""
    pools = pools_for(options, record.uri)
    assert pools is not None
    name = f"{definition.domain_name(plan, options)}-{_UNSAFE.sub('_', disk.name)}.qcow2"
    made = Volume(pool=pools.machine, name=name, capacity=disk.size, owner=owner(record.uri))
    return await _make(context, record, made, work, extra=disk.name)


async def _make(context: Context, record: Record, volume: Volume, work: Work, extra: str = "") -> Record:
    work.intend("libvirt.volume", uri=record.uri, pool=volume.pool, name=volume.name, shared=False)
    path = await context.connection(record.uri).run(volumes.make, volume, timeout=SLOW)
    made = DiskFile(file=volume.name, extra=extra, pool=volume.pool, path=path, backing=volume.backing)
    return msgspec.structs.replace(record, disks=(*record.disks, made))


async def _have_base(
    context: Context, plan: MachinePlan, record: Record, pool: str, disk: Disk, work: Work
) -> tuple[Record, str]:
    """The box's volume, uploaded where it is not there yet; returns its path, too."""
    connection = context.connection(record.uri)
    image = images.image_of_box(disk)
    name = volumes.box_volume_name(plan.box_name, plan.box_version, _name_in_box(plan, disk), image)
    await connection.run(volumes.refresh, pool, timeout=SLOW)
    path = await connection.run(volumes.path_of, pool, name)
    key = (record.uri, pool, name)
    if not path:
        capacity = disk.size or await _size(image)
        made = Volume(pool=pool, name=name, format=disk.format, capacity=capacity, owner=owner(record.uri))
        work.intend("libvirt.volume", uri=record.uri, pool=pool, name=name, shared=True)
        work.note(f"copying the box into the storage pool {pool}")
        path = await upload(connection, image, made, work)
        context.shared.add(key)
    if key in context.shared or key in _shared_by_others(plan):
        record = msgspec.structs.replace(record, uploads=(*record.uploads, (pool, name, path)))
    return record, path


async def _size(image: Path) -> int:
    return int((await images.describe(image))["virtual-size"])


def _name_in_box(plan: MachinePlan, disk: Disk) -> str:
    within = next((name for name, place in plan.box_files.items() if place == disk.path), "box.img")
    return disk.name or str(Path(within).with_suffix(""))


async def upload(connection: Connection, image: Path, volume: Volume, work: Work) -> str:
    """Progress is shown; a cancellation ends it, and the volume is gone."""
    size = (await asyncio.to_thread(image.stat)).st_size
    stop = threading.Event()
    order = Upload(source=image, volume=volume, told=lambda done: work.progress(done, size, "B"), stop=stop)
    sending = asyncio.ensure_future(connection.run(volumes.upload, order, timeout=None))
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.exception()
        raise


def _shared_by_others(plan: MachinePlan) -> set[tuple[str, str, str]]:
    """Pools and box volumes that Boxwright has made for other machines of this user."""
    found: set[tuple[str, str, str]] = set()
    folder = Path(plan.folder)
    for path in folder.parent.glob("*/libvirt/machine.json"):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            continue
        found |= {(record.uri, pool, name) for pool, name, _ in record.uploads}
        found |= {(record.uri, pool, "") for pool in record.pools}
    return found


async def remove_disks(context: Context, plan: MachinePlan, options: Options, uri: str) -> None:
    """Take the machine's volumes away, and what it shared with machines that are gone."""
    record = records.readable(Layout.of(plan))
    own = [(disk.pool, disk.file) for disk in record.disks if disk.pool] if record else []
    pools = pools_for(options, uri)
    if record is None and pools:
        name = definition.domain_name(plan, options)
        count = range(len(plan.disks))
        own = [(pools.machine, f"{name}_{number}.img" if number else f"{name}.img") for number in count]
    connection = context.connection(uri)
    for pool, name in own:
        await connection.run(volumes.remove, pool, name, timeout=SLOW)
    if record and (record.uploads or record.pools):
        async with context.sharing:
            for pool, name, path in record.uploads:
                if await connection.run(_remove_unused, pool, name, path, timeout=SLOW):
                    context.shared.discard((uri, pool, name))
            for pool in record.pools:
                if await connection.run(volumes.drop_pool, pool, timeout=SLOW):
                    context.shared.discard((uri, pool, ""))


def _remove_unused(handle: Any, pool: str, name: str, path: str) -> bool:
    """Volumes of a box go with the last machine that is a linked clone of them. Whether it is gone."""
    path = path or volumes.path_of(handle, pool, name)
    if path and volumes.is_used(handle, path):
        return False
    volumes.remove(handle, pool, name)
    return True


async def undo_volume(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.volume``."""
    connection = await undoing(context, given)
    if given["shared"]:
        await connection.insist(_remove_unused, given["pool"], given["name"], "")
    else:
        await connection.insist(volumes.remove, given["pool"], given["name"])


async def undo_pool(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.pool``: one that is still empty goes."""
    connection = await undoing(context, given)
    await connection.insist(volumes.drop_pool, given["name"])
