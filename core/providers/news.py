"""Changes of machines' states on their way from a provider to whoever watches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from core.providers.base import StateChange


class News:
    """State changes on their way to whoever watches; each watcher gets all since it began."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[StateChange | None]] = set()

    def tell(self, change: StateChange) -> None:
        for watcher in self._watchers:
            watcher.put_nowait(change)

    def watch(self) -> AsyncIterator[StateChange]:
        """Counts from the call on, not from the first step."""
        queue: asyncio.Queue[StateChange | None] = asyncio.Queue()
        self._watchers.add(queue)
        return self._follow(queue)

    async def _follow(self, queue: asyncio.Queue[StateChange | None]) -> AsyncIterator[StateChange]:
        try:
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self._watchers.discard(queue)

    def close(self) -> None:
        """End all watching."""
        for watcher in self._watchers:
            watcher.put_nowait(None)
