"""Suspending and resuming: the processes of a container are frozen, and their memory stays where it is."""

from __future__ import annotations

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.images import finish
from core.providers.libvirt import domains, forwards
from core.providers.libvirt.context import Context, existing
from core.providers.libvirt.domains import Row
from core.providers.libvirt.library import bindings


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row is None or not row.active or is_frozen(row):
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        work.note("freezing its processes")
        await finish(connection.run(domains.pause, plan.id))
        watched.known = MachineState.SUSPENDED


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row is None or not is_frozen(row):
            raise ProviderError(
                f"The machine {plan.key.name} is not suspended.", remedy=f"boxwright up {plan.key.name}"
            )
        await finish(connection.run(domains.go_on, plan.id))
        watched.known = MachineState.RUNNING
    return forwards.started(record, plan)


def is_frozen(row: Row) -> bool:
    return bool(row.active and row.state == bindings().VIR_DOMAIN_PAUSED)
