"""Up, halt, suspend, resume, reload."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers import identity, networking
from core.engine.handlers.creating import create, plan_again
from core.engine.handlers.looking import look, looked_at
from core.engine.handlers.planning import private_folder
from core.engine.handlers.provisioning import folders, provision_due
from core.engine.handlers.running import mark_running, mark_starting, mark_stopped, mark_stopping
from core.engine.records import MachineRecord
from core.errors import BoxwrightError
from core.model import command as commands
from core.model.machine import MachineKey, MachineState
from core.model.work import Work
from core.providers.base import Started


async def up(context: Context, command: commands.Up, work: Work) -> None:
    """Create where needed, start or resume, wait, provision what is due."""
    key = command.machine
    record = await look(context, key)
    fresh = record is None
    if record is None:
        record = await create(context, key, command.provider, work)
    elif command.provider and command.provider != record.provider:
        raise BoxwrightError(
            f"{key.name} runs on {record.provider} already, not on {command.provider}.",
            remedy=f"boxwright destroy {key.name}",
        )
    booted = await _bring_up(context, record, work, fresh=fresh)
    now = context.machines.require(key)
    if not booted and command.provision is None and now.provisioned_at and not networking.due(now):
        work.cached("running already")
        return
    await _after_boot(context, key, command.provision, work, booted=booted)


async def _bring_up(context: Context, record: MachineRecord, work: Work, *, fresh: bool) -> bool:
    """Start or resume; False where it runs already, and its guest was reached before."""
    match record.state:
        case MachineState.RUNNING:
            identity.unpin(record)
            met = await guests.meet(context, record, work)
            if record.started is not None:
                await identity.renew(context, record.key, work, record.started)
            return met
        case MachineState.SUSPENDED:
            await _resume(context, record, work)
        case MachineState.BROKEN:
            raise BoxwrightError(
                f"{record.key.name} is broken.",
                why=record.trouble,
                remedy=f"boxwright destroy {record.key.name}",
            )
        case _:
            await start(context, record if fresh else plan_again(context, record), work)
    return True


async def finish_boot(context: Context, key: MachineKey, work: Work) -> None:
    """What a guest that answers needs before anybody uses it."""
    await guests.prepare(context, context.machines.require(key), work)
    await networking.join(context, key, work)


async def _after_boot(
    context: Context, key: MachineKey, provision: bool | None, work: Work, *, booted: bool
) -> None:
    await finish_boot(context, key, work)
    await folders(context, context.machines.require(key), work)
    await provision_due(context, key, provision, work, booted=booted)


async def start(context: Context, record: MachineRecord, work: Work) -> None:
    """Start a stopped machine and wait until its guest answers; from then on it stays."""
    started = await boot(context, record, work)
    mark_running(context, record.key, started)
    work.commit()


async def boot(context: Context, record: MachineRecord, work: Work) -> Started:
    """Start a stopped machine, until its guest answers as the one that it is to be."""
    provider = context.provider(record.provider)
    identity.unpin(record)
    mark_starting(context, record.key)
    async with work.step("Start") as step:
        private_folder(record.plan.runtime)
        started = await provider.start(record.plan, step)
        step.note(started.facts.get("acceleration", ""))
    await guests.wait(context, record, work, started)
    await identity.renew(context, record.key, work, started)
    return started


async def halt(context: Context, command: commands.Halt, work: Work) -> None:
    record = await looked_at(context, command.machine)
    if record.state is MachineState.STOPPED:
        work.cached("stopped already")
        return
    await _stop(context, record, work, force=command.force)


async def _stop(context: Context, record: MachineRecord, work: Work, *, force: bool) -> None:
    await guests.forget(context, record)
    mark_stopping(context, record.key)
    async with work.step("Pull the plug" if force else "Halt") as step:
        await context.provider(record.provider).stop(record.plan, step, force=force)
    mark_stopped(context, record.key)


async def suspend(context: Context, command: commands.Suspend, work: Work) -> None:
    record = await looked_at(context, command.machine)
    if record.state is MachineState.SUSPENDED:
        work.cached("suspended already")
        return
    _demand(record, MachineState.RUNNING, f"boxwright up {record.key.name}")
    await guests.forget(context, record)
    mark_stopping(context, record.key)
    async with work.step("Save memory") as step:
        await context.provider(record.provider).suspend(record.plan, step)
    mark_stopped(context, record.key, MachineState.SUSPENDED)


async def resume(context: Context, command: commands.Resume, work: Work) -> None:
    record = await looked_at(context, command.machine)
    if record.state is MachineState.RUNNING:
        work.cached("running already")
        return
    _demand(record, MachineState.SUSPENDED, f"boxwright up {record.key.name}")
    await _resume(context, record, work)


async def _resume(context: Context, record: MachineRecord, work: Work) -> None:
    mark_starting(context, record.key)
    async with work.step("Restore memory") as step:
        private_folder(record.plan.runtime)
        started = await context.provider(record.provider).resume(record.plan, step)
    await guests.wait(context, record, work, started)
    mark_running(context, record.key, started)
    work.commit()


async def reload(context: Context, command: commands.Reload, work: Work) -> None:
    record = await looked_at(context, command.machine)
    if record.state is not MachineState.STOPPED:
        await _stop(context, record, work, force=command.force)
        work.commit()
    await start(context, plan_again(context, context.machines.require(command.machine)), work)
    await _after_boot(context, command.machine, command.provision, work, booted=True)


def _demand(record: MachineRecord, state: MachineState, remedy: str) -> None:
    if record.state is not state:
        raise BoxwrightError(
            f"{record.key.name} is {record.state}, not {state}.", why=record.trouble, remedy=remedy
        )
