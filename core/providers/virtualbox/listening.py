"""What VirtualBox pushes: a process listens for it as long as there are machines to hear of."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable

import msgspec

from core.errors import BoxwrightError
from core.providers.virtualbox.bridge import started

RETRIES = (0.2, 0.5, 1.0, 2.0, 5.0, 30.0)
"""Seconds between attempts to listen again, the last one again and again."""


class _Event(msgspec.Struct, frozen=True):
    uuid: str = ""


class Listening:
    """``on_event``: something happened to the machine of that UUID; ``on_return``: it listens again."""

    def __init__(self, on_event: Callable[[str], None], on_return: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_return = on_return
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    def begin(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        pauses = itertools.chain(RETRIES, itertools.repeat(RETRIES[-1]))
        while True:
            with contextlib.suppress(BoxwrightError):
                process = await started("listener")
                pauses = itertools.chain(RETRIES, itertools.repeat(RETRIES[-1]))
                try:
                    self.connected.set()
                    self._on_return()
                    async for line in process.lines():
                        event = msgspec.json.decode(line, type=_Event)
                        if event.uuid:
                            self._on_event(event.uuid)
                finally:
                    self.connected.clear()
                    await process.end()
            await asyncio.sleep(next(pauses))

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
