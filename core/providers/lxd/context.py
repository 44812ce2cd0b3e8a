"""What all actions on machines share within one engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachinePlan, MachineState
from core.providers.lxd import record as records
from core.providers.lxd.connection import Connection
from core.providers.lxd.events import Feed, Happening
from core.providers.lxd.images import Images
from core.providers.lxd.instances import Row, default_name, find, under_way
from core.providers.lxd.layout import Layout
from core.providers.lxd.options import read_options
from core.providers.lxd.place import Place, place_of
from core.providers.lxd.record import Record
from core.providers.lxd.troubles import LxdError
from core.providers.ports import Claims

UNDO_PATIENCE = 20.0
"""Seconds for a daemon that is being restarted, when something has to be undone."""

LAST_WORDS = 0.3
"""Seconds for a call of an engine that has died to become an operation of the server's."""

_ENDS = ("instance-stopped", "instance-shutdown", "instance-deleted")


class Watched:
    """A machine that this engine has had to do with."""

    def __init__(self, plan: MachinePlan) -> None:
        self.plan = plan
        self.name = default_name(plan)
        """Of its instance, as last seen."""
        self.busy = 0
        """Actions of ours that are changing it: what happens meanwhile is no news."""
        self.happened = False
        """Something happened while it was busy."""
        self.known: MachineState | None = None
        """The state that whoever watches takes it to be in."""
        self.trouble = ""
        self.ended_by = ""
        """The last event by which it ended, while nobody here was at work on it."""
        self.heard = asyncio.Event()
        """Set by such an event."""


Review = Callable[[Watched], Awaitable[None]]


class Context:
    """Connections, port claims, and who is busy; nothing in here outlives the engine, or has to."""

    def __init__(self, review: Review) -> None:
        """``review``: called for a machine to which something happened that nobody here did."""
        self.claims = Claims()
        self.images = Images()
        self.locks: dict[str, asyncio.Lock] = {}
        self.coming: Counter[str] = Counter()
        """Images and networks that machines are about to be made with: they are not unused."""
        self._review = review
        self._connections: dict[Place, Connection] = {}
        self._feeds: dict[Place, Feed] = {}
        self._watched: dict[str, Watched] = {}
        self._reviews: set[asyncio.Task[None]] = set()

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
        return row

    def watch(self, plan: MachinePlan) -> Watched:
        watched = self._watched.get(plan.id)
        if watched is None:
            watched = self._watched[plan.id] = Watched(plan)
        watched.plan = plan
        return watched

    def knows(self, machine_id: str) -> bool:
        """Whether this engine has had to do with the machine."""
        return machine_id in self._watched

    def forget(self, plan: MachinePlan) -> None:
        self._watched.pop(plan.id, None)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[Watched]:
        """Within the block the machine is ours to change; the block says in ``known`` what it becomes."""
        watched = self.watch(plan)
        with self._busy(watched):
            await self.follow(place_for(plan))
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

    def _happened(self, place: Place, what: Happening) -> None:
        for watched in self._watched.values():
            if watched.name not in (what.name, what.old_name) or place_for(watched.plan) != place:
                continue
            watched.name = what.name
            if watched.busy:
                watched.happened = True
                continue
            if what.action in _ENDS:
                watched.ended_by = what.action
                watched.heard.set()
            self._review_soon(watched)

    def _returned(self, place: Place) -> None:
        """The server is back: whatever its instances did meanwhile was not pushed."""
        for watched in self._watched.values():
            if watched.busy:
                watched.happened = True
            elif place_for(watched.plan) == place:
                watched.ended_by = ""
                watched.heard.clear()
                self._review_soon(watched)

    def _review_soon(self, watched: Watched) -> None:
        task = asyncio.create_task(self._reviewed(watched))
        self._reviews.add(task)
        task.add_done_callback(self._reviews.discard)

    async def _reviewed(self, watched: Watched) -> None:
        # A server that goes away is noticed by its feed, which looks again when it is back.
        with contextlib.suppress(BoxwrightError):
            await self._review(watched)

    async def close(self) -> None:
        for task in tuple(self._reviews):
            task.cancel()
        await asyncio.gather(*self._reviews, return_exceptions=True)
        for feed in self._feeds.values():
            await feed.close()
        for connection in self._connections.values():
            await connection.close()
        self._feeds.clear()
        self._connections.clear()
        self._watched.clear()


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
