"""Linked copies of machines: what the source has written is copied, on top of the same box.

A guest that runs stands still for the moment of the copy, with everything that it wrote on its disks.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers import images
from core.providers.libvirt import address, definition, domains, pooling, volumes
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.containers import root
from core.providers.libvirt.context import Context, existing, facts, undoing
from core.providers.libvirt.creating import begin, define, refuse_existing, settle_files
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import read_options
from core.providers.libvirt.power import lost
from core.providers.libvirt.record import DiskFile, Record
from core.providers.libvirt.volumes import Volume


async def clone(context: Context, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
    """All files are made in a folder beside, which then gets its name; the domain comes last."""
    refuse_existing(plan)
    record = existing(source)
    trouble = lost(source, record)
    if trouble:
        raise ProviderError(f"The machine {source.key.name} is broken.", why=trouble)
    connection = context.connection(record.uri)
    layout = Layout.of(plan)
    async with context.changing(plan) as watched:
        work.intend("path", path=str(layout.home))
        work.intend("path", path=str(layout.staging))
        await begin(layout)
        made = Record(id=plan.id, uri=record.uri, disks=(), uploads=record.uploads, pools=record.pools)
        async with _standing_still(context, connection, source, work):
            work.note("copying what the machine has written")
            for disk in record.disks:
                copied = await _copy(connection, source, plan, disk, work)
                made = msgspec.structs.replace(made, disks=(*made.disks, copied))
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(
                shutil.copyfile, Layout.of(source).variables, layout.staging / layout.variables.name
            )
        await settle_files(plan, read_options(plan.options), made, layout)
        work.intend("libvirt.domain", **facts(plan, record.uri))
        await define(connection, plan, made, await connection.run(domains.row, plan.id))
        watched.known = MachineState.STOPPED


@contextlib.asynccontextmanager
async def _standing_still(
    context: Context, connection: Connection, source: MachinePlan, work: Work
) -> AsyncIterator[None]:
    """Within the block the source's disks do not change."""
    async with context.changing(source) as watched:
        before = watched.known
        row = await connection.run(domains.row, source.id)
        if row is None or row.state != bindings().VIR_DOMAIN_RUNNING:
            yield
            watched.known = before
            return
        intent = work.intend("libvirt.pause", **facts(source, connection.uri))
        await connection.run(domains.pause, source.id)
        yield
        await images.finish(connection.run(domains.go_on, source.id))
        intent.settle()
        watched.known = MachineState.RUNNING


async def undo_pause(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.pause``: the guest goes on."""
    connection = await undoing(context, given)
    await connection.insist(domains.go_on, given["id"])


async def _copy(
    connection: Connection, source: MachinePlan, plan: MachinePlan, disk: DiskFile, work: Work
) -> DiskFile:
    staging = Layout.of(plan).staging
    if not disk.pool:
        home = Layout.of(source).home
        for base in disk.bases:
            # Nothing writes to these any more: both have them, and either may go.
            await asyncio.to_thread((staging / base).hardlink_to, home / base)
        if address.is_container(connection.uri):
            await root.copy(home / disk.file, staging / disk.file)
        else:
            await _copy_image(home / disk.file, staging / disk.file)
        return disk
    file = _renamed(source, plan, disk)
    local = staging / "volume"
    capacity = await connection.run(volumes.download, disk.pool, disk.file, local, timeout=None)
    await images.forget_snapshots(local)
    made = Volume(pool=disk.pool, name=file, capacity=capacity, owner=pooling.owner(connection.uri))
    work.intend("libvirt.volume", uri=connection.uri, pool=disk.pool, name=file, shared=False)
    path = await pooling.upload(connection, local, made, work)
    await asyncio.to_thread(local.unlink)
    return msgspec.structs.replace(disk, file=file, path=path)


def _renamed(source: MachinePlan, plan: MachinePlan, disk: DiskFile) -> str:
    """A volume's name with the copy's name in place of the source's."""
    name, other = (definition.domain_name(each, read_options(each.options)) for each in (plan, source))
    return name + disk.file.removeprefix(other) if disk.file.startswith(other) else f"{name}-{disk.file}"


async def _copy_image(original: Path, target: Path) -> None:
    """What is in the image itself, without its snapshots."""
    found = await images.describe(original)
    below = found.get("backing-filename", "")
    base = ("-B", below, "-F", found.get("backing-filename-format", "raw")) if below else ()
    await images.convert(original, target, f"The disk {original.name} cannot be copied.", "-U", *base)
