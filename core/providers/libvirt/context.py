"""What all actions on machines share within one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers import watched
from core.providers.libvirt import record as records
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.library import bindings
from core.providers.libvirt.options import resolved_uri
from core.providers.libvirt.record import Record
from core.providers.libvirt.relays import Relays
from core.providers.libvirt.tunnels import Tunnels
from core.providers.ports import Claims
from core.providers.watched import WatchList

UNDO_PATIENCE = 20.0
"""Seconds for a daemon that is being restarted, when something has to be undone."""


class Watched(watched.Watched):
    """A domain that this engine has had to do with."""

    def __init__(self, plan: MachinePlan) -> None:
        super().__init__(plan)
        self.adopting = asyncio.Lock()
        """Held while a run that somebody else has started gets its forwardings."""
        self.stopped = asyncio.Event()
        """Set when libvirt says that the domain has stopped."""


class Context:
    """Connections, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Callable[[Watched], Awaitable[None]]) -> None:
        """``review``: called for a machine to which something happened that nobody here did."""
        self.claims = Claims()
        self.sharing = asyncio.Lock()
        """Held while pools and volumes of boxes, which machines share, come or go."""
        self.shared: set[tuple[str, str, str]] = set()
        """Those that this engine has made: connection, pool, name of the volume or ""."""
        self.tunnels = Tunnels()
        """To the ports of machines on other computers."""
        self.relays = Relays()
        """To the ports of guests without a user network."""
        self._watching = WatchList(Watched, review, name=domain_uuid)
        self._connections: dict[str, Connection] = {}

    def connection(self, uri: str) -> Connection:
        known = self._connections.get(uri)
        if known is None:
            known = self._connections[uri] = Connection(uri, self._happened, lambda: self._returned(uri))
        return known

    def of(self, plan: MachinePlan, record: Record | None = None) -> Connection:
        """The connection to the libvirt that has the machine, or will have it."""
        return self.connection(record.uri if record else uri_of(plan))

    def watch(self, plan: MachinePlan) -> Watched:
        return self._watching.of(plan)

    def forget(self, plan: MachinePlan) -> None:
        self._watching.forget(plan)

    def changing(self, plan: MachinePlan) -> contextlib.AbstractAsyncContextManager[Watched]:
        return self._watching.changing(plan)

    async def leave_ports(self, machine_id: str) -> None:
        """What this engine carries for the machine's ports ends."""
        await self.tunnels.close(machine_id)
        await self.relays.close(machine_id)

    async def leave_all_ports(self) -> None:
        await self.tunnels.close_all()
        await self.relays.close_all()

    def _happened(self, uuid: str, event: int, _detail: int) -> None:
        known = self._watching.named(uuid)
        if known is None:
            return
        if event == bindings().VIR_DOMAIN_EVENT_STOPPED:
            known.stopped.set()
        self._watching.happened(known)

    def _returned(self, uri: str) -> None:
        """The daemon is back: whatever its domains did meanwhile was not pushed."""
        for known in self._watching.all():
            if known.busy or uri_of(known.plan) == uri:
                self._watching.happened(known)

    async def close(self) -> None:
        await self.leave_all_ports()
        await self._watching.close()
        for connection in tuple(self._connections.values()):
            await connection.close()
        self._connections.clear()


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
