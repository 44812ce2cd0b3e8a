"""The VirtualBox provider: what the engine drives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers.base import Console, Leftover, Seen, Started, StateChange
from core.providers.news import News
from core.providers.virtualbox import media, memory, power, probing, snapshots, states, statistics
from core.providers.virtualbox.console import Consoles
from core.providers.virtualbox.context import Context
from core.providers.virtualbox.layout import Layout
from core.providers.virtualbox.options import read_options
from core.providers.watched import Watched
from core.undo import SHARED


class VirtualBoxProvider:
    """Machines of VirtualBox; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "virtualbox"
    box_formats: ClassVar[tuple[str, ...]] = ("virtualbox",)
    capabilities: ClassVar[frozenset[Capability]] = probing.CAPABILITIES

    def __init__(self) -> None:
        self._context = Context(self._review)
        self._news = News()
        self._consoles = Consoles()
        self.undo: UndoTable = {
            **SHARED,
            "virtualbox.machine": partial(power.undo_create, self._context),
            "virtualbox.start": partial(power.undo_start, self._context),
            "virtualbox.suspend": partial(memory.undo_suspend, self._context),
            "virtualbox.snapshot": partial(snapshots.undo_save, self._context),
        }

    @property
    def listening(self) -> asyncio.Event:
        """Set while VirtualBox's news arrive."""
        return self._context.listening.connected

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await probing.probe(self._context.bridge)

    def check(self, options: Mapping[str, Any]) -> None:
        read_options(options)

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        return True

    async def create(self, plan: MachinePlan, work: Work) -> None:
        await power.create(self._context, plan, work)

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        await power.clone(self._context, source, plan, work)

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        if snapshot:
            begun = await snapshots.start_from(self._context, plan, snapshot, work)
        else:
            begun = await power.start(self._context, plan, work)
        self._consoles.keep(plan)
        return begun

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        await power.stop(self._context, plan, work, force=force)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        await memory.suspend(self._context, plan, work)

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        begun = await memory.resume(self._context, plan, work)
        self._consoles.keep(plan)
        return begun

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await power.destroy(self._context, plan)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        seen = await states.look(self._context, plans)
        for plan in plans:
            if seen[plan.id].state is MachineState.RUNNING:
                self._consoles.keep(plan)
        return seen

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        return await snapshots.list_all(self._context, plan)

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        await snapshots.save(self._context, plan, name, work)

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        begun = await snapshots.restore(self._context, plan, name, work)
        if begun:
            self._consoles.keep(plan)
        return begun

    async def delete_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        await snapshots.delete(self._context, plan, name)

    async def console(self, plan: MachinePlan) -> Console:
        return await self._consoles.open(plan)

    def serial_log(self, plan: MachinePlan) -> str | None:
        return str(Layout.of(plan).serial_log)

    async def stats(self, plan: MachinePlan) -> Stats:
        return await statistics.measure(self._context, plan)

    def watch(self) -> AsyncIterator[StateChange]:
        return self._news.watch()

    async def prune(self, machines: Path, known: Collection[str], *, dry_run: bool) -> tuple[Leftover, ...]:
        return await media.prune(self._context, machines, known, dry_run=dry_run)

    async def close(self) -> None:
        self._news.close()
        await self._consoles.close()
        await self._context.close()

    async def _review(self, watched: Watched) -> None:
        """Something happened to a machine: look at it, and tell what is new."""
        plan = watched.plan
        seen = (await states.look(self._context, [plan])).get(plan.id)
        before = watched.learn(seen)
        if seen is None or before is None:
            return
        if seen.state is MachineState.STOPPED and before is not MachineState.STOPPED:
            row = await self._context.row(plan)
            seen = Seen(state=seen.state, trouble=states.end_text(row))
        self._news.tell(StateChange(plan.id, seen))
