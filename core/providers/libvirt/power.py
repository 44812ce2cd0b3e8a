"""Starting, halting and removing machines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.work import Work
from core.providers import images
from core.providers.acceleration import Acceleration
from core.providers.base import Started
from core.providers.libvirt import address, definition, devices, domains, drives, forwards, networks, pooling
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.context import Context, Watched, existing, facts, undoing, uri_of
from core.providers.libvirt.creating import SLOW, define, is_far, with_extra_disks
from core.providers.libvirt.domains import Row
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.library import LibvirtError, bindings
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import Record
from core.undo import remove

Press = Callable[[Any, str], bool]
"""Presses a machine's power button, over a handle of libvirt's; False where it does not run any more."""

ASK_AGAIN = 3.0
"""Seconds after which the power button is pressed once more: early in its boot a guest does not see it."""


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Start a stopped machine from its disks."""
    record = existing(plan)
    layout = Layout.of(plan)
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        refuse_running(plan, record, row)
        await have_surroundings(connection, plan)
        record = await with_extra_disks(context, plan, record, work)
        record, chosen = await define(connection, plan, record, row)
        shown = _shown(plan, record, row, chosen)
        record = msgspec.structs.replace(record, facts=shown)
        await context.leave_ports(plan.id)
        ports = forwards.choose(context, plan, record)
        try:
            work.intend("libvirt.start", **facts(plan, record.uri))
            prepare(record, layout)
            if not is_far(record):
                layout.serial_log.write_bytes(b"")
            work.note(f"starting the domain{f', acceleration: {chosen}' if chosen else ''}")
            number = await connection.run(domains.create, plan.id, timeout=SLOW)
            record = await forwards.add(context, plan, record, number, ports)
        finally:
            context.claims.release(plan.id)
        watched.known = MachineState.RUNNING
    return forwards.started(record, plan)


def _shown(plan: MachinePlan, record: Record, row: Row | None, chosen: Acceleration | None) -> dict[str, str]:
    options = read_options(plan.options)
    name = row.name if row else definition.domain_name(plan, options)
    shown = {"domain": f"{name} at {record.uri}"}
    if chosen:
        shown = {
            "acceleration": str(chosen),
            "machine": definition.machine_type(plan, options),
            **shown,
        }
    if options.graphics != "none":
        private = devices.by_socket(options) and not is_far(record)
        place = Layout.of(plan).screen_socket if private else f"a port, see virsh domdisplay {name}"
        shown["display"] = f"{options.graphics} at {place}"
    return shown


async def have_surroundings(connection: Connection, plan: MachinePlan) -> None:
    """Before any start: networks that the machine is in, and images that its definition names."""
    options = read_options(plan.options)
    wanted = networks.wanted(plan, options, connection.uri)
    if wanted:
        await connection.run(networks.have, wanted, timeout=SLOW)
    if address.far_host(connection.uri):
        return
    for path in drives.files(plan, options):
        if not await asyncio.to_thread(path.is_file):
            raise ProviderError(
                f"The image {path} is not there.",
                why=f"The libvirt table of {plan.key.name} names it.",
                remedy="put it there, or remove it from storage or cdroms in the project file",
            )


def prepare(record: Record, layout: Layout) -> None:
    """Before any start: libvirt's log keeper appends to a file that is ours already, so we may read it."""
    if is_far(record):
        return
    layout.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    layout.serial_log.touch(mode=0o600)


def refuse_running(plan: MachinePlan, record: Record, row: Row | None) -> None:
    """Raise ProviderError where the machine cannot be started as it is."""
    frozen = row and address.is_container(record.uri) and row.state == bindings().VIR_DOMAIN_PAUSED
    if row and (row.saved or frozen):
        raise ProviderError(
            f"The machine {plan.key.name} is suspended.",
            why="Starting it from its disks would lose what is in its saved memory.",
            remedy=f"boxwright resume {plan.key.name}",
        )
    if row and row.active:
        raise ProviderError(f"The machine {plan.key.name} runs already.")
    trouble = lost(plan, record)
    if trouble:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=trouble)


def lost(plan: MachinePlan, record: Record, there: Mapping[str, set[str]] = MappingProxyType({})) -> str:
    """Says which image is missing, and what to do; "" where all are there.

    ``there``: names of volumes by storage pool, as far as they are known."""
    home, name = Layout.of(plan).home, plan.key.name
    for disk in record.disks:
        if not disk.pool:
            files = (home / file for file in (disk.file, *disk.bases))
            trouble = next(filter(None, (images.lost(file, disk.backing, name) for file in files)), "")
        elif disk.pool in there and disk.file not in there[disk.pool]:
            trouble = (
                f"The machine's volume {disk.file} is gone from the storage pool {disk.pool}. "
                f"boxwright destroy {name} removes the rest, boxwright up makes it anew."
            )
        else:
            trouble = ""
        if trouble:
            return trouble
    return ""


async def stop(
    context: Context, plan: MachinePlan, work: Work, *, force: bool, press: Press | None = None
) -> None:
    """Power button first, then by force; a suspended machine loses its saved memory."""
    press = press or press_button
    record = records.read(Layout.of(plan))
    connection = context.of(plan, record)
    async with context.changing(plan) as watched:
        row = await connection.run(domains.row, plan.id)
        if row and row.active and (force or not await _power_button(connection, plan, work, watched, press)):
            await connection.insist(domains.end, plan.id)
        if row:
            await connection.run(domains.forget_memory, plan.id)
        await context.leave_ports(plan.id)
        remove_traces(Layout.of(plan))
        watched.known = MachineState.STOPPED


async def _power_button(
    connection: Connection, plan: MachinePlan, work: Work, watched: Watched, press: Press
) -> bool:
    """Whether the guest powered off by itself."""
    work.note("asking the guest to power off")
    until = time.monotonic() + plan.halt_timeout
    while (left := until - time.monotonic()) > 0:
        watched.stopped.clear()
        if not await connection.run(press, plan.id):
            return True
        # Not wait_for: a cancellation and an answer at the same moment must not lose the cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(left, ASK_AGAIN)):
                await watched.stopped.wait()
                await _inactive(connection, plan.id)
                return True
    work.note(f"the guest did not power off within {plan.halt_timeout:g} s: by force")
    return False


async def _inactive(connection: Connection, machine_id: str) -> None:
    """A container is told of as stopped while libvirt is still clearing up behind it."""
    while True:
        row = await connection.run(domains.row, machine_id)
        if row is None or not row.active:
            return
        await asyncio.sleep(0.05)


def press_button(handle: Any, machine_id: str) -> bool:
    """Press the power button; False where the machine does not run any more."""
    libvirt = bindings()
    domain = domains.find(handle, machine_id)
    if domain is None or not domain.isActive():
        return False
    try:
        if domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
            domain.resume()
        ways = libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
        if address.is_xen(handle.getURI()):
            # Guests that know Xen hear it over Xen's store, the others the button.
            ways |= libvirt.VIR_DOMAIN_SHUTDOWN_PARAVIRT
        domain.shutdownFlags(ways)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise
        return False
    return True


def remove_traces(layout: Layout) -> None:
    """What a run leaves in the folder for sockets."""
    with contextlib.suppress(OSError):
        layout.screen_socket.unlink()
    with contextlib.suppress(OSError):
        layout.runtime.rmdir()


async def destroy(context: Context, plan: MachinePlan) -> None:
    """End and undefine the domain and remove every file, whatever there is."""
    layout, uri = Layout.of(plan), uri_of(plan)
    connection, options = context.connection(uri), read_options(plan.options)
    async with context.changing(plan):
        await context.leave_ports(plan.id)
        await connection.insist(domains.remove, plan.id)
        record = records.readable(layout)
        if record and record.target:
            # A libvirt that cannot be asked has ended it itself, when the move broke.
            with contextlib.suppress(LibvirtError):
                await context.connection(record.target).run(domains.remove, plan.id, timeout=SLOW)
        wanted = [network.name for network in networks.wanted(plan, options, uri)]
        names = tuple(dict.fromkeys((*wanted, *(record.networks if record else ()))))
        if names:
            macs = [network.mac for network in plan.networks]
            await connection.run(networks.release, macs, names, timeout=SLOW)
        await pooling.remove_disks(context, plan, options, uri)
        for path in (layout.home, layout.staging):
            await asyncio.to_thread(remove, path)
        remove_traces(layout)
    context.forget(plan)


async def undo_create(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.domain``: end and undefine exactly that machine's domain."""
    connection = await undoing(context, given)
    await connection.insist(domains.remove, given["id"])
    remove_traces(Layout.from_facts(given))


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``libvirt.start``: switch exactly that machine's domain off."""
    connection = await undoing(context, given)
    await connection.insist(domains.end, given["id"])
    remove_traces(Layout.from_facts(given))
