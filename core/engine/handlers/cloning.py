"""Running copies of a machine."""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers import identity
from core.engine.handlers.addressing import copied_places
from core.engine.handlers.describing import host_name, shifted_port
from core.engine.handlers.looking import looked_at
from core.engine.handlers.machines import boot, finish_boot
from core.engine.handlers.planning import new_id, private_folder
from core.engine.handlers.running import mark_running
from core.engine.records import MachineRecord
from core.engine.registry import RECORD
from core.errors import BoxwrightError, UsageError
from core.model import command as commands
from core.model.machine import MachineKey, MachinePlan, MachineState
from core.model.project import NAME_PATTERN
from core.model.provider import Capability
from core.model.work import Work

MOST = 100


async def clone(context: Context, command: commands.Clone, work: Work) -> dict[str, list[str]]:
    """Make the copies, one after the other as all are of one source; then start all side by side.

    When one cannot be made or started none stays, except that a copy whose guest does not answer is kept,
    with the others, to be looked at. The result: {"machines": names}.
    """
    _check(command)
    source = await looked_at(context, command.machine)
    provider = context.provider(source.provider)
    if Capability.CLONE not in provider.capabilities:
        raise BoxwrightError(f"{source.provider} has no {Capability.CLONE}.")
    if source.state is MachineState.BROKEN:
        raise BoxwrightError(f"{source.key.name} is broken.", why=source.trouble)
    await _write_out(context, source)
    copies = []
    async with contextlib.AsyncExitStack() as held:
        async with work.step("Linked copies") as step:
            for number in range(command.count):
                step.progress(number, command.count, "machines")
                copies.append(await _copy(context, source, command.name or source.key.name, step))
                subject = str(copies[-1].key)
                await held.enter_async_context(context.hold(subject, f"clone {source.key.name}", step))
                await provider.clone(source.plan, copies[-1].plan, step)
        ended = await asyncio.gather(
            *(_start(context, copy, work) for copy in copies), return_exceptions=True
        )
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
    return {"machines": [copy.key.name for copy in copies]}


def _check(command: commands.Clone) -> None:
    import re

    if not 1 <= command.count <= MOST:
        raise UsageError(f"{command.count} copies cannot be made.", why=f"1 to {MOST} can at a time.")
    if command.name and not re.match(NAME_PATTERN, command.name):
        raise UsageError(
            f"Machines cannot be called {command.name!r}-2 and so on.",
            why="A name has letters, digits, '.', '_' and '-', and begins with a letter or digit.",
        )


async def _write_out(context: Context, source: MachineRecord) -> None:
    """A guest that runs and answers writes what it still has in memory only; otherwise the copy finds what
    was on the disk."""
    if source.state is MachineState.RUNNING:
        with contextlib.suppress(BoxwrightError):
            await (await guests.reach(context, source)).run("sync", timeout=30)


async def _copy(context: Context, source: MachineRecord, prefix: str, work: Work) -> MachineRecord:
    """The record of a copy that is about to be made, with its folders."""
    machine_id = new_id()
    plan = _plan(context, source, _free_name(context, source.key.project, prefix), machine_id)
    folders = (plan.runtime, plan.folder)
    work.intend(RECORD, id=machine_id, paths=folders)
    for folder in folders:
        private_folder(folder)
    record = msgspec.structs.replace(
        source,
        plan=plan,
        provider_reason=f"{source.provider}: as {source.key.name}, whose clone it is",
        clone_of=source.clone_of or source.key.name,
        state=MachineState.STOPPED,
        trouble="",
        created=time.time(),
        started=None,
        started_at=0.0,
        identity=identity.first_key(source, plan.folder),
        known_hosts="",
        snapshots=(),
        facts={identity.COPIED: True},
    )
    context.machines.put(record)
    return record


def _free_name(context: Context, project: str, prefix: str) -> str:
    """``web-2``, ``web-3``, ...: the first that no machine has, created or not."""
    taken = {machine.name for machine in context.machines.views(project)}
    return next(name for number in range(2, 100_000) if (name := f"{prefix}-{number}") not in taken)


def _plan(context: Context, source: MachineRecord, name: str, machine_id: str) -> MachinePlan:
    key = MachineKey(source.key.project, name)
    return msgspec.structs.replace(
        source.plan,
        id=machine_id,
        key=key,
        folder=str(context.locations.machine(machine_id)),
        runtime=str(context.locations.machine_runtime(machine_id)),
        ports=tuple(
            msgspec.structs.replace(port, host=shifted_port(port.host, name), auto_correct=True)
            for port in source.plan.ports
        ),
        hostname=host_name(source.plan.hostname, name),
        networks=copied_places(context, source, key, machine_id),
    )


async def _start(context: Context, copy: MachineRecord, work: Work) -> None:
    async with work.step(copy.key.name) as step:
        started = await boot(context, copy, step)
        mark_running(context, copy.key, started)
        await finish_boot(context, copy.key, step)
