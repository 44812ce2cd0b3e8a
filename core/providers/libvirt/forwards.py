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
from core.providers.libvirt import address, devices, domains
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.containers import ways as containers
from core.providers.libvirt.context import Context
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import Record
from core.providers.libvirt.relays import Way
from core.providers.libvirt.xen import ways as xen
from core.providers.neighbours import ports_of_others
from core.providers.ports import LOOPBACK

ATTEMPTS = 5
"""How often other ports are tried where one was taken between choice and use."""

_TRIED = 500
"""Ports that are tried on another computer."""

_NETWORK = "hostnet0"
"""QEMU's name for the first network card's network, as libvirt gives it."""

_FORWARDED = re.compile(r"(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+(\S+)\s+(\d+)")

CONTAINERS = "lxc"
"""The communicator of containers."""

Chosen = tuple[Forward, ...]


def choose(
    context: Context, plan: MachinePlan, record: Record, refused: frozenset[int] = frozenset()
) -> Chosen:
    """Claimed until :func:`add` has them; raises BusyError where one that is fixed is in use."""
    return ports.choose(plan, context.claims, record.ports, others=ports_of_others(plan), refused=refused)


async def add(context: Context, plan: MachinePlan, record: Record, number: int, chosen: Chosen) -> Record:
    """Forward the chosen ports of a guest that runs; returns the record, written, with those it got."""
    refused: frozenset[int] = frozenset()
    try:
        for _ in range(ATTEMPTS):
            run = records.run_of(number)
            taken, far = await _add_all(context, plan, record, run, chosen)
            if taken is None:
                record = msgspec.structs.replace(record, ports=chosen, far=far, run=run)
                records.write(Layout.of(plan), record)
                return record
            _refuse_fixed(plan, taken)
            refused |= {taken.host}
            chosen = choose(context, plan, record, refused)
        raise ProviderError("Every port that seemed free was taken before the guest's network could have it.")
    finally:
        context.claims.release(plan.id)


async def _add_all(
    context: Context, plan: MachinePlan, record: Record, run: str, chosen: Chosen
) -> tuple[Forward | None, tuple[int, ...]]:
    """All or none: the one that could not be had, or None; and the ports on the other computer, if any."""
    if address.is_carried(record.uri):
        return await context.relays.open(plan.id, _way(context, plan, record.uri, run), chosen), ()
    connection = context.connection(record.uri)
    host = address.far_host(record.uri)
    if host is None:
        return await connection.run(_add, plan.id, chosen), ()
    _refuse_datagrams(chosen)
    far = await connection.run(_add_anywhere, plan.id, chosen)
    taken = await context.tunnels.open(plan.id, host, _pairs(chosen, far))
    if taken:
        await connection.run(_clear, plan.id)
    return next((forward for forward in chosen if forward.host == taken), None), far


def _way(context: Context, plan: MachinePlan, uri: str, run: str) -> Way:
    if address.is_container(uri):
        return containers.way(run)
    return xen.way(context.connection(uri), plan)


def _pairs(chosen: Chosen, far: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(forward.host, there) for forward, there in zip(chosen, far, strict=True)]


def _refuse_datagrams(chosen: Chosen) -> None:
    for forward in chosen:
        if forward.protocol != "tcp":
            raise ProviderError(
                f"The guest's port {forward.guest} ({forward.protocol}) cannot be forwarded.",
                why="SSH, which leads to the machine's computer, carries TCP alone.",
                remedy="remove that port from the project file",
            )


async def follow(context: Context, plan: MachinePlan, record: Record) -> bool:
    """Have what this engine carries for a machine that runs: the tunnels to another computer, the relays into
    guests without a user network. Whether its ports are as they were."""
    if address.is_carried(record.uri):
        way = _way(context, plan, record.uri, record.run)
        return context.relays.has(plan.id) or not await context.relays.open(plan.id, way, record.ports)
    host = address.far_host(record.uri)
    if host is None or context.tunnels.has(plan.id):
        return True
    return not await context.tunnels.open(plan.id, host, _pairs(record.ports, record.far))


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


def _add_anywhere(handle: Any, machine_id: str, chosen: Chosen) -> tuple[int, ...]:
    """On another computer, whose ports are not known here: the first that it gives. Those there."""
    usual = ports.FIRST + int(machine_id, 16) % (ports.LAST - ports.FIRST)
    candidates = (*range(usual, ports.LAST + 1), *range(ports.FIRST, usual))
    found: list[int] = []
    untried = iter(set(candidates[: len(chosen) + _TRIED]) - {forward.host for forward in chosen})
    for forward in chosen:
        for there in untried:
            if _add(handle, machine_id, (msgspec.structs.replace(forward, host=there),)) is None:
                found.append(there)
                break
        else:
            _clear(handle, machine_id)
            raise ProviderError(
                f"No port is free on the other computer for the guest's port {forward.guest}."
            )
    return tuple(found)


async def clear(connection: Connection, plan: MachinePlan) -> None:
    """Take away what is forwarded: of a run of which nobody has noted it."""
    if not address.is_carried(connection.uri):
        await connection.run(_clear, plan.id)


def _clear(handle: Any, machine_id: str) -> None:
    told = domains.monitor(handle, machine_id, "info usernet")
    for protocol, place, port in _FORWARDED.findall(told):
        rule = f"{protocol.lower()}:{place}:{port}"
        domains.monitor(handle, machine_id, f"hostfwd_remove {_NETWORK} {rule}")


def _rule(forward: Forward) -> str:
    return f"{forward.protocol}:{LOOPBACK}:{forward.host}"


def started(record: Record, plan: MachinePlan) -> Started:
    """As ``start`` returned it."""
    if address.is_container(record.uri):
        return Started(
            ports=record.ports,
            communicator=CONTAINERS,
            ssh_host=record.uri,
            target=record.run,
            facts=record.facts,
        )
    ssh = next((forward for forward in record.ports if forward.name == "ssh"), None)
    ssh = ssh or next((forward for forward in record.ports if forward.guest == 22), None)
    return Started(
        ports=record.ports,
        ssh_host=LOOPBACK,
        ssh_port=ssh.host if ssh else 22,
        screen=_screen(record, plan),
        facts=record.facts,
    )


def _screen(record: Record, plan: MachinePlan) -> str:
    options = read_options(plan.options)
    private = devices.by_socket(options) and not address.far_host(record.uri)
    return str(Layout.of(plan).screen_socket) if options.graphics == "vnc" and private else ""
