"""The libvirt provider: what the engine drives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers.base import Console, Seen, Started, StateChange
from core.providers.libvirt import (
    address,
    checks,
    cloning,
    creating,
    domains,
    external,
    memory,
    migrating,
    pooling,
    power,
    probing,
    snapshots,
    states,
)
from core.providers.libvirt.console import Consoles
from core.providers.libvirt.context import Context, Watched, uri_of
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import read_options
from core.providers.libvirt.statistics import Measuring
from core.providers.libvirt.xen import options as xen
from core.providers.news import News
from core.undo import SHARED


class LibvirtProvider:
    """Machines as domains of libvirt's QEMU driver; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "libvirt"
    box_formats: ClassVar[tuple[str, ...]] = ("libvirt", "qemu")
    capabilities: ClassVar[frozenset[Capability]] = probing.CAPABILITIES

    def __init__(self) -> None:
        self._context = Context(self._review)
        self._news = News()
        self._consoles = Consoles(self._context)
        self._measuring = Measuring(self._context)
        self.undo: UndoTable = {
            **SHARED,
            "libvirt.domain": partial(power.undo_create, self._context),
            "libvirt.volume": partial(pooling.undo_volume, self._context),
            "libvirt.pool": partial(pooling.undo_pool, self._context),
            "libvirt.pause": partial(cloning.undo_pause, self._context),
            "libvirt.start": partial(power.undo_start, self._context),
            "libvirt.suspend": partial(memory.undo_suspend, self._context),
            "libvirt.resume": partial(memory.undo_resume, self._context),
            "libvirt.migration": partial(migrating.undo_migrate, self._context),
            "libvirt.external": partial(external.undo_save, self._context),
            "libvirt.snapshot": partial(snapshots.undo_save, self._context),
        }

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await probing.probe(options or {})

    def check(self, options: Mapping[str, Any]) -> None:
        asked = read_options(options)
        checks.check_virtual(asked)
        if address.is_xen(asked.uri):
            xen.check(asked)

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        return True

    async def create(self, plan: MachinePlan, work: Work) -> None:
        await creating.create(self._context, plan, work)

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

    async def migrate(self, plan: MachinePlan, target: str, work: Work) -> Started:
        return await migrating.migrate(self._context, plan, target, work)

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await power.destroy(self._context, plan)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        return await states.look(self._context, plans)

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
        uri = uri_of(plan)
        if address.far_host(uri) or address.is_xen(uri):
            # Nobody there keeps one.
            return None
        return str(Layout.of(plan).serial_log)

    async def stats(self, plan: MachinePlan) -> Stats:
        return await self._measuring.measure(plan)

    def watch(self) -> AsyncIterator[StateChange]:
        return self._news.watch()

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
            row = await self._context.of(plan).run(domains.row, plan.id)
            seen = Seen(state=seen.state, trouble=states.end_text(row))
        self._news.tell(StateChange(plan.id, seen))
