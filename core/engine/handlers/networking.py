"""A running guest in its networks: its own addresses, and the names of its neighbours."""

from __future__ import annotations

import logging

from core.engine.context import Context
from core.engine.handlers import guest as guests
from core.engine.handlers.addressing import neighbours
from core.engine.records import MachineRecord
from core.errors import BoxwrightError
from core.model.machine import MachineKey, MachineState
from core.model.work import Work

_log = logging.getLogger(__name__)

JOINED = "joined"
"""Fact of a record: the start (its time) since which the guest has its addresses."""

NAMES = "neighbours"
"""Fact of a record: names and addresses as the guest was told last."""


def due(record: MachineRecord) -> bool:
    """Whether a running guest still has to be given its addresses."""
    return bool(record.plan.networks) and record.facts.get(JOINED) != record.started_at


async def join(context: Context, key: MachineKey, work: Work) -> None:
    """On every start: an address in each network, where the provider has not given it, and the names."""
    record = context.machines.require(key)
    if not due(record) or record.started is None:
        return
    from core.guests.networks import join_networks

    shown = ", ".join(f"{network.label} {network.address}" for network in record.plan.networks)
    async with work.step("Networks", detail=shown):
        if not record.started.addressed:
            await join_networks(await guests.reach(context, record), record.plan.networks)
        await _tell_names(context, record)
        record = context.machines.require(key)
        context.machines.change(key, facts={**record.facts, JOINED: record.started_at})
    await _tell_others(context, record)


async def _tell_names(context: Context, record: MachineRecord) -> None:
    from core.guests.networks import name_neighbours

    known = neighbours(context, context.projects.load(record.key.project), record)
    if record.facts.get(NAMES, {}) != known:
        await name_neighbours(await guests.reach(context, record), known)
        record = context.machines.require(record.key)
        context.machines.change(record.key, facts={**record.facts, NAMES: known})


async def _tell_others(context: Context, record: MachineRecord) -> None:
    """Of a machine that is new in its networks. One that cannot be told now is told at its next start."""
    labels = {network.label for network in record.plan.networks}
    for other in context.machines.records():
        shared = labels & {network.label for network in other.plan.networks}
        if other.key.project == record.key.project and other.id != record.id and shared:
            if other.state is not MachineState.RUNNING or due(other):
                continue
            try:
                await _tell_names(context, other)
            except BoxwrightError as error:
                _log.warning("names of the neighbours of %s: %s", other.key, error)
