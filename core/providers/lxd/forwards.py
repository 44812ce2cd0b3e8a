"""Starting an instance so that it can be reached: its forwarded ports, and how its guest is spoken to."""

from __future__ import annotations

import re

import msgspec

from core.errors import ProviderError
from core.model.machine import SSH, Forward, MachinePlan
from core.providers import ports
from core.providers.base import Started
from core.providers.lxd import instances
from core.providers.lxd import record as records
from core.providers.lxd.connection import Connection
from core.providers.lxd.context import Context
from core.providers.lxd.definition import Wanted, onto, port_devices
from core.providers.lxd.guest import COMMUNICATOR, target_of
from core.providers.lxd.instances import Row
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import Options, read_options
from core.providers.lxd.record import Record
from core.providers.lxd.troubles import LxdError
from core.providers.neighbours import ports_of_others

ATTEMPTS = 5
"""How often other ports are tried where one was taken between choice and use."""

_TAKEN = re.compile(r"Failed to listen on \S+?:(\d+): .*address already in use")


async def start(
    context: Context,
    connection: Connection,
    plan: MachinePlan,
    options: Options,
    record: Record,
    row: Row,
    wanted: Wanted,
) -> Record:
    """Returns the record, written, with the ports that it got."""
    refused: frozenset[int] = frozenset()
    try:
        for _ in range(ATTEMPTS):
            chosen = _choose(context, plan, options, record, refused)
            whole = onto(row, wanted, port_devices(chosen))
            await instances.rewrite(
                connection, row, config=whole.config, devices=whole.devices, profiles=whole.profiles
            )
            try:
                await instances.change_state(connection, row, "start")
            except LxdError as error:
                taken = _TAKEN.search(error.problem.why)
                if taken is None:
                    raise
                refused |= {int(taken[1])}
                row = msgspec.structs.replace(row, config=whole.config, devices=whole.devices)
                _refuse_fixed(plan, refused)
                continue
            record = msgspec.structs.replace(record, ports=chosen, thawing=False)
            records.write(Layout.of(plan), record)
            return record
        raise ProviderError("Every port that seemed free was taken before the container could have it.")
    finally:
        context.claims.release(plan.id)


def _choose(
    context: Context, plan: MachinePlan, options: Options, record: Record, refused: frozenset[int]
) -> tuple[Forward, ...]:
    """Where the server lets us in, no port is needed for SSH: each costs a program and a second."""
    if options.communicator != SSH:
        wanted = tuple(port for port in plan.ports if port.name != SSH)
        plan = msgspec.structs.replace(plan, ports=wanted)
    return ports.choose(plan, context.claims, record.ports, others=ports_of_others(plan), refused=refused)


def _refuse_fixed(plan: MachinePlan, refused: frozenset[int]) -> None:
    for wanted in plan.ports:
        if wanted.host in refused and not wanted.auto_correct:
            raise ports.taken_error(wanted)


def started(plan: MachinePlan, record: Record, row: Row) -> Started:
    """As ``start`` returned it."""
    facts = dict(record.facts)
    if record.place.remote and record.ports:
        facts["ports"] = f"on the loopback of {record.place.server}"
    ssh = next((forward for forward in record.ports if forward.name == SSH), None)
    if ssh is not None and read_options(plan.options).communicator == SSH:
        return Started(ports=record.ports, ssh_port=ssh.host, facts=facts)
    return Started(
        ports=record.ports,
        communicator=COMMUNICATOR,
        ssh_host=record.place.server,
        target=target_of(record.place, row.name),
        facts=facts,
    )
