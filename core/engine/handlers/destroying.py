"""Destroy, and what is the other way round: bringing back what was destroyed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec

from core import amounts
from core.commands.conditions import KEPT_WHILE
from core.engine import keeping
from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers.looking import look
from core.engine.records import KeptRecord, MachineRecord
from core.engine.registry import RECORD
from core.errors import NotFoundError
from core.model import command as commands
from core.model.machine import MachineKey, MachineState
from core.model.provider import Capability
from core.model.work import Work
from core.undo import remove


async def destroy(context: Context, command: commands.Destroy, work: Work) -> None:
    """Once it has stopped, what is left goes in any case: undoing half a destruction finishes it.

    Where the provider can, its disks are kept for a while; the record moves in one write of the journal.
    """
    record = context.machines.require(command.machine)
    provider = context.provider(record.provider)
    keeps = Capability.RECOVER in provider.capabilities and record.state is not MachineState.BROKEN
    await guests.forget(context, record)
    async with work.step("Destroy", detail=record.provider) as step:
        await provider.stop(record.plan, step, force=True)
        if keeps and not command.purge:
            await asyncio.to_thread(remove, Path(record.plan.runtime))
            kept = await _kept(record)
            context.machines.keep(kept)
            await keeping.prune(context.machines, context.locations)
            if context.machines.kept.last(record.key) == kept:
                step.note("can be brought back for a day")
            return
        folders = (record.plan.runtime, record.plan.folder)
        step.intend(RECORD, id=record.id, paths=folders)
        await provider.destroy(record.plan, step)
        for folder in folders:
            await asyncio.to_thread(remove, Path(folder))
        context.machines.remove(record.key)


async def _kept(record: MachineRecord) -> KeptRecord:
    now = time.time()
    return KeptRecord(
        record=msgspec.structs.replace(
            record, state=MachineState.STOPPED, started=None, started_at=0.0, trouble=""
        ),
        destroyed=now,
        until=now + keeping.KEEP,
        size=await asyncio.to_thread(keeping.size, Path(record.plan.folder)),
    )


async def recover(context: Context, command: commands.Recover, work: Work) -> None:
    """The machine as it was when it was destroyed, stopped."""
    key = command.machine
    kept = context.machines.kept.last(key)
    if kept is None or not await asyncio.to_thread(keeping.usable, kept):
        raise nothing_left(key)
    async with work.step("Bring back", detail=f"destroyed {amounts.ago(kept.destroyed, time.time())}"):
        context.machines.bring_back(kept)
        await look(context, key)


def nothing_left(key: MachineKey) -> NotFoundError:
    return NotFoundError(
        f"Nothing is left of {key.name!r} that could be brought back.",
        why=KEPT_WHILE,
        remedy=f"boxwright up {key.name}",
    )


async def prune_destroyed(context: Context, _command: commands.PruneDestroyed, work: Work) -> dict[str, Any]:
    """All of it at once."""
    async with work.step("Remove what was destroyed") as step:
        gone = context.machines.kept.all()
        await keeping.forget(context.machines, gone)
        freed = sum(kept.size for kept in gone)
        step.note(f"{amounts.count(len(gone), 'machine')}, {amounts.size(freed)}")
    return {"removed": [kept.key.name for kept in gone], "freed": freed}
