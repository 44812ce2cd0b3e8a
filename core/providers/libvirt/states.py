"""What is really there of a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen, Started
from core.providers.libvirt import address, domains, forwards, volumes
from core.providers.libvirt import record as records
from core.providers.libvirt.cards import cards
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context
from core.providers.libvirt.domains import Row
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import read_options, resolved_uri
from core.providers.libvirt.power import lost
from core.providers.libvirt.record import Record
from core.providers.looking import look_by_place

Leases = Mapping[str, Mapping[str, str]]


async def look(context: Context, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
    """By machine id, see :func:`core.providers.looking.look_by_place`."""
    return await look_by_place(
        plans,
        read=lambda plan: records.read(Layout.of(plan)),
        place=lambda plan, record: record.uri if record else resolved_uri(plan.options),
        look=lambda uri, group: _look_at(context, context.connection(uri), group),
    )


async def _look_at(
    context: Context, connection: Connection, group: Sequence[tuple[MachinePlan, Record | None]]
) -> dict[str, Seen]:
    rows = await _rows(connection, [plan for plan, _ in group])
    networks = {
        card.source
        for plan, _ in group
        for card in cards(plan, read_options(plan.options))
        if card.kind == "network"
    }
    leases = await connection.run(domains.leases, tuple(sorted(networks))) if networks else {}
    pools = {disk.pool for _, record in group if record for disk in record.disks if disk.pool}
    there = await connection.run(volumes.names, pools) if pools else {}
    seen: dict[str, Seen] = {}
    for plan, record in group:
        row = rows.get(domain_uuid(plan.id))
        watched = context.watch(plan)
        try:
            record = await _adopted(context, connection, plan, record, row)
            seen[plan.id] = judge(plan, record, row, busy=watched.busy > 0, leases=leases, there=there)
        except BoxwrightError as error:
            state = MachineState.RUNNING if row and row.active else MachineState.BROKEN
            seen[plan.id] = Seen(state=state, trouble=str(error))
        if watched.known is None and not watched.busy:
            watched.known = seen[plan.id].state
    return seen


async def _rows(connection: Connection, plans: Sequence[MachinePlan]) -> Mapping[str, Row]:
    if len(plans) > 1:
        return await connection.run(domains.all_rows)
    row = await connection.run(domains.row, plans[0].id)
    return {row.uuid: row} if row else {}


async def _adopted(
    context: Context, connection: Connection, plan: MachinePlan, record: Record | None, row: Row | None
) -> Record | None:
    """A domain that somebody else has started gets its forwardings now."""
    if context.watch(plan).busy:
        return record
    if record is None or row is None or not row.active:
        await context.leave_ports(plan.id)
        return record
    if record.run == records.run_of(row.number) and await forwards.follow(context, plan, record):
        return record
    async with context.watch(plan).adopting:
        # Somebody may have done it while this one waited.
        record = records.read(Layout.of(plan))
        if record is None:
            return None
        if record.run == records.run_of(row.number) and await forwards.follow(context, plan, record):
            return record
        await forwards.clear(connection, plan)
        chosen = forwards.choose(context, plan, record)
        return await forwards.add(context, plan, record, row.number, chosen)


def judge(
    plan: MachinePlan,
    record: Record | None,
    row: Row | None,
    *,
    busy: bool,
    leases: Leases,
    there: Mapping[str, set[str]],
) -> Seen:
    """From the record, the domain and the volumes, as they are. ``busy``: an action of ours is at work."""
    name = plan.key.name
    if record is None:
        if row is None and not Layout.of(plan).home.exists():
            return Seen(state=MachineState.ABSENT)
        trouble = f"The machine's record is gone. boxwright destroy {name} removes the rest."
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    trouble = lost(plan, record, there)
    if row and row.active:
        return _live(plan, record, row, trouble, busy=busy, leases=leases)
    if trouble:
        return Seen(state=MachineState.BROKEN, trouble=trouble)
    if row is None:
        trouble = "Its domain was undefined by somebody else; the next start defines it again."
        return Seen(state=MachineState.STOPPED, trouble="" if busy else trouble)
    return Seen(state=MachineState.SUSPENDED if row.saved else MachineState.STOPPED)


def _live(plan: MachinePlan, record: Record, row: Row, trouble: str, *, busy: bool, leases: Leases) -> Seen:
    libvirt = bindings()
    running = _with_addresses(plan, forwards.started(record, plan), leases)
    if row.state == libvirt.VIR_DOMAIN_SHUTDOWN:
        return Seen(state=MachineState.STOPPING, trouble=trouble, started=running)
    if not busy and row.state in (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PMSUSPENDED):
        if not address.is_container(record.uri):
            trouble = trouble or _paused_text(row, plan.key.name)
        return Seen(state=MachineState.SUSPENDED, trouble=trouble, started=running)
    return Seen(state=MachineState.RUNNING, trouble=trouble, started=running)


def _with_addresses(plan: MachinePlan, running: Started, leases: Leases) -> Started:
    """With what DHCP has given to the machine's cards in libvirt's networks."""
    if not leases:
        return running
    shown = dict(running.facts)
    for card in cards(plan, read_options(plan.options)):
        address = leases.get(card.source, {}).get(card.mac)
        if address and card.kind == "network":
            shown[f"address in {card.label or card.source}"] = address
    return msgspec.structs.replace(running, facts=shown)


def _paused_text(row: Row, name: str) -> str:
    """Why a machine that is in memory does not run, and what helps."""
    libvirt = bindings()
    if row.reason == libvirt.VIR_DOMAIN_PAUSED_IOERROR:
        return f"Paused: a disk could not be written. Free some space, then: boxwright resume {name}"
    if row.reason in (libvirt.VIR_DOMAIN_PAUSED_CRASHED, libvirt.VIR_DOMAIN_PAUSED_WATCHDOG):
        return f"Paused, as its guest crashed. boxwright reload {name} starts it again."
    return f"Paused from outside. To go on: boxwright resume {name}"


def end_text(row: Row | None) -> str:
    """Why a machine stopped that nobody here stopped; "" when its guest powered off, as guests may."""
    libvirt = bindings()
    if row is None:
        return "Its domain was ended and undefined by somebody else; the next start defines it again."
    if row.reason in (libvirt.VIR_DOMAIN_SHUTOFF_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF_FAILED):
        return "Its process was killed, or crashed."
    if row.reason == libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED:
        return "It was switched off by somebody else (virsh destroy, or another program)."
    return ""
