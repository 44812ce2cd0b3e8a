"""Suspending to disk and resuming.

The saved memory is a file that has its name if and only if it is complete. It is removed before the guest
goes on: memory and disks that do not belong together would destroy the guest's file systems.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.base import Started
from core.providers.images import finish
from core.providers.qemu import processes
from core.providers.qemu import record as records
from core.providers.qemu.context import Context, existing, facts
from core.providers.qemu.last_words import died, log_tail
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link
from core.providers.qemu.monitor import Monitor, MonitorError
from core.providers.qemu.power import quit_now
from core.providers.qemu.record import Launch
from core.providers.qemu.starting import launch
from core.providers.qemu.states import started

_UNLIMITED = 1 << 40
"""Bytes per second: QEMU's own limit is made for networks."""

_RUNNING_MIGRATION = ("setup", "active", "device", "pre-switchover", "cancelling")


async def suspend(context: Context, plan: MachinePlan, work: Work) -> None:
    """Save the memory beside, give the file its name, end the process."""
    layout = Layout.of(plan)
    record = existing(plan)
    link = await context.running(plan)
    with link.changing():
        pinned = await versioned(link.monitor, record.launch)
        records.write(layout, msgspec.structs.replace(record, launch=pinned))
        intent = work.intend("qemu.suspend", **facts(plan))
        work.note("saving the memory")
        await _save(link.monitor, layout, work.progress)
        await finish(_put_away(context, link, layout, plan))
    intent.settle()


async def versioned(monitor: Monitor, hardware: Launch | None) -> Launch:
    """The hardware with the machine type's full name, which stays the same in newer versions of QEMU."""
    if hardware is None:
        raise ProviderError("The machine's record does not say which hardware it has.")
    name = str(await monitor.execute("qom-get", {"path": "/machine", "property": "type"}))
    return msgspec.structs.replace(hardware, machine=name.removesuffix("-machine"))


async def _save(monitor: Monitor, layout: Layout, progress: Callable[..., None]) -> None:
    """Pause the guest and write its memory; when that fails or is cancelled, the guest goes on."""
    try:
        await monitor.execute("stop")
        await monitor.execute("migrate-set-parameters", {"max-bandwidth": _UNLIMITED})
        layout.saving.unlink(missing_ok=True)
        descriptor = os.open(layout.saving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            await monitor.send_file("memory", descriptor)
            await _transfer(monitor, "migrate", progress)
            await asyncio.to_thread(os.fsync, descriptor)
        finally:
            os.close(descriptor)
    except BaseException as error:
        await finish(_go_on(monitor, layout))
        if isinstance(error, (MonitorError, OSError)):
            raise _not_saved(error, layout) from error
        raise


def _not_saved(error: Exception, layout: Layout) -> ProviderError:
    why, remedy = failed_write(error, layout)
    return ProviderError(
        "The machine's memory could not be saved; the machine runs on.", why=why, remedy=remedy
    )


def failed_write(error: Exception, layout: Layout) -> tuple[str, str]:
    """Why QEMU could not write into the machine's folder, and what helps ("" where that is not known).

    Of a full disk QEMU may say no more than that there was an error."""
    why = (error.problem.why or error.problem.what) if isinstance(error, MonitorError) else str(error)
    space = os.statvfs(layout.home)
    free = space.f_bavail * space.f_frsize
    if "No space" not in why and free >= 1 << 20:
        return why, ""
    return f"The host's disk is full ({free >> 20} MiB free).", "free some space there, then try again"


async def _transfer(monitor: Monitor, command: str, progress: Callable[..., None]) -> None:
    """Run a migration over the file that QEMU was given as "memory", to its end."""
    await monitor.execute(
        "migrate-set-capabilities", {"capabilities": [{"capability": "events", "state": True}]}
    )
    with monitor.listening("MIGRATION") as following:
        await monitor.execute(command, {"uri": "fd:memory"})
        waiting = asyncio.ensure_future(following())
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=0.2)
                if done:
                    event = waiting.result()
                    status = event[1]["status"] if event else "failed"
                    if status in ("completed", "failed", "cancelled"):
                        break
                    waiting = asyncio.ensure_future(following())
                memory = (await monitor.execute("query-migrate")).get("ram")
                if memory:
                    progress(memory["total"] - memory["remaining"], memory["total"], "B")
        finally:
            waiting.cancel()
    if status != "completed":
        told = await monitor.execute("query-migrate")
        raise MonitorError("QEMU could not transfer the memory.", why=str(told.get("error-desc", status)))


async def _go_on(monitor: Monitor, layout: Layout) -> None:
    """Back to a running guest from wherever a suspension was."""
    with contextlib.suppress(MonitorError):
        while (await monitor.execute("query-migrate")).get("status") in _RUNNING_MIGRATION:
            await monitor.execute("migrate_cancel")
            await asyncio.sleep(0.05)
        await monitor.execute("cont")
    layout.saving.unlink(missing_ok=True)


async def _put_away(context: Context, link: Link, layout: Layout, plan: MachinePlan) -> None:
    layout.saving.rename(layout.saved)
    _sync_folder(layout.home)
    await quit_now(link)
    await context.end(plan.id, layout)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def undo_suspend(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.suspend``: the guest goes on; one whose memory is already saved stays suspended."""
    layout = Layout.from_facts(given)
    if layout.saved.exists():
        await context.end(given["id"], layout)
        return
    async with context.monitor(given) as monitor:
        if monitor:
            await _go_on(monitor, layout)
    layout.saving.unlink(missing_ok=True)


async def resume(context: Context, plan: MachinePlan, work: Work) -> Started:
    """Go on from saved memory, or after a pause. On failure the saved memory is still there."""
    layout = Layout.of(plan)
    record = existing(plan)
    if not layout.saved.exists():
        link = await context.running(plan)
        with link.changing():
            await link.monitor.execute("cont")
            link.told_paused = False
        return started(record, plan)
    await context.end(plan.id, layout)
    if record.launch is None:
        raise ProviderError("The machine's record does not say which hardware its memory needs.")
    intent = work.intend("qemu.resume", **facts(plan))
    work.note("starting QEMU")
    try:
        link, record = await launch(
            context.links, context.claims, plan, record, record.launch, record.facts, incoming=True
        )
        with link.changing():
            work.note("loading the memory")
            await _load(link.monitor, layout, work.progress)
            await finish(_release(link.monitor, layout))
    except Exception:
        if layout.saved.exists():
            await context.end(plan.id, layout)
            intent.settle()
        raise
    return started(record, plan)


async def _load(monitor: Monitor, layout: Layout, progress: Callable[..., None]) -> None:
    descriptor = os.open(layout.saved, os.O_RDONLY)
    try:
        await monitor.send_file("memory", descriptor)
        await _transfer(monitor, "migrate-incoming", progress)
    except MonitorError as error:
        said = log_tail(layout)
        why = died(said).problem.why if said else error.problem.why
        raise ProviderError(
            "The saved memory could not be loaded; it is still there.",
            why=why,
            remedy="boxwright halt, which gives the saved memory up, then boxwright up",
            tail=said,
        ) from error
    finally:
        os.close(descriptor)


async def _release(monitor: Monitor, layout: Layout) -> None:
    """From here on the disks change, and the saved memory does not fit them any more."""
    layout.saved.unlink()
    _sync_folder(layout.home)
    await monitor.execute("cont")


async def undo_resume(context: Context, given: Mapping[str, Any]) -> None:
    """Undo of ``qemu.resume``: suspended again. When the saved memory is gone already the guest goes on."""
    layout = Layout.from_facts(given)
    if layout.saved.exists():
        await context.end(given["id"], layout)
    elif processes.find(layout.pid_file) is not None:
        async with context.monitor(given) as monitor:
            if monitor:
                await monitor.execute("cont")
