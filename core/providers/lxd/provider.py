"""The LXD provider: what the engine drives."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers.base import Console, Seen, Started, StateChange
from core.providers.lxd import cloning, freezing, power, probing, snapshots, states, statistics
from core.providers.lxd.console import Consoles
from core.providers.lxd.context import Context, Watched
from core.providers.lxd.instances import Row
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import read_options
from core.providers.news import News
from core.undo import SHARED


class LxdProvider:
    """Machines as containers of LXD or Incus; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "lxd"
    box_formats: ClassVar[tuple[str, ...]] = ("lxd", "incus")
    capabilities: ClassVar[frozenset[Capability]] = probing.CAPABILITIES

    def __init__(self) -> None:
        self._context = Context(self._review)
        self._news = News()
        self._consoles = Consoles(self._context)
        self.undo: UndoTable = {
            **SHARED,
            "lxd.machine": partial(power.undo_create, self._context),
            "lxd.start": partial(power.undo_start, self._context),
            "lxd.snapshot": partial(snapshots.undo_save, self._context),
        }

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await probing.probe(options or {})

    def check(self, options: Mapping[str, Any]) -> None:
        read_options(options)

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        return not options.get("image")

    async def create(self, plan: MachinePlan, work: Work) -> None:
        await power.create(self._context, plan, work)

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        await cloning.clone(self._context, source, plan, work)

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        if snapshot:
            return await snapshots.start_from(self._context, plan, snapshot, work)
        return await power.start(self._context, plan, work)

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        await power.stop(self._context, plan, work, force=force)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        await freezing.suspend(self._context, plan, work)

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        return await freezing.resume(self._context, plan, work)

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await power.destroy(self._context, plan)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        seen = await states.look(self._context, plans)
        if len(plans) == 1 and seen and seen[plans[0].id].state is MachineState.RUNNING:
            # Somebody looks at this one: what its console says is wanted soon.
            await self.fetch_console(plans[0], self._context.watch(plans[0]).row)
        return seen

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        return await snapshots.list_all(self._context, plan)

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
        return await statistics.measure(self._context, plan)

    def watch(self) -> AsyncIterator[StateChange]:
        return self._news.watch()

    async def close(self) -> None:
        self._news.close()
        await self._consoles.close()
        await self._context.close()

    async def fetch_console(self, plan: MachinePlan, seen: Row | None = None) -> None:
        with contextlib.suppress(BoxwrightError, OSError):
            await self._consoles.fetch(plan, seen)

    async def _review(self, watched: Watched) -> None:
        """Something happened to a machine: look at it, and tell what is new."""
        plan = watched.plan
        seen = (await states.look(self._context, [plan])).get(plan.id)
        if seen is None or watched.busy:
            watched.happened = watched.busy > 0
            return
        before, watched.known = watched.known, seen.state
        if before is None or before is seen.state:
            return
        if seen.state is MachineState.STOPPED:
            seen = Seen(state=seen.state, trouble=await states.end_text(watched))
            await self.fetch_console(plan)
        self._news.tell(StateChange(plan.id, seen))
