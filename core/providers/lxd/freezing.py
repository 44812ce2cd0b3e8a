"""Suspending and resuming: the processes of a container are frozen, and their memory stays where it is."""

from __future__ import annotations

from msgspec.structs import replace

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.lxd import forwards, instances
from core.providers.lxd import record as records
from core.providers.lxd.context import Context, existing
from core.providers.lxd.layout import Layout


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    record = existing(plan)
    async with context.changing(plan) as watched:
        row = await context.row(plan, record)
        if row is None or row.status != instances.RUNNING:
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        work.note("freezing its processes")
        await instances.change_state(context.of(plan, record), row, "freeze")
        watched.known = MachineState.SUSPENDED


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    record = existing(plan)
    async with context.changing(plan) as watched:
        row = await context.row(plan, record)
        if row is None or not row.frozen:
            raise ProviderError(
                f"The machine {plan.key.name} is not suspended.", remedy=f"boxwright up {plan.key.name}"
            )
        layout = Layout.of(plan)
        records.write(layout, replace(record, thawing=True))
        await instances.change_state(context.of(plan, record), row, "unfreeze")
        record = replace(record, thawing=False)
        records.write(layout, record)
        watched.known = MachineState.RUNNING
    return forwards.started(plan, record, row)
