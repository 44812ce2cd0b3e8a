"""What all actions on machines share within one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachinePlan, MachineState
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import resolved_uri
from core.providers.libvirt.record import Record
from core.providers.libvirt.tunnels import Tunnels
from core.providers.ports import Claims

UNDO_PATIENCE = 20.0
"""Seconds for a daemon that is being restarted, when something has to be undone."""


class Watched:
    """A machine that this engine has had to do with."""

    def __init__(self, plan: MachinePlan) -> None:
        self.plan = plan
        self.busy = 0
        """Actions of ours that are changing it: what happens meanwhile is no news."""
        self.happened = False
        """Something happened while it was busy."""
        self.known: MachineState | None = None
        """The state that whoever watches takes it to be in."""
        self.trouble = ""
        self.adopting = asyncio.Lock()
        """Held while a run that somebody else has started gets its forwardings."""
        self.stopped = asyncio.Event()
        """Set when libvirt says that the domain has stopped."""


Review = Callable[[Watched], Awaitable[None]]


class Context:
    """Connections, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Review) -> None:
        """``review``: called for a machine to which something happened that nobody here did."""
        self.claims = Claims()
        self.sharing = asyncio.Lock()
        """Held while pools and volumes of boxes, which machines share, come or go."""
        self.shared: set[tuple[str, str, str]] = set()
        """Those that this engine has made: connection, pool, name of the volume or ""."""
        self.tunnels = Tunnels()
        """To the ports of machines on other computers."""
        self._review = review
        self._connections: dict[str, Connection] = {}
        self._watched: dict[str, Watched] = {}
        self._reviews: set[asyncio.Task[None]] = set()

    def connection(self, uri: str) -> Connection:
        known = self._connections.get(uri)
        if known is None:
            known = self._connections[uri] = Connection(uri, self._happened, lambda: self._returned(uri))
        return known

    def of(self, plan: MachinePlan, record: Record | None = None) -> Connection:
        """The connection to the libvirt that has the machine, or will have it."""
        return self.connection(record.uri if record else uri_of(plan))

    def watch(self, plan: MachinePlan) -> Watched:
        watched = self._watched.get(domain_uuid(plan.id))
        if watched is None:
            watched = self._watched[domain_uuid(plan.id)] = Watched(plan)
        watched.plan = plan
        return watched

    def forget(self, plan: MachinePlan) -> None:
        self._watched.pop(domain_uuid(plan.id), None)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[Watched]:
        """Within the block the machine is ours to change; the block says in ``known`` what it becomes."""
        watched = self.watch(plan)
        with self._busy(watched):
            watched.trouble = ""
            try:
                yield watched
            except BaseException:
                watched.known = None
                raise

    @contextlib.contextmanager
    def _busy(self, watched: Watched) -> Iterator[None]:
        watched.busy += 1
        try:
            yield
        finally:
            watched.busy -= 1
            if watched.happened and not watched.busy:
                watched.happened = False
                self._review_soon(watched)

    def _happened(self, uuid: str, event: int, _detail: int) -> None:
        watched = self._watched.get(uuid)
        if watched is None:
            return
        if event == bindings().VIR_DOMAIN_EVENT_STOPPED:
            watched.stopped.set()
        if watched.busy:
            watched.happened = True
        else:
            self._review_soon(watched)

    def _returned(self, uri: str) -> None:
        """The daemon is back: whatever its domains did meanwhile was not pushed."""
        for watched in self._watched.values():
            if watched.busy:
                watched.happened = True
            elif uri_of(watched.plan) == uri:
                self._review_soon(watched)

    def _review_soon(self, watched: Watched) -> None:
        task = asyncio.create_task(self._reviewed(watched))
        self._reviews.add(task)
        task.add_done_callback(self._reviews.discard)

    async def _reviewed(self, watched: Watched) -> None:
        # A daemon that goes away is noticed by its connection, which looks again when it is back.
        with contextlib.suppress(BoxwrightError):
            await self._review(watched)

    async def close(self) -> None:
        await self.tunnels.close_all()
        for task in tuple(self._reviews):
            task.cancel()
        await asyncio.gather(*self._reviews, return_exceptions=True)
        for connection in tuple(self._connections.values()):
            await connection.close()
        self._connections.clear()
        self._watched.clear()


def uri_of(plan: MachinePlan) -> str:
    """Which libvirt: as the machine was made; for one that is not made, as its project or the user says."""
    with contextlib.suppress(ProviderError):
        record = records.read(Layout.of(plan))
        if record:
            return record.uri
    return resolved_uri(plan.options)


def facts(plan: MachinePlan, uri: str) -> dict[str, str]:
    """The facts of an intent: enough to find the domain and its sockets without a plan."""
    return {"id": plan.id, "uri": uri, **Layout.of(plan).facts()}


def existing(plan: MachinePlan) -> Record:
    """The machine's record; raises ProviderError where the machine was not created."""
    record = records.read(Layout.of(plan))
    if record is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not exist.", remedy=f"boxwright up {plan.key.name}"
        )
    return record


async def undoing(context: Context, given: Mapping[str, Any]) -> Connection:
    """For undoing, which knows no plan: the connection, to a daemon that answers."""
    connection = context.connection(given["uri"])
    await connection.wait_for_daemon(UNDO_PATIENCE)
    return connection
