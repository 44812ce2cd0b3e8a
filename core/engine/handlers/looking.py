"""Taking over into the record what the provider really has."""

from __future__ import annotations

from core.engine.context import Context
from core.engine.records import MachineRecord
from core.model.machine import MachineKey
from core.model.provider import Capability


async def look(context: Context, key: MachineKey) -> MachineRecord | None:
    """Ask the provider about one machine and store the answer; None where it is not created."""
    record = context.machines.get(key)
    if record is None:
        return None
    provider = context.provider(record.provider)
    seen = await provider.states([record.plan])
    if record.id in seen:
        context.machines.seen(record.id, seen[record.id])
    if Capability.SNAPSHOT in provider.capabilities:
        context.machines.change(key, snapshots=await provider.snapshots(record.plan))
    return context.machines.get(key)


async def looked_at(context: Context, key: MachineKey) -> MachineRecord:
    """The record of a created machine, as things really are. Raises NotFoundError where it is not created."""
    await look(context, key)
    return context.machines.require(key)
