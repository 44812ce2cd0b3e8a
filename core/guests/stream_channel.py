"""A channel whose input is a stream of asyncio's, as far as that decides how it works."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from core.guests.base import Output
from core.guests.channel import Channel


class StreamChannel(Channel):
    """Who writes is held back while the stream is full; what it has begun ends with its tasks."""

    def __init__(self, stdout: Output | None, stderr: Output | None) -> None:
        super().__init__(stdout, stderr)
        self._input: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _is_open(self) -> bool:
        return self._input is not None and not self._input.is_closing()

    def _send(self, data: bytes) -> None:
        assert self._input is not None
        self._input.write(data)
        self._writable.clear()
        self._spawn(self._drain(self._input))

    async def _drain(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await writer.drain()
        self._writable.set()
