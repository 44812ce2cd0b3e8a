"""The QEMU provider: what the engine drives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers.base import Console, Seen, Started, StateChange
from core.providers.news import News
from core.providers.qemu import cloning, memory, power, processes, snapshots, states, statistics
from core.providers.qemu.console import Consoles
from core.providers.qemu.context import Context
from core.providers.qemu.last_words import log_tail
from core.providers.qemu.layout import Layout
from core.providers.qemu.links import Link, Links
from core.providers.qemu.options import read_options
from core.providers.qemu.probing import CAPABILITIES, Prober
from core.undo import SHARED


class QemuProvider:
    """Machines as plain QEMU processes; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "qemu"
    box_formats: ClassVar[tuple[str, ...]] = ("qemu", "libvirt")
    capabilities: ClassVar[frozenset[Capability]] = CAPABILITIES

    def __init__(self) -> None:
        self._context = Context(Links(self._report))
        self._news = News()
        self._consoles = Consoles()
        self._prober = Prober()
        self.undo: UndoTable = {
            **SHARED,
            "qemu.process": partial(power.undo_start, self._context),
            "qemu.suspend": partial(memory.undo_suspend, self._context),
            "qemu.resume": partial(memory.undo_resume, self._context),
            "qemu.bases": partial(cloning.undo_bases, self._context),
            "qemu.copies": partial(cloning.undo_copies, self._context),
            "qemu.snapshot": partial(snapshots.undo_save, self._context),
        }

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await self._prober.probe()

    def check(self, options: Mapping[str, Any]) -> None:
        read_options(options)

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        return True

    async def create(self, plan: MachinePlan, work: Work) -> None:
        await power.create(plan, work)

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        await cloning.clone(self._context, source, plan, work)

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        if snapshot:
            return await snapshots.start_from(self._context, plan, snapshot, work)
        return await power.start(self._context, plan, work)

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        await power.stop(self._context, plan, work, force=force)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        await memory.suspend(self._context, plan, work)

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        return await memory.resume(self._context, plan, work)

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await power.destroy(self._context, plan)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        running = processes.running()
        pids = [running.get(str(Layout.of(plan).pid_file)) for plan in plans]
        looks = (states.look(self._context.links, plan, pid) for plan, pid in zip(plans, pids, strict=True))
        return {plan.id: seen for plan, seen in zip(plans, await asyncio.gather(*looks), strict=True)}

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        return snapshots.list_all(plan)

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        await snapshots.save(self._context, plan, name, work)

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        return await snapshots.restore(self._context, plan, name, work)

    async def delete_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        await snapshots.delete(self._context, plan, name)

    async def console(self, plan: MachinePlan) -> Console:
        return await self._consoles.open(plan)

    def serial_log(self, plan: MachinePlan) -> str | None:
        return str(Layout.of(plan).serial_log)

    async def stats(self, plan: MachinePlan) -> Stats:
        return await statistics.measure(await self._context.running(plan))

    def watch(self) -> AsyncIterator[StateChange]:
        return self._news.watch()

    async def close(self) -> None:
        self._news.close()
        await self._consoles.close()
        await self._context.links.close()

    async def _report(self, link: Link) -> None:
        """A link has news: look at the machine, and tell."""
        pid = None if link.gone else link.pid
        seen = await states.look(self._context.links, link.plan, pid)
        if link.gone and seen.state is MachineState.STOPPED:
            trouble = states.end_text(link, log_tail(Layout.of(link.plan)))
            seen = Seen(state=seen.state, trouble=trouble)
        if not link.gone:
            paused = seen.state is MachineState.SUSPENDED
            if paused == link.told_paused:
                return
            link.told_paused = paused
        self._news.tell(StateChange(link.plan.id, seen))
