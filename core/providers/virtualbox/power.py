"""Creating, starting, halting and removing machines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import Forward, MachinePlan, MachineState
from core.model.work import Work
from core.providers import ports
from core.providers.base import Started
from core.providers.neighbours import ports_of_others
from core.providers.virtualbox import appliance, boxes, definition, networks
from core.providers.virtualbox.bridge import VirtualBoxError
from core.providers.virtualbox.context import Context, Row, existing, facts, with_disks
from core.providers.virtualbox.customizing import customize
from core.providers.virtualbox.layout import Layout, machine_name, machine_uuid
from core.providers.virtualbox.options import Options, read_options
from core.providers.virtualbox.record import Record, lost, started
from core.providers.virtualbox.troubles import not_started
from core.providers.watched import Watched
from core.undo import remove

ASK_AGAIN = 3.0
"""Seconds after which the power button is pressed once more: early in its boot a guest does not see it."""

SLOW = 120.0
"""Seconds of silence while a guest's process begins or ends."""


async def create(context: Context, plan: MachinePlan, work: Work) -> None:
    """A linked clone of the box's machine, in the machine's own folder."""
    options = read_options(plan.options)
    refuse_existing(plan)
    await asyncio.to_thread(appliance.check, plan, appliance.find(plan))
    definition.shared_folders(plan, options)
    master = boxes.master_of(plan)
    async with context.changing(plan) as watched:
        _intend(plan, work)
        await customize(plan, options, "pre-import", work)
        async with context.box_lock(master.name):
            source = await boxes.ensure(context, plan, master, work)
            await _clone(context, plan, source, linked=options.linked_clone)
        record = Record(id=plan.id, box=master.name)
        await _configure(context, plan, options, record, ())
        await customize(plan, options, "post-import", work)
        watched.known = MachineState.STOPPED


def refuse_existing(plan: MachinePlan) -> None:
    if Layout.of(plan).home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )


def _intend(plan: MachinePlan, work: Work) -> None:
    layout = Layout.of(plan)
    work.intend("path", path=str(layout.home))
    work.intend("virtualbox.machine", **facts(plan, masters=str(layout.masters)))


async def clone(context: Context, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
    """A linked clone of the same box, with a copy of what ``source`` has written."""
    record = existing(source)
    options = read_options(plan.options)
    refuse_existing(plan)
    trouble = lost(source, record)
    if trouble:
        raise ProviderError(f"The machine {source.key.name} is broken.", why=trouble)
    row = await context.row(source)
    async with context.changing(plan) as watched:
        _intend(plan, work)
        box = await _clone_box(context, plan, record.box, work)
        await _configure(context, plan, options, Record(id=plan.id, box=box), ())
        work.note(f"copying what {source.key.name} has written")
        await context.bridge.call(
            "copy disks",
            patience=SLOW,
            progress=boxes.percent(work),
            source=machine_uuid(source.id),
            uuid=machine_uuid(plan.id),
            folder=str(Layout.of(plan).home),
            live=bool(row and row.live),
        )
        await with_disks(context, plan, existing(plan))
        watched.known = MachineState.STOPPED


async def _clone_box(context: Context, plan: MachinePlan, box: str, work: Work) -> str:
    """A linked clone of the machine that stands for the box, imported anew where that has gone, as it may
    when nothing stands on it; returns its name."""
    try:
        async with context.box_lock(box):
            await _clone(context, plan, box, linked=True)
            return box
    except VirtualBoxError as error:
        if error.kind != "absent":
            raise
    await asyncio.to_thread(appliance.check, plan, appliance.find(plan))
    master = boxes.master_of(plan)
    async with context.box_lock(master.name):
        await _clone(context, plan, await boxes.ensure(context, plan, master, work), linked=True)
    return master.name


async def _clone(context: Context, plan: MachinePlan, source: str, *, linked: bool) -> None:
    name = machine_name(plan)
    settings = Layout.of(plan).settings(plan)
    try:
        await context.bridge.call(
            "clone",
            patience=boxes.IMPORTING,
            source=source,
            name=name,
            uuid=machine_uuid(plan.id),
            settings=str(settings),
            linked=linked,
        )
    except VirtualBoxError as error:
        if error.kind != "taken":
            raise
        raise ProviderError(
            error.problem.what, remedy=f"VBoxManage modifyvm {name} --name <another name>, then try again"
        ) from error


async def _configure(
    context: Context, plan: MachinePlan, options: Options, record: Record, chosen: Sequence[Forward]
) -> Record:
    """Bring VirtualBox's settings up to date with the plan; returns the record, written."""
    cards = await networks.cards(context, plan, options)
    wanted = definition.build(plan, options, record, chosen, cards)
    await context.bridge.call("configure", uuid=machine_uuid(plan.id), wanted=wanted)
    new = tuple(disk.name for disk in definition.new_disks(plan, record))
    record = msgspec.structs.replace(record, extra=(*record.extra, *new))
    return await with_disks(context, plan, record)


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Start a stopped machine from its disks."""
    record = existing(plan)
    options = read_options(plan.options)
    async with context.changing(plan) as watched:
        await refuse_running(context, plan, record)
        chosen = ports.choose(plan, context.claims, record.ports, others=ports_of_others(plan))
        try:
            record = msgspec.structs.replace(record, ports=chosen, facts=_shown(plan, options, record))
            record = await _configure(context, plan, options, record, chosen)
            await customize(plan, options, "pre-boot", work)
            work.intend("virtualbox.start", **facts(plan))
            work.note("starting VirtualBox's process")
            await launch(context, plan, options)
            await customize(plan, options, "post-boot", work)
        finally:
            context.claims.release(plan.id)
        watched.known = MachineState.RUNNING
    return started(record)


def _shown(plan: MachinePlan, options: Options, record: Record) -> dict[str, str]:
    return {
        "machine": machine_name(plan),
        "box's machine": record.box,
        "display": "a window" if options.gui else "none",
    }


async def launch(context: Context, plan: MachinePlan, options: Options) -> None:
    """From its disks or its saved memory. Raises ProviderError with VirtualBox's reason and a remedy."""
    layout = Layout.of(plan)
    layout.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.serial_log.write_bytes(b"")
    try:
        await context.bridge.call("launch", patience=SLOW, uuid=machine_uuid(plan.id), window=options.gui)
    except VirtualBoxError as error:
        remove_traces(layout)
        raise not_started(plan, error) from error


async def refuse_running(context: Context, plan: MachinePlan, record: Record) -> None:
    """Raise ProviderError where the machine cannot be started as it is. One that was only unregistered is
    registered again."""
    trouble = lost(plan, record)
    if trouble:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=trouble)
    row = await context.row(plan)
    if row is None:
        row = await _registered_again(context, plan, record)
    if row.trouble:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=row.trouble)
    if row.live:
        raise ProviderError(f"The machine {plan.key.name} runs already.")
    if row.saved:
        raise ProviderError(
            f"The machine {plan.key.name} is suspended.",
            why="Starting it from its disks would lose what is in its saved memory.",
            remedy=f"boxwright resume {plan.key.name}",
        )


async def _registered_again(context: Context, plan: MachinePlan, record: Record) -> Row:
    settings = Layout.of(plan).settings(plan)
    if settings.exists():
        await context.bridge.call(
            "register", uuid=machine_uuid(plan.id), settings=str(settings), disks=record.disks
        )
        row = await context.row(plan)
        if row:
            return row
    raise ProviderError(
        f"The machine {plan.key.name} was deleted in VirtualBox.",
        remedy=f"boxwright destroy {plan.key.name} removes the rest, boxwright up makes it anew",
    )


async def stop(context: Context, plan: MachinePlan, work: Work, *, force: bool) -> None:
    """Power button first, then by force; a suspended machine loses its saved memory."""
    uuid = machine_uuid(plan.id)
    async with context.changing(plan) as watched:
        row = await context.row(plan)
        if row and row.live and (force or not await _power_button(context, plan, work, watched)):
            await context.bridge.call("switch off", patience=SLOW, uuid=uuid)
        if row and row.saved:
            await context.bridge.call("forget memory", uuid=uuid)
        remove_traces(Layout.of(plan))
        watched.known = MachineState.STOPPED


async def _power_button(context: Context, plan: MachinePlan, work: Work, watched: Watched) -> bool:
    """Whether the guest powered off by itself."""
    work.note("asking the guest to power off")
    until = time.monotonic() + plan.halt_timeout
    pressed = 0.0
    while (left := until - time.monotonic()) > 0:
        watched.changed.clear()
        row = await context.row(plan)
        if row is None or not row.live:
            return True
        if time.monotonic() > pressed + ASK_AGAIN:
            await context.bridge.call("power button", uuid=machine_uuid(plan.id))
            pressed = time.monotonic()
        # Not wait_for: a cancellation and an answer at the same moment must not lose the cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(left, ASK_AGAIN)):
                await watched.changed.wait()
    work.note(f"the guest did not power off within {plan.halt_timeout:g} s: by force")
    return False


def remove_traces(layout: Layout) -> None:
    """What a run leaves in the folder for sockets."""
    with contextlib.suppress(OSError):
        layout.serial_socket.unlink()
    with contextlib.suppress(OSError):
        layout.runtime.rmdir()


async def destroy(context: Context, plan: MachinePlan) -> None:
    """End and unregister the machine, remove its media and every file, whatever there is; the machine of its
    box goes, too, where this was the last one."""
    layout = Layout.of(plan)
    async with context.changing(plan):
        await _remove(context, plan.id, layout)
        await asyncio.to_thread(remove, layout.home)
        await context.bridge.call("forget strays", parent=str(layout.machine_folder.parent))
        await sweep(context, layout.masters)
        options = read_options(plan.options)
        if options.project_networks == "hostonly" or any(own.kind == "hostonly" for own in options.networks):
            await networks.drop_unused(context)
    context.forget(plan)


async def _remove(context: Context, machine_id: str, layout: Layout) -> None:
    await context.bridge.call("remove", patience=SLOW, uuid=machine_uuid(machine_id))
    await context.bridge.call("forget orphans", folders=[str(layout.home)])
    remove_traces(layout)


async def sweep(context: Context, masters: Path) -> None:
    """Remove machines of boxes that nothing stands on any more."""
    names = await asyncio.to_thread(lambda: [path.name for path in masters.glob("boxwright-box-*")])
    for name in names:
        await boxes.let_go(context, name, masters)


async def undo_create(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``virtualbox.machine``: remove exactly that machine, and what was imported for it alone."""
    await _remove(context, given["id"], Layout.from_facts(given))
    await sweep(context, Path(given["masters"]))


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``virtualbox.start``: switch exactly that machine off."""
    await context.bridge.call("switch off", patience=SLOW, uuid=machine_uuid(given["id"]))
    remove_traces(Layout.from_facts(given))
