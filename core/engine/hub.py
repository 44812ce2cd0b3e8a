"""The stream of events: numbered, with a tail for those who come back, merged for those who are slow.

Publishing never waits. A subscriber that does not read has, per subject, the newest change waiting
for it; beyond ``limit`` subjects all of it is dropped and replaced by a new snapshot.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from core.model.event import Change, Event, Snapshot

RING = 4096
LIMIT = 20_000


class Subscription:
    """One reader's queue. Used on the loop of its hub."""

    def __init__(self, hub: Hub, limit: int) -> None:
        self._hub = hub
        self._limit = limit
        self._pending: dict[str, Event] = {}
        self._snapshot = False
        self._closed = False
        self._ready = asyncio.Event()

    def __len__(self) -> int:
        """Changes that wait to be read."""
        return len(self._pending)

    @property
    def waits(self) -> bool:
        """Whether ``batch`` would return at once with news."""
        return bool(self._pending) or self._snapshot

    def begin(self, since: int) -> None:
        tail = self._hub.tail(since)
        if tail is None:
            self._snapshot = True
            self._ready.set()
        else:
            for event in tail:
                self.offer(event)

    def offer(self, event: Event) -> None:
        """Take a new event in place of an older one of the same subject."""
        if self._snapshot:
            return
        key = event.change.key
        self._pending.pop(key, None)
        self._pending[key] = event
        if len(self._pending) > self._limit:
            self._pending.clear()
            self._snapshot = True
        self._ready.set()

    async def batch(self, limit: int = 256) -> Snapshot | list[Event] | None:
        """A snapshot, or at most ``limit`` events in order; waits for news. None: the hub has closed."""
        while not self.waits:
            if self._closed:
                return None
            self._ready.clear()
            await self._ready.wait()
        if self._snapshot:
            self._snapshot = False
            return self._hub.snapshot()
        keys = list(self._pending)[:limit] if len(self._pending) > limit else list(self._pending)
        return [self._pending.pop(key) for key in keys]

    def close(self) -> None:
        """Stop listening; a waiting ``batch`` returns None once all is read."""
        self._closed = True
        self._hub.leave(self)
        self._ready.set()


class Hub:
    """``take_snapshot(seq)`` must return everything as it stands, without waiting."""

    def __init__(
        self,
        take_snapshot: Callable[[int], Snapshot],
        *,
        first: int | None = None,
        ring: int = RING,
        limit: int = LIMIT,
    ) -> None:
        self._take_snapshot = take_snapshot
        # Microseconds since 1970: numbers go on growing when another engine takes over, so that a
        # number of an earlier engine is never taken for one of this.
        self._seq = time.time_ns() // 1000 if first is None else first
        self._ring: deque[Event] = deque(maxlen=ring)
        self._limit = limit
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def seq(self) -> int:
        """Number of the newest event."""
        return self._seq

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    def publish(self, change: Change) -> Event:
        self._seq += 1
        event = Event(self._seq, change)
        self._ring.append(event)
        for subscription in self._subscriptions:
            subscription.offer(event)
        return event

    def snapshot(self) -> Snapshot:
        return self._take_snapshot(self._seq)

    def tail(self, since: int) -> list[Event] | None:
        """The events after number ``since``; None where they are not all known any more."""
        if since == self._seq > 0:
            return []
        if since <= 0 or not self._ring or since > self._seq or since < self._ring[0].seq - 1:
            return None
        return [event for event in self._ring if event.seq > since]

    def subscribe(self, since: int = 0) -> Subscription:
        """Begins with a snapshot unless the events after ``since`` are all still known."""
        subscription = Subscription(self, self._limit)
        subscription.begin(since)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """No more events; readers end once they have read what waits for them."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
