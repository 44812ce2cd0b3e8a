"""Machines made, made anew as their project changes, and removed with all that is theirs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import BusyError, ProviderError
from core.model.machine import Forward, MachinePlan, MachineState
from core.model.work import Work
from core.providers import ports
from core.providers.docker import box_image, containers, images, names, networks, volumes
from core.providers.docker import record as records
from core.providers.docker.address import parse
from core.providers.docker.context import Context, address_of
from core.providers.docker.daemon import Daemon
from core.providers.docker.definition import define, forwards_ports
from core.providers.docker.images import Image
from core.providers.docker.layout import Layout
from core.providers.docker.options import Options, read_options
from core.providers.docker.record import Record
from core.providers.docker.troubles import DockerError, is_gone
from core.providers.images import finish
from core.providers.neighbours import ports_of_others
from core.undo import remove

UNDO = "docker.machine"
"""Kind of intent: a machine of which nothing is to be left."""

UNDO_REPLACEMENT = "docker.replacement"
"""Kind of intent: a machine that may have a container besides the one that its record names."""


async def create(context: Context, plan: MachinePlan, work: Work) -> None:
    options = checked(plan)
    daemon = await context.of(plan)
    work.intend(UNDO, **facts(plan, daemon))
    with context.using(box_image.needed(plan, options)):
        image = await images.obtain(context, daemon, plan, options, work)
        await make(context, daemon, plan, options, image, work)


def checked(plan: MachinePlan) -> Options:
    """Raises ProviderError for a machine that exists, or cannot be a container."""
    if Layout.of(plan).home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )
    if plan.extra_disks:
        raise ProviderError(
            f"The machine {plan.key.name} cannot have extra disks.",
            why="A container has no disks.",
            remedy="use 'volumes' in the machine's [docker] table instead",
        )
    return read_options(plan.options)


async def make(
    context: Context, daemon: Daemon, plan: MachinePlan, options: Options, image: Image, work: Work
) -> None:
    """The container and the record of a machine whose removal is promised already."""
    shared = (*networks.wanted(plan, options), *volumes.wanted(plan, options))
    layout = Layout.of(plan)
    with context.using(shared):
        await networks.ensure(context, daemon, plan, options, work)
        await volumes.ensure(daemon, plan, options)
        chosen = _likely_ports(context, plan, options)
        definition = define(plan, options, chosen, runs=image.runs, own_volumes={})
        name = names.container(plan.key)
        container, name = await containers.create(
            daemon, definition, image=image.id, name=name, machine_id=plan.id, platform=options.platform
        )
    layout.home.mkdir(mode=0o700, exist_ok=True)
    record = Record(
        id=plan.id,
        address=str(daemon.address),
        container=container,
        name=name,
        image=image.id,
        shown=image.shown,
        runs=image.runs,
        ports=chosen,
        definition=definition.digest,
        networks=networks.wanted(plan, options),
    )
    records.write(layout, record)
    context.attention.to(plan).known = MachineState.STOPPED


def _likely_ports(context: Context, plan: MachinePlan, options: Options) -> tuple[Forward, ...]:
    """What the start will most probably choose: a container's ports are fixed when it is made."""
    try:
        return choose_ports(context, plan, options, ())
    except (BusyError, ProviderError):
        return ()
    finally:
        context.claims.release(plan.id)


def choose_ports(
    context: Context,
    plan: MachinePlan,
    options: Options,
    earlier: tuple[Forward, ...],
    refused: frozenset[int] = frozenset(),
) -> tuple[Forward, ...]:
    """Raises BusyError where a port may not be corrected and is in use."""
    if not forwards_ports(options):
        return ()
    wanted = tuple(port for port in plan.ports if options.communicator == "ssh" or port.name != "ssh")
    return ports.choose(
        msgspec.structs.replace(plan, ports=wanted),
        context.claims,
        earlier,
        others=ports_of_others(plan),
        refused=refused,
    )


async def up_to_date(
    context: Context,
    daemon: Daemon,
    plan: MachinePlan,
    record: Record,
    chosen: tuple[Forward, ...],
    work: Work,
    *,
    anew: str = "",
) -> Record:
    """The record of the machine's container, once that is as its project describes it now.

    What a container was made by cannot be changed: another one takes over what is in it. ``anew``: why it
    has to do so in any case.
    """
    options = read_options(plan.options)
    definition = define(plan, options, chosen, runs=record.runs, own_volumes=record.volumes)
    if definition.digest != record.definition:
        anew = "the project has changed"
    if not anew:
        return record
    image = record.image
    if record.used:
        work.note(f"{anew}: another container takes over what is in this one")
        tag = f"base-{secrets.token_hex(4)}"
        image = await images.commit(daemon, record.container, plan.id, tag)
    record = msgspec.structs.replace(record, networks=networks.wanted(plan, options))
    return await replace(daemon, plan, record, options, chosen, image, work, keep=record.current)


async def replace(
    daemon: Daemon,
    plan: MachinePlan,
    record: Record,
    options: Options,
    chosen: tuple[Forward, ...],
    image: str,
    work: Work,
    *,
    keep: str,
) -> Record:
    """Another container, made from the image, in the place of the machine's; ``keep``: the snapshot that it
    goes on from. Either one or the other is the machine's at any moment, by its record."""
    own = await _own_volumes(daemon, record)
    definition = define(plan, options, chosen, runs=record.runs, own_volumes=own)
    intent = work.intend(UNDO_REPLACEMENT, **facts(plan, daemon))
    container, _ = await containers.create(
        daemon,
        definition,
        image=image,
        name=f"{record.name}-{secrets.token_hex(3)}",
        machine_id=plan.id,
        platform=options.platform,
    )
    record = msgspec.structs.replace(
        record,
        container=container,
        image=image,
        ports=chosen,
        definition=definition.digest,
        used=False,
        current=keep,
        volumes=own,
    )
    records.write(Layout.of(plan), record)
    await finish(_tidy(daemon, plan.id, record))
    intent.settle()
    return record


async def _own_volumes(daemon: Daemon, record: Record) -> dict[str, str]:
    try:
        return {**record.volumes, **volumes.own(await containers.inspect(daemon, record.container))}
    except DockerError as error:
        if not is_gone(error):
            raise
        return record.volumes


async def _tidy(daemon: Daemon, machine_id: str, record: Record) -> None:
    """Only the container that the record names stays, under its name."""
    found = await containers.rows(daemon, machine_id)
    for row in found:
        if row.id != record.container:
            await containers.remove(daemon, row.id, with_volumes=False)
    for row in found:
        if row.id == record.container and row.name != record.name:
            await daemon.ask("POST", f"/containers/{row.id}/rename", query={"name": record.name})
    await images.forget(daemon, machine_id, nameless_only=True)


async def undo_replacement(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``docker.replacement``: whatever its record says is the machine's stays."""
    record = records.read(Layout.from_facts(given))
    if record is not None:
        await _tidy(context.daemon(parse(given["address"])), given["id"], record)


async def destroy(context: Context, plan: MachinePlan) -> None:
    """Whatever there is of it, in whatever state."""
    async with context.attention.changing(plan):
        daemon = context.daemon(_last_address(plan))
        await erase(context, facts(plan, daemon))
    context.attention.forget(plan)


def _last_address(plan: MachinePlan) -> Any:
    """Where the machine is; a damaged record does not stand in the way."""
    try:
        return address_of(plan)
    except ProviderError:
        record = Layout.of(plan).record
        record.unlink(missing_ok=True)
        return address_of(plan)


def facts(plan: MachinePlan, daemon: Daemon) -> dict[str, Any]:
    """The facts of an intent: enough to find all of a machine without its plan."""
    return {
        "id": plan.id,
        "address": str(daemon.address),
        **Layout.of(plan).facts(),
        "project": names.project_digest(plan.key.project),
        "networks": list(networks.wanted(plan, read_options(plan.options))),
    }


async def erase(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``docker.machine``: containers, images, volumes and networks that are the machine's, or that
    nobody else needs. The record goes last: by it the rest is found."""
    layout = Layout.from_facts(given)
    daemon = context.daemon(parse(given["address"]))
    if given.get("paused"):
        await containers.goes_on(daemon, given["paused"])
    try:
        record = records.read(layout)
    except ProviderError:
        record = None
    for row in await containers.rows(daemon, given["id"]):
        await containers.remove(daemon, row.id, with_volumes=True)
    if record is not None:
        await volumes.remove(daemon, record.volumes.values())
    await images.forget(daemon, given["id"])
    await box_image.forget_unused(context, daemon)
    await volumes.forget_unused(context, daemon, given["project"])
    shared = dict.fromkeys([*given["networks"], *(record.networks if record else ())])
    await networks.forget_unused(context, daemon, shared)
    await asyncio.to_thread(remove, layout.home)
    context.claims.release(given["id"])


async def undo_network(context: Context, given: Mapping[str, Any]) -> None:
    daemon = context.daemon(parse(given["address"]))
    await networks.forget_unused(context, daemon, [given["network"]])


async def undo_box(context: Context, given: Mapping[str, Any]) -> None:
    daemon = context.daemon(parse(given["address"]))
    await box_image.forget_unused(context, daemon, only=given["image"])
