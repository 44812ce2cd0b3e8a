"""Suspending to disk and resuming: VirtualBox keeps the saved memory beside the machine's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import BusyError, ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers import ports
from core.providers.base import Started
from core.providers.virtualbox.boxes import percent
from core.providers.virtualbox.context import Context, existing, facts
from core.providers.virtualbox.layout import Layout, machine_uuid
from core.providers.virtualbox.options import read_options
from core.providers.virtualbox.power import SLOW, launch, remove_traces
from core.providers.virtualbox.record import Record, lost, started


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    """Save the memory; the machine's process ends. When that fails or is cancelled the guest goes on."""
    existing(plan)
    async with context.changing(plan) as watched:
        row = await context.row(plan)
        if row is None or not row.live:
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        intent = work.intend("virtualbox.suspend", **facts(plan))
        work.note("saving the memory")
        work.progress(0, 100, "%")
        await context.bridge.call("save", patience=SLOW, progress=percent(work), uuid=machine_uuid(plan.id))
        remove_traces(Layout.of(plan))
        watched.known = MachineState.SUSPENDED
    intent.settle()


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Go on from saved memory, or after a pause. On failure the saved memory is still there."""
    record = existing(plan)
    async with context.changing(plan) as watched:
        row = await context.row(plan)
        if row and row.state == "Paused":
            await context.bridge.call("go on", uuid=machine_uuid(plan.id))
        elif row and row.saved:
            refuse_without_ports(plan, record)
            trouble = lost(plan, record)
            if trouble:
                raise ProviderError(f"The machine {plan.key.name} is broken.", why=trouble)
            work.intend("virtualbox.suspend", **facts(plan))
            work.note("loading the memory")
            await launch(context, plan, read_options(plan.options))
        else:
            raise ProviderError(
                f"The machine {plan.key.name} is not suspended.", remedy=f"boxwright up {plan.key.name}"
            )
        watched.known = MachineState.RUNNING
    return started(record)


def refuse_without_ports(plan: MachinePlan, record: Record) -> None:
    """Raise BusyError where a port is taken: the forwardings of saved memory cannot be changed."""
    for forward in record.ports:
        if not ports.is_free(forward.protocol, forward.host):
            who = ports.holder(forward.protocol, forward.host)
            raise BusyError(
                f"The host's port {forward.host} ({forward.protocol}) is in use.",
                why=f"{who or 'Another program'} listens on it, and the memory of {plan.key.name} "
                "was saved with its forwarding.",
                remedy="end that program, then try again",
            )


async def undo_suspend(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``virtualbox.suspend``: VirtualBox has either the saved memory, or the guest, which goes on."""
    await context.bridge.call("go on", uuid=machine_uuid(given["id"]))
