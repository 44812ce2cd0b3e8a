"""Creating, starting, halting and removing machines."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import ExtraDisk, MachinePlan, MachineState
from core.model.work import Work
from core.providers import firmware, images
from core.providers.acceleration import Acceleration
from core.providers.base import Started
from core.providers.libvirt import definition, domains, forwards
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, Watched, existing, facts, undoing, uri_of
from core.providers.libvirt.definition import Hardware
from core.providers.libvirt.domains import Row
from core.providers.libvirt.host import choose, host_of, owner
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import DiskFile, Record
from core.undo import remove

ASK_AGAIN = 3.0
"""Seconds after which the power button is pressed once more: early in its boot a guest does not see it."""

SLOW = 120.0
"""Seconds for calls that start or end a guest's process."""


async def create(context: Context, plan: MachinePlan, work: Work) -> None:
    """All files are made in a folder beside, which then gets its name; the domain comes last."""
    read_options(plan.options)
    layout = Layout.of(plan)
    if layout.home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )
    uri = uri_of(plan)
    async with context.changing(plan) as watched:
        work.intend("path", path=str(layout.home))
        work.intend("path", path=str(layout.staging))
        work.intend("libvirt.domain", **facts(plan, uri))
        record = await _make_files(plan, layout, uri)
        row = await context.connection(uri).run(domains.row, plan.id)
        await _define(context.connection(uri), plan, record, row)
        watched.known = MachineState.STOPPED


async def _make_files(plan: MachinePlan, layout: Layout, uri: str) -> Record:
    await asyncio.to_thread(remove, layout.staging)
    layout.staging.mkdir(mode=0o700)
    disks: list[DiskFile] = []
    for number, disk in enumerate(plan.disks):
        file = f"disk{number}.qcow2"
        backing = await images.create_overlay(layout.staging / file, disk)
        disks.append(DiskFile(file=file, backing=str(backing)))
    for number, extra in enumerate(plan.extra_disks):
        disks.append(await _make_extra(layout.staging, number, extra))
    if plan.firmware == "uefi":
        variables = firmware.find(plan.architecture).variables
        await asyncio.to_thread(shutil.copyfile, variables, layout.staging / layout.variables.name)
    record = Record(id=plan.id, uri=uri, disks=tuple(disks))
    records.write_file(layout.staging / layout.record.name, record)
    layout.staging.rename(layout.home)
    return record


async def _make_extra(folder: Path, number: int, disk: ExtraDisk) -> DiskFile:
    file = f"extra{number}.qcow2"
    await images.create_empty(folder / file, disk.size)
    return DiskFile(file=file, extra=disk.name)


async def _with_extra_disks(plan: MachinePlan, layout: Layout, record: Record, work: Work) -> Record:
    """Make the extra disks that the plan has and the machine not yet."""
    there = {disk.extra for disk in record.disks}
    for disk in plan.extra_disks:
        if disk.name in there:
            continue
        number = sum(1 for known in record.disks if known.extra)
        intent = work.intend("path", path=str(layout.home / f"extra{number}.qcow2"))
        made = await _make_extra(layout.home, number, disk)
        record = msgspec.structs.replace(record, disks=(*record.disks, made))
        records.write(layout, record)
        intent.settle()
    return record


async def _define(
    connection: Connection, plan: MachinePlan, record: Record, row: Row | None
) -> tuple[Record, Acceleration]:
    """Bring the domain up to date with the plan; one that a user has edited since stays as it is."""
    layout = Layout.of(plan)
    options = read_options(plan.options)
    host = await host_of(connection)
    chosen = choose(options.accelerator, plan, host)
    hardware = Hardware(
        kvm=chosen.name == "kvm",
        owner=owner() if host.chowns else "",
        firmware=str(firmware.find(plan.architecture).code) if plan.firmware == "uefi" else "",
    )
    name = row.name if row else definition.domain_name(plan)
    xml = definition.build(name, plan, options, record, layout, hardware)
    digest = definition.digest(xml)
    if row is None or record.definition != digest:
        await connection.run(domains.define, plan.id, name, xml, timeout=SLOW)
        record = msgspec.structs.replace(record, definition=digest)
        records.write(layout, record)
    return record, chosen


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Start a stopped machine from its disks."""
    record = existing(plan)
    layout = Layout.of(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        refuse_running(plan, record, row)
        record = await _with_extra_disks(plan, layout, record, work)
        record, chosen = await _define(connection, plan, record, row)
        shown = _shown(plan, record, row, chosen)
        record = msgspec.structs.replace(record, facts=shown)
        ports = forwards.choose(context.claims, plan, record)
        try:
            work.intend("libvirt.start", **facts(plan, record.uri))
            prepare(layout)
            layout.serial_log.write_bytes(b"")
            work.note(f"starting the domain, acceleration: {chosen}")
            number = await connection.run(domains.create, plan.id, timeout=SLOW)
            record = await forwards.add(connection, context.claims, plan, record, number, ports)
        finally:
            context.claims.release(plan.id)
        watched.known = MachineState.RUNNING
    return forwards.started(record)


def _shown(plan: MachinePlan, record: Record, row: Row | None, chosen: Acceleration) -> dict[str, str]:
    options = read_options(plan.options)
    shown = {
        "acceleration": str(chosen),
        "machine": options.machine or definition.MACHINES.get(plan.architecture, "virt"),
        "domain": f"{row.name if row else definition.domain_name(plan)} at {record.uri}",
    }
    if options.display == "vnc":
        shown["display"] = f"vnc at {Layout.of(plan).vnc_socket}"
    return shown


def prepare(layout: Layout) -> None:
    """Before any start: libvirt's log keeper appends to a file that is ours already, so we may read it."""
    layout.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.serial_log.touch(mode=0o600)


def refuse_running(plan: MachinePlan, record: Record, row: Row | None) -> None:
    """Raise ProviderError where the machine cannot be started as it is."""
    if row and row.active:
        raise ProviderError(f"The machine {plan.key.name} runs already.")
    if row and row.saved:
        raise ProviderError(
            f"The machine {plan.key.name} is suspended.",
            why="Starting it from its disks would lose what is in its saved memory.",
            remedy=f"boxwright resume {plan.key.name}",
        )
    trouble = lost(plan, record)
    if trouble:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=trouble)


def lost(plan: MachinePlan, record: Record) -> str:
    """Says which image is missing, and what to do; "" where all are there."""
    home = Layout.of(plan).home
    found = (images.lost(home / disk.file, disk.backing, plan.key.name) for disk in record.disks)
    return next(filter(None, found), "")


async def stop(context: Context, plan: MachinePlan, work: Work, *, force: bool) -> None:
    """Power button first, then by force; a suspended machine loses its saved memory."""
    record = records.read(Layout.of(plan))
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row and row.active and (force or not await _power_button(connection, plan, work, watched)):
            await connection.run(domains.end, plan.id, timeout=SLOW)
        if row:
            await connection.run(domains.forget_memory, plan.id)
        remove_traces(Layout.of(plan))
        watched.known = MachineState.STOPPED


async def _power_button(connection: Connection, plan: MachinePlan, work: Work, watched: Watched) -> bool:
    """Whether the guest powered off by itself."""
    work.note("asking the guest to power off")
    until = time.monotonic() + plan.halt_timeout
    while (left := until - time.monotonic()) > 0:
        watched.stopped.clear()
        if not await connection.run(_press, plan.id):
            return True
        # Not wait_for: a cancellation and an answer at the same moment must not lose the cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(left, ASK_AGAIN)):
                await watched.stopped.wait()
                return True
    work.note(f"the guest did not power off within {plan.halt_timeout:g} s: by force")
    return False


def _press(handle: Any, machine_id: str) -> bool:
    """Press the power button; False where the machine does not run any more."""
    libvirt = bindings()
    domain = domains.find(handle, machine_id)
    if domain is None or not domain.isActive():
        return False
    try:
        if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
            domain.resume()
        domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise
        return False
    return True


def remove_traces(layout: Layout) -> None:
    """What a run leaves in the folder for sockets."""
    with contextlib.suppress(OSError):
        layout.vnc_socket.unlink()
    with contextlib.suppress(OSError):
        layout.runtime.rmdir()


async def destroy(context: Context, plan: MachinePlan) -> None:
    """End and undefine the domain and remove every file, whatever there is."""
    layout = Layout.of(plan)
    async with context.changing(plan):
        await context.connection(uri_of(plan)).run(domains.remove, plan.id, timeout=SLOW)
        for path in (layout.home, layout.staging):
            await asyncio.to_thread(remove, path)
        remove_traces(layout)
    context.forget(plan)


async def undo_create(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.domain``: end and undefine exactly that machine's domain."""
    connection = await undoing(context, given)
    await connection.run(domains.remove, given["id"], timeout=SLOW)
    remove_traces(Layout.from_facts(given))


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.start``: switch exactly that machine's domain off."""
    connection = await undoing(context, given)
    await connection.run(domains.end, given["id"], timeout=SLOW)
    remove_traces(Layout.from_facts(given))
