"""Copies of machines: the server copies instance and extra disks, as its storage pool does it best."""

from __future__ import annotations

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers.lxd import definition, instances, volumes
from core.providers.lxd import record as records
from core.providers.lxd.connection import Connection
from core.providers.lxd.context import Context, existing, facts
from core.providers.lxd.instances import Row, default_name
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import read_options
from core.providers.lxd.power import coming, gone, surroundings
from core.providers.lxd.record import Record
from core.providers.lxd.snapshots import POINT


async def clone(context: Context, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
    origin = existing(source)
    layout = Layout.of(plan)
    if layout.home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )
    connection = context.connection(origin.place)
    names = [network.name for network in plan.networks]
    async with context.changing(plan) as watched:
        row = await context.row(source, origin)
        if row is None:
            raise ProviderError(f"The machine {source.key.name} is broken.", why=gone(source))
        work.intend("path", path=str(layout.home))
        work.intend("lxd.machine", **facts(plan, origin.place), networks=names)
        with coming(context, names):
            made = await _copy(context, connection, source, plan, row)
        shown = {**origin.facts, "container": f"{made.name} at {origin.place}"}
        records.write(layout, Record(id=plan.id, place=origin.place, uuid=made.uuid, facts=shown))
        watched.name, watched.known = made.name, MachineState.STOPPED


async def _copy(
    context: Context, connection: Connection, source: MachinePlan, plan: MachinePlan, row: Row
) -> Row:
    options = read_options(plan.options)
    if plan.extra_disks:
        await volumes.copy(connection, source, plan, await volumes.pool_of(connection, options))
    pool = await surroundings(context, connection, plan, options)
    wanted = definition.build(plan, options, pool)
    body = {
        "name": default_name(plan),
        "type": "container",
        "source": {"type": "copy", "source": row.name, "instance_only": True, "container_only": True},
        "config": wanted.config,
        "devices": wanted.devices,
        "profiles": wanted.profiles,
        "description": f"{plan.key.name} of {plan.key.project}",
    }
    await instances.create(connection, body, target=options.target)
    made = await instances.find(connection, plan.id, uuid="", name=default_name(plan))
    if made is None:
        raise ProviderError(f"The container of {plan.key.name} is gone: somebody deleted it.")
    # What the server took over from the source, and the copy is not to have: forwarded ports, its history.
    whole = definition.onto(made, wanted, {})
    config = {key: value for key, value in whole.config.items() if key != POINT}
    await instances.rewrite(connection, made, config=config, devices=whole.devices)
    return made
