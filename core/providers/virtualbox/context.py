"""What all actions on machines share within one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.ports import Claims
from core.providers.records import read_record, write_record
from core.providers.virtualbox.bridge import Bridge
from core.providers.virtualbox.layout import Layout, machine_uuid
from core.providers.virtualbox.listening import Listening
from core.providers.virtualbox.record import Record
from core.providers.watched import Watched, WatchList


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as VirtualBox has it."""

    name: str
    state: str
    """VirtualBox's own word, e.g. ``PoweredOff``; "" where its settings cannot be read."""
    pid: int = 0
    """Of its process; 0 where it has none."""
    settings: str = ""
    changed: float = 0.0
    """Unix time of the last change of its state."""
    trouble: str = ""
    additions: str = ""
    """Version of the guest additions, where they run."""

    @property
    def live(self) -> bool:
        """It has a process, and memory in it."""
        return self.state in LIVE

    @property
    def saved(self) -> bool:
        return self.state in ("Saved", "AbortedSaved")


LIVE = frozenset(
    {
        *("Running", "Paused", "Stuck", "Starting", "Stopping", "Saving", "Restoring"),
        *("Teleporting", "LiveSnapshotting", "OnlineSnapshotting", "TeleportingPausedVM", "TeleportingIn"),
        *("DeletingSnapshotOnline", "DeletingSnapshotPaused"),
    }
)
"""VirtualBox's words for machines that have a process."""


class Context:
    """The bridge, the news, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Callable[[Watched], Awaitable[None]]) -> None:
        self.bridge = Bridge()
        self.claims = Claims()
        self.watching = WatchList(Watched, review, name=machine_uuid)
        self.listening = Listening(self._happened, self._returned)
        self._boxes: dict[str, asyncio.Lock] = {}

    def watch(self, plan: MachinePlan) -> Watched:
        """From now on what happens to the machine is noticed."""
        self.listening.begin()
        return self.watching.of(plan)

    def changing(self, plan: MachinePlan) -> contextlib.AbstractAsyncContextManager[Watched]:
        self.watch(plan)
        return self.watching.changing(plan)

    def forget(self, plan: MachinePlan) -> None:
        self.watching.forget(plan)

    def box_lock(self, name: str) -> asyncio.Lock:
        """Held while the machine that stands for a box is made, used or removed."""
        return self._boxes.setdefault(name, asyncio.Lock())

    async def rows(self, ids: Sequence[str]) -> dict[str, Row]:
        """By machine id; those that VirtualBox does not know are left out."""
        uuids = {machine_uuid(machine_id): machine_id for machine_id in ids}
        found = await self.bridge.ask("rows", uuids=list(uuids))
        return {uuids[uuid]: msgspec.convert(row, Row) for uuid, row in found.items()}

    async def row(self, plan: MachinePlan) -> Row | None:
        return (await self.rows([plan.id])).get(plan.id)

    def _happened(self, uuid: str) -> None:
        watched = self.watching.named(uuid)
        if watched:
            self.watching.happened(watched)

    def _returned(self) -> None:
        """VirtualBox's daemon is back: whatever its machines did meanwhile was not pushed."""
        for watched in self.watching.all():
            self.watching.happened(watched)

    async def close(self) -> None:
        await self.listening.close()
        await self.watching.close()
        await self.bridge.close()


def read(plan: MachinePlan) -> Record | None:
    return read_record(Layout.of(plan).record, Record)


def write(plan: MachinePlan, record: Record) -> None:
    write_record(Layout.of(plan).record, record)


def existing(plan: MachinePlan) -> Record:
    """The machine's record; raises ProviderError where the machine was not created."""
    record = read(plan)
    if record is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not exist.", remedy=f"boxwright up {plan.key.name}"
        )
    return record


async def with_disks(context: Context, plan: MachinePlan, record: Record) -> Record:
    """The record, written, with the disks as VirtualBox has them now."""
    chains = await context.bridge.ask("disks", uuid=machine_uuid(plan.id))
    record = msgspec.structs.replace(record, disks=tuple(tuple(chain) for chain in chains))
    write(plan, record)
    return record


def facts(plan: MachinePlan, **more: Any) -> dict[str, Any]:
    """The facts of an intent: enough to find the machine without a plan."""
    return {"id": plan.id, **Layout.of(plan).facts(), **more}
