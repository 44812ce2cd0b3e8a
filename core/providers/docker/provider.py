"""The Docker provider: what the engine drives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from core.model.machine import MachinePlan, MachineState, Snapshot, Stats
from core.model.provider import Capability, Probe
from core.model.work import UndoTable, Work
from core.providers.base import Console, Seen, Started, StateChange
from core.providers.docker import (
    box_image,
    cloning,
    containers,
    making,
    networks,
    power,
    probing,
    snapshots,
    states,
    statistics,
)
from core.providers.docker import record as records
from core.providers.docker.address import parse
from core.providers.docker.attention import Subject
from core.providers.docker.console import Consoles
from core.providers.docker.context import Context
from core.providers.docker.layout import Layout
from core.providers.docker.options import read_options
from core.providers.news import News
from core.undo import SHARED


class DockerProvider:
    """Machines as containers; see :class:`core.providers.base.Provider`."""

    name: ClassVar[str] = "docker"
    box_formats: ClassVar[tuple[str, ...]] = ("docker",)
    capabilities: ClassVar[frozenset[Capability]] = probing.CAPABILITIES

    def __init__(self) -> None:
        self._context = Context(self._review)
        self._news = News()
        self._consoles = Consoles(self._context)
        undo = {
            making.UNDO: making.erase,
            making.UNDO_REPLACEMENT: making.undo_replacement,
            networks.UNDO: making.undo_network,
            box_image.UNDO: making.undo_box,
            power.UNDO_START: power.undo_start,
            power.UNDO_FREEZE: power.undo_freeze,
            power.UNDO_THAW: power.undo_thaw,
            snapshots.UNDO: snapshots.undo_save,
        }
        self.undo: UndoTable = {
            **SHARED,
            **{kind: partial(function, self._context) for kind, function in undo.items()},
        }

    async def probe(self, options: Mapping[str, Any] | None = None) -> Probe:
        return await probing.probe(options or {})

    def check(self, options: Mapping[str, Any]) -> None:
        read_options(options)

    def needs_box(self, options: Mapping[str, Any]) -> bool:
        found = read_options(options)
        return not (found.image or found.dockerfile)

    async def create(self, plan: MachinePlan, work: Work) -> None:
        await making.create(self._context, plan, work)

    async def clone(self, source: MachinePlan, plan: MachinePlan, work: Work) -> None:
        await cloning.clone(self._context, source, plan, work)

    async def start(self, plan: MachinePlan, work: Work, *, snapshot: str = "") -> Started:
        if snapshot:
            started = await snapshots.start_from(self._context, plan, snapshot, work)
        else:
            started = await power.start(self._context, plan, work)
        self._keep_log(plan)
        return started

    async def stop(self, plan: MachinePlan, work: Work, *, force: bool = False) -> None:
        await power.stop(self._context, plan, work, force=force)

    async def suspend(self, plan: MachinePlan, work: Work) -> None:
        await power.suspend(self._context, plan, work)

    async def resume(self, plan: MachinePlan, work: Work) -> Started:
        started = await power.resume(self._context, plan, work)
        self._keep_log(plan)
        return started

    async def destroy(self, plan: MachinePlan, work: Work) -> None:
        await making.destroy(self._context, plan)

    async def states(self, plans: Sequence[MachinePlan]) -> dict[str, Seen]:
        seen = await states.look(self._context, plans)
        for plan in plans:
            if plan.id in seen and seen[plan.id].started is not None:
                self._keep_log(plan)
        return seen

    async def snapshots(self, plan: MachinePlan) -> tuple[Snapshot, ...]:
        return await snapshots.list_all(self._context, plan)

    async def save_snapshot(self, plan: MachinePlan, name: str, work: Work) -> None:
        await snapshots.save(self._context, plan, name, work)

    async def restore_snapshot(self, plan: MachinePlan, name: str, work: Work) -> Started | None:
        started = await snapshots.restore(self._context, plan, name, work)
        self._keep_log(plan)
        return started

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

    def _keep_log(self, plan: MachinePlan) -> None:
        record = records.read(Layout.of(plan))
        if record is not None:
            daemon = self._context.daemon(parse(record.address))
            self._context.logs.keep(daemon, record.container, Layout.of(plan).serial_log)

    async def _review(self, subject: Subject) -> None:
        """Something happened to a machine: look at it, and tell what is new."""
        plan = subject.plan
        seen = (await states.look(self._context, [plan])).get(plan.id)
        if seen is None or subject.busy:
            subject.missed = subject.busy > 0
            return
        before, subject.known = subject.known, seen.state
        old, subject.trouble = subject.trouble, seen.trouble
        if before is None or (before is seen.state and old == seen.trouble):
            return
        if seen.state is MachineState.STOPPED and before is not MachineState.STOPPED:
            seen = Seen(state=seen.state, trouble=await self._how_it_ended(plan))
            subject.trouble = seen.trouble
        elif seen.started is not None:
            self._keep_log(plan)
        self._news.tell(StateChange(plan.id, seen))

    async def _how_it_ended(self, plan: MachinePlan) -> str:
        record = records.read(Layout.of(plan))
        if record is None:
            return ""
        daemon = await self._context.of(plan, record)
        return states.end_text(await containers.inspect(daemon, record.container))
