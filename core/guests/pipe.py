"""Files on one side, a command in the guest on the other: blocking code in a thread, channel on the loop."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Protocol

from core.guests.base import Output, Ran

_BLOCK = 256 * 1024


class Process(Protocol):
    """A command in a guest with its input and output open."""

    async def read(self) -> bytes:
        """The next output, b"" at the end; the guest is held back while nobody reads."""

    async def write(self, data: bytes) -> None:
        """Input; waits while the guest is slow. Raises BrokenPipeError when the command has ended."""

    def write_eof(self) -> None: ...

    async def wait(self) -> Ran: ...

    async def close(self) -> None:
        """End it."""


class Starter(Protocol):
    """A guest that starts commands with open ends: all that transfers ask of it."""

    async def start(self, command: str, *, stderr: Output | None = None) -> Process: ...


class ToGuest(io.RawIOBase):
    """A file for a thread to write; the blocks go to the process in order, one at a time."""

    def __init__(self, process: Process, written: Callable[[], None]) -> None:
        self._process = process
        self._written = written
        self._loop = asyncio.get_running_loop()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        asyncio.run_coroutine_threadsafe(self._send(bytes(data)), self._loop).result()
        return len(data)

    async def _send(self, data: bytes) -> None:
        await self._process.write(data)
        self._written()


class FromGuest(io.RawIOBase):
    """A file for a thread to read: the output of the process."""

    def __init__(self, process: Process, received: Callable[[], None]) -> None:
        self._process = process
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._rest = memoryview(b"")
        self.ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, b"" only at the end."""
        if not self._rest and not self.ended:
            self._rest = memoryview(asyncio.run_coroutine_threadsafe(self._receive(), self._loop).result())
            self.ended = not self._rest
        part, self._rest = self._rest[: size if size >= 0 else None], self._rest[size:]
        return bytes(part)

    async def _receive(self) -> bytes:
        data = await self._process.read()
        self._received()
        return data

    def drain(self) -> None:
        """Read what is left, so that the command can end."""
        while self.read(_BLOCK):
            pass
