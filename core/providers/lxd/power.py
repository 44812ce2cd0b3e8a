"""Creating, starting, halting and removing machines."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.lxd import acquaintance, definition, forwards, images, instances, networks, volumes
from core.providers.lxd import record as records
from core.providers.lxd.connection import Connection
from core.providers.lxd.context import Context, existing, facts, place_for, undoing
from core.providers.lxd.instances import Row, default_name
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import Options, read_options
from core.providers.lxd.record import Record
from core.providers.lxd.troubles import LxdError
from core.undo import remove


async def create(context: Context, plan: MachinePlan, work: Work) -> None:
    """Image, networks and disks first, then the instance; the record comes last."""
    options = read_options(plan.options)
    layout = Layout.of(plan)
    if layout.home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )
    place = place_for(plan)
    await acquaintance.meet(place, options.token_file)
    connection = context.connection(place)
    async with context.changing(plan, "instance-created") as watched:
        work.intend("path", path=str(layout.home))
        work.intend("lxd.machine", **facts(plan, place), networks=[net.name for net in plan.networks])
        row = await _make(context, connection, plan, options, work)
        shown = {"container": f"{row.name} at {place}"}
        if options.image:
            shown["image"] = options.image
        records.write(layout, Record(id=plan.id, place=place, uuid=row.uuid, facts=shown))
        watched.name, watched.known = row.name, MachineState.STOPPED


async def _make(
    context: Context, connection: Connection, plan: MachinePlan, options: Options, work: Work
) -> Row:
    source = await context.images.source(connection, plan, options, work)
    names = [source.get("fingerprint", ""), *(network.name for network in plan.networks)]
    with coming(context, names):
        pool = await surroundings(context, connection, plan, options)
        wanted = definition.build(plan, options, pool)
        body = {
            "name": default_name(plan),
            "type": "container",
            "source": source,
            "config": wanted.config,
            "devices": wanted.devices,
            "profiles": wanted.profiles,
            "description": f"{plan.key.name} of {plan.key.project}",
        }
        work.note("making the container")
        await instances.create(connection, body, target=options.target)
        row = await context.row(plan)
    if row is None:
        raise ProviderError(f"The container of {plan.key.name} is gone: somebody deleted it.")
    return row


@contextlib.contextmanager
def coming(context: Context, names: list[str]) -> Iterator[None]:
    context.coming.update(names)
    try:
        yield
    finally:
        context.coming.subtract(names)


async def surroundings(context: Context, connection: Connection, plan: MachinePlan, options: Options) -> str:
    """What the instance needs beside itself; returns the pool of its disks."""
    for network in plan.networks:
        await networks.ensure(connection, network, context.locks)
    if not plan.extra_disks:
        return options.pool
    pool = await volumes.pool_of(connection, options)
    await volumes.ensure(connection, plan, pool)
    return pool


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Start a stopped machine."""
    record = existing(plan)
    options = read_options(plan.options)
    connection = context.of(plan, record)
    async with context.changing(plan, "instance-started", "instance-updated") as watched:
        row = refuse_running(plan, await context.row(plan, record))
        with coming(context, [network.name for network in plan.networks]):
            pool = await surroundings(context, connection, plan, options)
            wanted = definition.build(plan, options, pool)
            work.intend("lxd.start", **facts(plan, record.place, record.uuid))
            work.note("starting the container")
            Layout.of(plan).serial_log.write_bytes(b"")
            record = await forwards.start(context, connection, plan, options, record, row, wanted)
        watched.known = MachineState.RUNNING
        watched.ended_by = ""
        watched.heard.clear()
    return forwards.started(plan, record, row)


def refuse_running(plan: MachinePlan, row: Row | None) -> Row:
    """Raise ProviderError where the machine cannot be started as it is."""
    if row is None:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=gone(plan))
    if row.frozen:
        raise ProviderError(
            f"The machine {plan.key.name} is suspended.",
            why="Starting it afresh would lose what is in its memory.",
            remedy=f"boxwright resume {plan.key.name}",
        )
    if row.active:
        raise ProviderError(f"The machine {plan.key.name} runs already.")
    return row


def gone(plan: MachinePlan) -> str:
    return (
        "Its container is gone: somebody deleted it. "
        f"boxwright destroy {plan.key.name} removes what is left of the machine."
    )


async def stop(context: Context, plan: MachinePlan, work: Work, *, force: bool) -> None:
    """In order first, then by force; a suspended machine loses its memory."""
    record = records.read(Layout.of(plan))
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await context.row(plan, record)
        if row and row.active:
            force = force or row.frozen
            if force or not await _ask_to_halt(connection, plan, row, work):
                await instances.end(connection, row)
        watched.known = MachineState.STOPPED if row or record is None else MachineState.BROKEN


async def _ask_to_halt(connection: Connection, plan: MachinePlan, row: Row, work: Work) -> bool:
    """Whether the guest halted by itself."""
    work.note("asking the guest to halt")
    try:
        await instances.change_state(connection, row, "stop", timeout=max(1, math.ceil(plan.halt_timeout)))
    except LxdError as error:
        if not error.status:
            raise
        left = await connection.find(row.path)
        if left is None or left["status"] == instances.STOPPED:
            return True
        work.note(f"the guest did not halt within {plan.halt_timeout:g} s: by force")
        return False
    return True


async def destroy(context: Context, plan: MachinePlan) -> None:
    """End and delete the instance and whatever was made for it alone, and the record."""
    layout = Layout.of(plan)
    record = records.read(layout) if layout.record.exists() else None
    connection = context.of(plan, record)
    async with context.changing(plan):
        row = await context.row(plan, record)
        await _remove(context, connection, plan.id, row, [network.name for network in plan.networks])
        await asyncio.to_thread(remove, layout.home)
    context.forget(plan)


async def _remove(
    context: Context, connection: Connection, machine_id: str, row: Row | None, shared: list[str]
) -> None:
    if row:
        await instances.end(connection, row)
        await instances.delete(connection, row)
    pools = [path.rpartition("/")[2] for path in await connection.ask("GET", "/1.0/storage-pools")]
    await volumes.remove_all(connection, machine_id, pools)
    await images.remove_unused(connection, context.coming)
    for name in shared:
        await networks.remove_unused(connection, name, context.coming, context.locks)


async def undo_create(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``lxd.machine``: remove exactly that machine's instance and what was made for it."""
    connection, row = await undoing(context, given)
    await _remove(context, connection, given["id"], row, given["networks"])


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``lxd.start``: switch exactly that machine's instance off."""
    connection, row = await undoing(context, given)
    if row:
        await instances.end(connection, row)
