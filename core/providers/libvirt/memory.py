"""Suspending to disk and resuming: libvirt keeps the saved memory, and starts the domain from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.base import Started
from core.providers.images import finish
from core.providers.libvirt import domains, forwards
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, existing, facts, undoing
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import LibvirtError, bindings
from core.providers.libvirt.power import have_surroundings, prepare, remove_traces

_GLANCE = 0.2
"""Seconds between two looks at how far it is."""


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    """Save the memory and end the domain; when that fails or is cancelled the guest goes on."""
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row is None or not row.active:
            raise ProviderError(
                f"The machine {plan.key.name} does not run.", remedy=f"boxwright up {plan.key.name}"
            )
        intent = work.intend("libvirt.suspend", **facts(plan, record.uri))
        work.note("saving the memory")
        work.progress(0, plan.memory, "B")
        try:
            await _save(connection, plan, work)
        except LibvirtError as error:
            await finish(connection.run(domains.go_on, plan.id))
            full = "No space" in error.problem.why
            raise ProviderError(
                "The machine's memory could not be saved; the machine runs on.",
                why=error.problem.why or error.problem.what,
                remedy="free some space where libvirt saves memory, then try again" if full else "",
            ) from error
        work.progress(plan.memory, plan.memory, "B")
        await context.leave_ports(plan.id)
        remove_traces(Layout.of(plan))
        watched.known = MachineState.SUSPENDED
    intent.settle()


async def _save(connection: Connection, plan: MachinePlan, work: Work) -> None:
    saving = asyncio.ensure_future(connection.run(_managed_save, plan.id, timeout=None))
    try:
        await follow(connection, plan, saving, work)
    except asyncio.CancelledError:
        # libvirt gives the guest back when the job is ended; a job that was through stays done.
        with contextlib.suppress(LibvirtError):
            await finish(connection.run(domains.go_on, plan.id))
        await asyncio.wait({saving})
        if not saving.cancelled():
            saving.exception()
        raise


async def follow(connection: Connection, plan: MachinePlan, job: asyncio.Future[None], work: Work) -> None:
    """Show how far a job of libvirt's is, until it ends."""
    while not (await asyncio.wait({job}, timeout=_GLANCE))[0]:
        done, total = await connection.run(_progress, plan.id)
        if total:
            work.progress(done, total, "B")
    await job


def _managed_save(handle: Any, machine_id: str) -> None:
    domains.needed(handle, machine_id).managedSave(0)


def _progress(handle: Any, machine_id: str) -> tuple[int, int]:
    """Bytes that are saved, and of how many; zeros where libvirt does not say."""
    libvirt = bindings()
    domain = domains.find(handle, machine_id)
    try:
        told = domain.jobStats(0) if domain else {}
    except libvirt.libvirtError:
        return 0, 0
    return int(told.get("data_processed", 0)), int(told.get("data_total", 0))


async def undo_suspend(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.suspend``: the guest goes on; one whose memory is already saved stays suspended."""
    connection = await undoing(context, given)
    await connection.insist(domains.go_on, given["id"])


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Go on from saved memory, or after a pause. On failure the saved memory is still there."""
    record = existing(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row and row.active and row.state == bindings().VIR_DOMAIN_PAUSED:
            await connection.run(domains.go_on, plan.id)
        elif row and row.saved and not row.active:
            await context.leave_ports(plan.id)
            ports = forwards.choose(context, plan, record)
            try:
                work.intend("libvirt.resume", **facts(plan, record.uri))
                work.note("loading the memory")
                await have_surroundings(connection, plan)
                prepare(record, Layout.of(plan))
                number = await connection.run(domains.create, plan.id, timeout=None)
                record = await forwards.add(context, plan, record, number, ports)
            finally:
                context.claims.release(plan.id)
        else:
            raise ProviderError(
                f"The machine {plan.key.name} is not suspended.", remedy=f"boxwright up {plan.key.name}"
            )
        watched.known = MachineState.RUNNING
    return forwards.started(record, plan)


async def undo_resume(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.resume``: libvirt has either the saved memory still, or the guest, which goes on."""
    connection = await undoing(context, given)
    await connection.insist(domains.memory_or_guest, given["id"])
