"""Creating, starting, halting and removing machines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers import firmware
from core.providers.base import Started
from core.providers.qemu import disks, processes
from core.providers.qemu.context import Context, existing, facts, remove_traces
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link
from core.providers.qemu.monitor import MonitorError
from core.providers.qemu.options import read_options
from core.providers.qemu.record import DiskFile, Record
from core.providers.qemu.starting import hardware, launch, with_extra_disks
from core.providers.qemu.states import started
from core.providers.records import write_record
from core.undo import remove

ASK_AGAIN = 3.0
"""Seconds after which the power button is pressed once more: early in its boot a guest does not see it."""

QUIT_TIMEOUT = 10.0
"""Seconds for QEMU to write its caches out and end."""


async def create(plan: MachinePlan, work: Work) -> None:
    """All files are made in a folder beside, which then gets its name: a machine is there or not."""
    read_options(plan.options)
    layout = Layout.of(plan)
    refuse_existing(plan)
    work.intend("path", path=str(layout.home))
    staging = work.intend("path", path=str(layout.staging))
    await asyncio.to_thread(remove, layout.staging)
    layout.staging.mkdir(mode=0o700)
    own = [await disks.create_overlay(layout.staging, i, disk) for i, disk in enumerate(plan.disks)]
    extra = [await disks.create_extra(layout.staging, i, disk) for i, disk in enumerate(plan.extra_disks)]
    nvram: DiskFile | None = None
    if plan.firmware == "uefi":
        found = firmware.find(plan.architecture)
        original = await asyncio.to_thread(firmware.variables_of, plan.box_files, found)
        nvram = await disks.create_variables(layout.staging, original)
    record = Record(id=plan.id, disks=(*own, *extra), nvram=nvram)
    write_record(layout.staging / layout.record.name, record)
    layout.staging.rename(layout.home)
    staging.settle()


def refuse_existing(plan: MachinePlan) -> None:
    """Raise ProviderError where there is such a machine."""
    if Layout.of(plan).home.exists():
        raise ProviderError(
            f"The machine {plan.key.name} exists already.", remedy=f"boxwright destroy {plan.key.name}"
        )


async def start(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Start a stopped machine from its disks."""
    record = existing(plan)
    layout = Layout.of(plan)
    await refuse_running(context, plan, record)
    record = await with_extra_disks(plan, layout, record, work)
    machine, chosen = hardware(plan, record)
    work.intend("qemu.process", **facts(plan))
    layout.serial_log.write_bytes(b"")
    work.note(f"starting QEMU, acceleration: {chosen}")
    shown = {"acceleration": str(chosen), "machine": machine.machine}
    if machine.display == "vnc":
        shown["display"] = f"vnc at {layout.vnc_socket}"
    _, record = await launch(context.links, context.claims, plan, record, machine, shown)
    return started(record, plan)


async def refuse_running(context: Context, plan: MachinePlan, record: Record) -> None:
    """Raise ProviderError where the machine cannot be started as it is."""
    layout = Layout.of(plan)
    if processes.find(layout.pid_file) is not None:
        raise ProviderError(f"The machine {plan.key.name} runs already.")
    if layout.saved.exists():
        raise ProviderError(
            f"The machine {plan.key.name} is suspended.",
            why="Starting it from its disks would lose what is in its saved memory.",
            remedy=f"boxwright resume {plan.key.name}",
        )
    trouble = disks.lost(layout, record, plan)
    if trouble:
        raise ProviderError(f"The machine {plan.key.name} is broken.", why=trouble)
    remove_traces(layout)


async def stop(context: Context, plan: MachinePlan, work: Work, *, force: bool) -> None:
    """Power button first, then by force; a suspended machine loses its saved memory."""
    layout = Layout.of(plan)
    pid = processes.find(layout.pid_file)
    if pid is not None:
        try:
            link = await context.links.open(plan, pid)
        except MonitorError:
            work.note("QEMU's control socket does not answer: ending the process")
            await processes.end(layout.pid_file, patience=QUIT_TIMEOUT)
        else:
            with link.changing():
                if force or not await _power_button(link, plan, work):
                    await quit_now(link)
                await context.end(plan.id, layout)
    remove_traces(layout)
    for path in (layout.saved, layout.saving):
        path.unlink(missing_ok=True)


async def _power_button(link: Link, plan: MachinePlan, work: Work) -> bool:
    """Whether the guest powered off by itself."""
    work.note("asking the guest to power off")
    until = time.monotonic() + plan.halt_timeout
    try:
        if (await link.monitor.execute("query-status"))["status"] == "paused":
            await link.monitor.execute("cont")
        while (left := until - time.monotonic()) > 0:
            await link.monitor.execute("system_powerdown")
            if await processes.ended(link.pid, min(left, ASK_AGAIN)):
                return True
    except MonitorError:
        if await processes.ended(link.pid, QUIT_TIMEOUT):
            return True
    work.note(f"the guest did not power off within {plan.halt_timeout:g} s: by force")
    return False


async def quit_now(link: Link) -> None:
    """End QEMU in order (its caches are written out), without asking the guest."""
    with contextlib.suppress(MonitorError):
        await link.monitor.execute("quit", timeout=QUIT_TIMEOUT)
    await processes.ended(link.pid, QUIT_TIMEOUT)


async def destroy(context: Context, plan: MachinePlan) -> None:
    """End the process and remove every file, whatever there is."""
    layout = Layout.of(plan)
    await context.end(plan.id, layout)
    for path in (layout.home, layout.staging):
        await asyncio.to_thread(remove, path)


async def undo_start(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.process``: end exactly that machine's process."""
    await context.end(given["id"], Layout.from_facts(given))
