"""Blocking work in threads that ends when the operation is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """Raised in a thread whose result nobody waits for any more."""


class Stop:
    """Asks a thread to end: it calls ``check`` for every block of data.

    One that was made with ``above`` is set when that one is, too.
    """

    def __init__(self, above: Stop | None = None) -> None:
        self._event = threading.Event()
        self._above = above

    def set(self) -> None:
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set() or (self._above is not None and self._above.is_set)

    def check(self) -> None:
        """Raise Stopped where the work is no longer wanted."""
        if self.is_set:
            raise Stopped


async def in_thread(function: Callable[[], T], stop: Stop) -> T:
    """Run ``function`` in a thread. When this is cancelled, ``stop`` is set and the thread is waited for:
    afterwards it no longer touches any file."""
    task = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()
        raise
