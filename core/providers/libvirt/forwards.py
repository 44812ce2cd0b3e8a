"""Forwarded ports: added to the user network of a guest that runs, so that a port which somebody took
meanwhile is noticed at once and another one tried, and saved memory is not bound to the ports of its day.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward, MachinePlan
from core.providers import ports
from core.providers.base import Started
from core.providers.libvirt import domains
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.record import Record
from core.providers.neighbours import ports_of_others
from core.providers.ports import LOOPBACK, Claims

ATTEMPTS = 5
"""How often other ports are tried where one was taken between choice and use."""

_NETWORK = "hostnet0"
"""QEMU's name for the first network card's network, as libvirt gives it."""

_FORWARDED = re.compile(r"(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+(\S+)\s+(\d+)")

Chosen = tuple[Forward, ...]


def choose(
    claims: Claims, plan: MachinePlan, record: Record, refused: frozenset[int] = frozenset()
) -> Chosen:
    """Claimed until :func:`add` has them; raises BusyError where one that is fixed is in use."""
    return ports.choose(plan, claims, record.ports, others=ports_of_others(plan), refused=refused)


async def add(
    connection: Connection, claims: Claims, plan: MachinePlan, record: Record, number: int, chosen: Chosen
) -> Record:
    """Forward the chosen ports of a guest that runs; returns the record, written, with those it got."""
    refused: frozenset[int] = frozenset()
    try:
        for _ in range(ATTEMPTS):
            taken = await connection.run(_add, plan.id, chosen)
            if taken is None:
                record = msgspec.structs.replace(record, ports=chosen, run=records.run_of(number))
                records.write(Layout.of(plan), record)
                return record
            _refuse_fixed(plan, taken)
            refused |= {taken.host}
            chosen = choose(claims, plan, record, refused)
        raise ProviderError("Every port that seemed free was taken before the guest's network could have it.")
    finally:
        claims.release(plan.id)


def _refuse_fixed(plan: MachinePlan, taken: Forward) -> None:
    for wanted in plan.ports:
        if (wanted.protocol, wanted.host) == (taken.protocol, taken.host) and not wanted.auto_correct:
            raise ports.taken_error(wanted)


def _add(handle: Any, machine_id: str, chosen: Chosen) -> Forward | None:
    """All or none; returns the one that could not be had."""
    done: list[Forward] = []
    for forward in chosen:
        rule = f"{_rule(forward)}-:{forward.guest}"
        said = domains.monitor(handle, machine_id, f"hostfwd_add {_NETWORK} {rule}")
        if not said:
            done.append(forward)
            continue
        for other in done:
            domains.monitor(handle, machine_id, f"hostfwd_remove {_NETWORK} {_rule(other)}")
        if "host forwarding rule" not in said:
            raise ProviderError("The guest's network cannot forward ports.", why=said)
        return forward
    return None


async def clear(connection: Connection, plan: MachinePlan) -> None:
    """Take away what is forwarded: of a run of which nobody has noted it."""
    await connection.run(_clear, plan.id)


def _clear(handle: Any, machine_id: str) -> None:
    told = domains.monitor(handle, machine_id, "info usernet")
    for protocol, address, port in _FORWARDED.findall(told):
        rule = f"{protocol.lower()}:{address}:{port}"
        domains.monitor(handle, machine_id, f"hostfwd_remove {_NETWORK} {rule}")


def _rule(forward: Forward) -> str:
    return f"{forward.protocol}:{LOOPBACK}:{forward.host}"


def started(record: Record) -> Started:
    """As ``start`` returned it."""
    ssh = next((forward for forward in record.ports if forward.name == "ssh"), None)
    ssh = ssh or next((forward for forward in record.ports if forward.guest == 22), None)
    return Started(
        ports=record.ports, ssh_host=LOOPBACK, ssh_port=ssh.host if ssh else 22, facts=record.facts
    )
