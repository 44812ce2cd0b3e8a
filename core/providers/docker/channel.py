"""A command or shell in a container."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from typing import Protocol

from core.guests.base import Output
from core.guests.stream_channel import StreamChannel
from core.providers.docker.frames import outputs
from core.providers.docker.wire import hang_up


class Execs(Protocol):
    """The container, as its commands see it."""

    async def status(self, number: str) -> int | None: ...

    async def resize(self, number: str, columns: int, rows: int) -> None: ...

    def left(self, channel: ExecChannel) -> None: ...

    def end(self, mark: str) -> None: ...


class ExecChannel(StreamChannel):
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
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._pumping: asyncio.Task[None] | None = None
        self._resizing: asyncio.Task[None] | None = None

    def begin(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._input = writer
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

    def _send_eof(self) -> None:
        assert self._input is not None
        with contextlib.suppress(OSError):
            self._input.write_eof()

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
