"""Snapshots: save, restore, delete."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers import networking
from core.engine.handlers.looking import look, looked_at
from core.engine.handlers.running import mark_running, mark_stopped
from core.engine.records import MachineRecord
from core.errors import BoxwrightError, NotFoundError
from core.model import command as commands
from core.model.work import Work


async def save(context: Context, command: commands.SaveSnapshot, work: Work) -> None:
    """With memory when the machine runs."""
    record = await looked_at(context, command.machine)
    if any(snapshot.name == command.name for snapshot in record.snapshots):
        raise BoxwrightError(
            f"{command.machine.name} has a snapshot {command.name!r} already.",
            remedy=f"boxwright snapshot delete {command.machine.name} {command.name}",
        )
    async with work.step(f"Save snapshot {command.name}") as step:
        await context.provider(record.provider).save_snapshot(record.plan, command.name, step)
    await look(context, command.machine)


async def restore(context: Context, command: commands.RestoreSnapshot, work: Work) -> None:
    """Afterwards the machine runs when the snapshot has memory or the machine ran before."""
    record = _with(await looked_at(context, command.machine), command.name)
    await guests.forget(context, record)
    async with work.step(f"Restore snapshot {command.name}") as step:
        started = await context.provider(record.provider).restore_snapshot(record.plan, command.name, step)
    if started is None:
        mark_stopped(context, command.machine)
    else:
        work.commit()
        # What was connected to the guest before is unknown to it: it begins anew for everybody.
        context.machines.change(command.machine, started_at=0.0)
        await guests.wait(context, context.machines.require(command.machine), work, started)
        mark_running(context, command.machine, started)
        await networking.join(context, command.machine, work)
    await look(context, command.machine)


async def delete(context: Context, command: commands.DeleteSnapshot, work: Work) -> None:
    record = _with(await looked_at(context, command.machine), command.name)
    async with work.step(f"Delete snapshot {command.name}") as step:
        await context.provider(record.provider).delete_snapshot(record.plan, command.name, step)
    await look(context, command.machine)


def _with(record: MachineRecord, name: str) -> MachineRecord:
    names = [snapshot.name for snapshot in record.snapshots]
    if name not in names:
        raise NotFoundError(
            f"{record.key.name} has no snapshot {name!r}.",
            why=f"Its snapshots: {', '.join(names) or 'none'}.",
            remedy=f"boxwright snapshot list {record.key.name}",
        )
    return record
