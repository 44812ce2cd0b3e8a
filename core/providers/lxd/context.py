"""What all actions on machines share within one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers import watched
from core.providers.lxd import record as records
from core.providers.lxd.connection import Connection
from core.providers.lxd.events import Feed, Happening
from core.providers.lxd.images import Images
from core.providers.lxd.instances import Row, as_left, default_name, find, under_way
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import read_options
from core.providers.lxd.place import Place, place_of
from core.providers.lxd.record import Record
from core.providers.lxd.troubles import LxdError
from core.providers.ports import Claims
from core.providers.watched import WatchList

UNDO_PATIENCE = 20.0
"""Seconds for a daemon that is being restarted, when something has to be undone."""

LAST_WORDS = 0.3
"""Seconds for a call of an engine that has died to become an operation of the server's."""

_ENDS = ("instance-stopped", "instance-shutdown", "instance-deleted")


class Watched(watched.Watched):
    """An instance that this engine has had to do with."""

    def __init__(self, plan: MachinePlan) -> None:
        super().__init__(plan)
        self.name = default_name(plan)
        """Of its instance, as last seen."""
        self.row: Row | None = None
        """Its instance, as last looked at."""
        self.ended_by = ""
        """The last event by which it ended, while nobody here was at work on it."""
        self.heard = asyncio.Event()
        """Set by such an event."""
        self.causing: frozenset[str] = frozenset()
        """What the server will say of what is being done here: no news."""


class Context:
    """Connections, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Callable[[Watched], Awaitable[None]]) -> None:
        """``review``: called for a machine to which something happened that nobody here did."""
        self.claims = Claims()
        self.images = Images()
        self.locks: dict[str, asyncio.Lock] = {}
        self.coming: Counter[str] = Counter()
        """Images and networks that machines are about to be made with: they are not unused."""
        self._watching = WatchList(Watched, review)
        self._connections: dict[Place, Connection] = {}
        self._feeds: dict[Place, Feed] = {}

    def connection(self, place: Place) -> Connection:
        known = self._connections.get(place)
        if known is None:
            known = self._connections[place] = Connection(place)
        return known

    def of(self, plan: MachinePlan, record: Record | None = None) -> Connection:
        """The connection to the server that has the machine, or will have it."""
        return self.connection(record.place if record else place_for(plan))

    async def follow(self, place: Place) -> None:
        """From now on, hear what the server pushes."""
        feed = self._feeds.get(place)
        if feed is None:
            feed = self._feeds[place] = Feed(
                self.connection(place),
                lambda what: self._happened(place, what),
                lambda: self._returned(place),
            )
        await feed.stand()

    async def row(self, plan: MachinePlan, record: Record | None = None) -> Row | None:
        """The machine's instance, or None."""
        watched = self.watch(plan)
        uuid = record.uuid if record else ""
        row = await find(self.of(plan, record), plan.id, uuid=uuid, name=watched.name)
        if row:
            watched.name = row.name
            row = as_left(row, thawing=record is not None and record.thawing)
        watched.row = row
        return row

    def watch(self, plan: MachinePlan) -> Watched:
        return self._watching.of(plan)

    def knows(self, machine_id: str) -> bool:
        """Whether this engine has had to do with the machine."""
        return self._watching.named(machine_id) is not None

    def forget(self, plan: MachinePlan) -> None:
        self._watching.forget(plan)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan, *causing: str) -> AsyncIterator[Watched]:
        """Within the block the machine is ours to change; the block says in ``known`` what it becomes, and
        ``causing`` the events that come of it."""
        async with self._watching.changing(plan) as known:
            await self.follow(place_for(plan))
            known.causing = frozenset(causing)
            try:
                yield known
            finally:
                known.causing = frozenset()

    def _happened(self, place: Place, what: Happening) -> None:
        for known in self._watching.all():
            if known.name not in (what.name, what.old_name) or place_for(known.plan) != place:
                continue
            known.name = what.name
            if what.action in _ENDS and not known.busy:
                known.ended_by = what.action
                known.heard.set()
            if what.action not in known.causing:
                self._watching.happened(known)

    def _returned(self, place: Place) -> None:
        """The server is back: whatever its instances did meanwhile was not pushed."""
        for known in self._watching.all():
            if not known.busy and place_for(known.plan) == place:
                known.ended_by = ""
                known.heard.clear()
            if known.busy or place_for(known.plan) == place:
                self._watching.happened(known)

    async def close(self) -> None:
        await self._watching.close()
        for feed in self._feeds.values():
            await feed.close()
        self._feeds.clear()
        self._connections.clear()


def place_for(plan: MachinePlan) -> Place:
    """As the machine was made; for one that is not made, as its project says."""
    with contextlib.suppress(ProviderError):
        record = records.read(Layout.of(plan))
        if record:
            return record.place
    return place_of(read_options(plan.options))


def facts(plan: MachinePlan, place: Place, uuid: str = "") -> dict[str, str]:
    """The facts of an intent: enough to find the instance without a plan."""
    return {
        "id": plan.id,
        "name": default_name(plan),
        "uuid": uuid,
        "server": place.server,
        "project": place.project,
    }


def existing(plan: MachinePlan) -> Record:
    """The machine's record; raises ProviderError where the machine was not created."""
    record = records.read(Layout.of(plan))
    if record is None:
        raise ProviderError(
            f"The machine {plan.key.name} does not exist.", remedy=f"boxwright up {plan.key.name}"
        )
    return record


async def undoing(context: Context, given: Mapping[str, Any]) -> tuple[Connection, Row | None]:
    """For undoing, which knows no plan: the server, once it answers and does nothing to the instance any
    more, and the instance that there is."""
    connection = context.connection(Place(given["server"], given["project"]))
    if not context.knows(given["id"]):
        # Begun by an engine that died: what it asked for at its last moment may be on its way.
        await asyncio.sleep(LAST_WORDS)
    deadline = asyncio.get_running_loop().time() + UNDO_PATIENCE
    while True:
        late = asyncio.get_running_loop().time() > deadline
        try:
            row = await find(connection, given["id"], uuid=given["uuid"], name=given["name"])
            if late or not await under_way(connection, row.name if row else given["name"]):
                return connection, row
        except LxdError as error:
            if error.status or late:
                raise
        await asyncio.sleep(0.2)
