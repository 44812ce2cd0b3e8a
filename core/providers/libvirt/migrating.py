"""Moving a running machine to another libvirt, which sees the same files, while its guest goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import ProviderError, UsageError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.images import finish
from core.providers.libvirt import address, domains, forwards, networks
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, existing, facts, undoing
from core.providers.libvirt.creating import SLOW
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import LibvirtError, bindings
from core.providers.libvirt.memory import follow
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import Record

LATE = 10
_GLANCE = 0.2
"""So many looks, and so many seconds between two of them."""

STUCK = 3.0
"""Seconds for libvirt to end a move that was aborted."""


async def migrate(context: Context, plan: MachinePlan, target: str, work: Work) -> Started:
    """Afterwards the machine is at ``target`` (a connection's URI), and nothing of it is where it was."""
    record = existing(plan)
    uri = _checked(plan, record, target)
    source, other = context.connection(record.uri), context.connection(uri)
    async with context.changing(plan) as watched:
        await _refuse(source, other, plan, record)
        wanted = networks.wanted(plan, read_options(plan.options), uri)
        if wanted:
            await other.run(networks.have, wanted, timeout=SLOW)
        intent = work.intend("libvirt.migration", target=uri, **facts(plan, record.uri))
        record = msgspec.structs.replace(record, target=uri)
        records.write(Layout.of(plan), record)
        work.note(f"moving the memory to {uri}")
        await _move(source, other, plan, record, work)
        record = await _arrived(context, plan, record, uri)
        intent.settle()
        watched.known = MachineState.RUNNING
    return forwards.started(record, plan)


def _checked(plan: MachinePlan, record: Record, target: str) -> str:
    uri = read_options({"uri": target}).uri
    if uri == record.uri:
        raise UsageError(f"The machine {plan.key.name} is at {uri} already.")
    far = address.far_host(uri) or address.far_host(record.uri)
    if far and not all(disk.pool for disk in record.disks):
        raise ProviderError(
            f"The machine {plan.key.name} cannot be moved to {uri}.",
            why="Its disks are files in a folder of this computer, which the other one does not see.",
            remedy="storage_pool_name in its libvirt table, with a pool that both have",
        )
    return uri


async def _refuse(source: Connection, other: Connection, plan: MachinePlan, record: Record) -> None:
    row = await source.run(domains.row, plan.id)
    if row is None or not row.active or row.state != bindings().VIR_DOMAIN_RUNNING:
        raise ProviderError(
            f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
        )
    if record.target == other.uri:
        await other.run(domains.remove, plan.id, timeout=SLOW)
    if await other.run(domains.row, plan.id) is not None:
        raise ProviderError(
            f"The machine {plan.key.name} has a domain at {other.uri} already.",
            remedy=f"virsh -c '{other.uri}' undefine {row.name}",
        )


async def _move(source: Connection, other: Connection, plan: MachinePlan, record: Record, work: Work) -> None:
    layout = Layout.of(plan)
    near = address.far_host(source.uri) is None and address.far_host(other.uri) is None
    socket = layout.runtime / "migration"
    handle = await other.handle()
    await asyncio.to_thread(layout.runtime.mkdir, mode=0o700, parents=True, exist_ok=True)
    moving = asyncio.ensure_future(
        source.run(_migrate, plan.id, handle, f"unix://{socket}" if near else "", timeout=None)
    )
    try:
        await follow(source, plan, moving, work)
    except BaseException:
        # A move that was through stays done.
        await finish(end(source, plan, moving))
        raise
    finally:
        records.write(layout, msgspec.structs.replace(record, target=""))
        await asyncio.to_thread(socket.unlink, missing_ok=True)


def _migrate(handle: Any, machine_id: str, other: Any, place: str) -> None:
    """``place``: where QEMU hands over to QEMU, on one computer; "" for what the other libvirt says."""
    libvirt = bindings()
    flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PERSIST_DEST | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
    flags |= libvirt.VIR_MIGRATE_ABORT_ON_ERROR
    if place:
        # Both see the same files, whatever QEMU keeps of them in memory: it is one kernel.
        flags |= libvirt.VIR_MIGRATE_UNSAFE
    parameters = {libvirt.VIR_MIGRATE_PARAM_URI: place} if place else {}
    domains.needed(handle, machine_id).migrate3(other, parameters, flags)


async def end(source: Connection, plan: MachinePlan, moving: asyncio.Future[None]) -> None:
    """Abort a move, and wait until it has ended."""
    step = _abort
    while not moving.done():
        with contextlib.suppress(LibvirtError):
            await source.run(step, plan.id)
        await asyncio.wait({moving}, timeout=STUCK)
        step = _release
    if step is _release:
        with contextlib.suppress(LibvirtError):
            await source.run(domains.go_on, plan.id)
    if not moving.cancelled():
        moving.exception()


def _abort(handle: Any, machine_id: str) -> None:
    domain = domains.find(handle, machine_id)
    if domain is not None and domain.isActive():
        domain.abortJob()


def _release(handle: Any, machine_id: str) -> None:
    """At the hand-over libvirt waits for the guest to stop. When QEMU is told to abort just then, the guest
    goes on before libvirt has looked, and that would wait for ever: it aborts once the guest stops."""
    libvirt = bindings()
    with contextlib.suppress(libvirt.libvirtError):
        _abort(handle, machine_id)
    domain = domains.find(handle, machine_id)
    if domain is None or not domain.isActive() or domain.jobStats(0).get("memory_total"):
        return
    if domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING:
        domain.suspend()


async def _arrived(context: Context, plan: MachinePlan, record: Record, uri: str) -> Record:
    """Its ports lead to where it is now."""
    row = await context.connection(uri).run(domains.row, plan.id)
    if row is None or not row.active:
        raise ProviderError(f"The machine {plan.key.name} has ended while it was moved.")
    await context.leave_ports(plan.id)
    shown = {**record.facts, "domain": f"{row.name} at {uri}"}
    record = msgspec.structs.replace(record, uri=uri, target="", facts=shown)
    records.write(Layout.of(plan), record)
    return await forwards.add(context, plan, record, row.number, record.ports)


async def undo_migrate(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.migration``: a move that was through stays done; of any other nothing is there."""
    other = context.connection(given["target"])
    source = await undoing(context, given)
    layout = Layout.from_facts(given)
    record = records.read(layout)
    here = await source.run(domains.row, given["id"])
    if here is not None and here.active:
        if record and record.target:
            await _await_latecomer(other, given["id"])
        await other.insist(domains.remove, given["id"])
        await source.insist(domains.go_on, given["id"])
        return
    there = await other.run(domains.row, given["id"])
    if there is None:
        return
    if record and record.uri != given["target"]:
        moved = msgspec.structs.replace(record, uri=given["target"], target="", run="")
        records.write(layout, moved)
    await source.insist(domains.remove, given["id"])
    await other.insist(domains.go_on, given["id"])


async def _await_latecomer(other: Connection, machine_id: str) -> None:
    """The engine died while it asked the other libvirt for a domain, which may be about to come up there.
    One that comes even later goes with the next move, or with the machine."""
    for _ in range(LATE):
        if await other.run(domains.row, machine_id) is not None:
            return
        await asyncio.sleep(_GLANCE)
