"""A command or shell in a container."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine
from typing import Any, Protocol

from core.guests.base import Output
from core.guests.channel import Channel
from core.providers.docker.frames import outputs
from core.providers.docker.wire import hang_up


class Execs(Protocol):
    """The container, as its commands see it."""

    async def status(self, number: str) -> int | None: ...

    async def resize(self, number: str, columns: int, rows: int) -> None: ...

    def left(self, channel: ExecChannel) -> None: ...

    def end(self, mark: str) -> None: ...


class ExecChannel(Channel):
    """``number``: Docker's id of the command. ``mark``: how it is found in the container."""

    def __init__(
        self,
        guest: Execs,
        number: str,
        stdout: Output | None,
        stderr: Output | None,
        *,
        tty: bool,
        mark: str,
    ) -> None:
        super().__init__(stdout, stderr)
        self._guest = guest
        self._number = number
        self._tty = tty
        self._mark = mark
        self._writer: StreamWriter | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pumping: asyncio.Task[None] | None = None
        self._resizing: asyncio.Task[None] | None = None

    def begin(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writer = writer
        self._pumping = self._spawn(self._pump(reader, writer))

    async def _pump(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Output on its way to whoever asked for it; while nobody takes it, the container is held back."""
        try:
            with contextlib.suppress(OSError):
                async for data, stderr in outputs(reader, tty=self._tty):
                    await self._flowing.wait()
                    self.arrived(data, stderr=stderr)
            self.output_ended()
            self.exited(await self._guest.status(self._number))
        finally:
            self.lost()
            self._guest.left(self)
            with contextlib.suppress(asyncio.CancelledError):
                await hang_up(writer)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _is_open(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    def _send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)
        self._writable.clear()
        self._spawn(self._drain(self._writer))

    async def _drain(self, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await writer.drain()
        self._writable.set()

    def _send_eof(self) -> None:
        assert self._writer is not None
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    def _send_size(self, columns: int, rows: int) -> None:
        if self._tty:
            if self._resizing is not None:
                self._resizing.cancel()
            self._resizing = self._spawn(self._guest.resize(self._number, columns, rows))

    def _hold(self) -> None:
        self._flowing.clear()

    def _release(self) -> None:
        self._flowing.set()

    def _abort(self) -> None:
        self._guest.end(self._mark)
        if self._pumping is not None:
            self._pumping.cancel()
