"""Serial consoles. A serial port takes one client, so the lookers-on of a machine share one wire to it.

What the guest says is read from the log that the hypervisor keeps; the wire tells that there is more, and
takes input. So every console, also one opened late or read slowly, sees the same bytes, and nothing is held
in memory for it. Only where the log stands still (on a full disk, or where it may not be read), what the
wire says is shown itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from core.errors import ProviderError

TAIL = 64 * 1024
"""Bytes of the past that a new console begins with, and that one read returns at most."""

_LAG = 0.02
"""Seconds by which a log may be written later than the wire."""

_LOG_PATIENCE = 1.0
"""Seconds after which a log that has not grown is taken for one that does not grow any more."""


class Wire(Protocol):
    """The connection to one machine's serial port; methods raise OSError when it breaks."""

    async def read(self) -> bytes:
        """What came; b"" at the end."""

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None:
        """Let go; a second time is no error."""


class SocketWire:
    """A wire that is a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        return await self._reader.read(65536)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class SerialConsole:
    """One looker-on; see :class:`core.providers.base.Console`."""

    def __init__(self, line: _Line, log: Path) -> None:
        self._line = line
        self._log = log
        self._offset = max(0, _size(log) - TAIL)
        self._more = asyncio.Event()
        self._lost = b""
        self._closed = False

    def wake(self) -> None:
        self._more.set()

    def feed(self, data: bytes) -> None:
        """What did not get into the log."""
        self._lost = (self._lost + data)[-TAIL:]

    async def read(self) -> bytes:
        while not self._closed:
            self._more.clear()
            ended = self._line.ended
            data = self._unread()
            if data or ended:
                return data
            await self._more.wait()
        return b""

    def _unread(self) -> bytes:
        try:
            with self._log.open("rb") as file:
                if file.seek(0, 2) < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                data = file.read(TAIL)
        except (FileNotFoundError, PermissionError):
            data = b""
        self._offset += len(data)
        data += self._lost
        self._lost = b""
        return data

    async def write(self, data: bytes) -> None:
        await self._line.write(data)

    async def close(self) -> None:
        self._closed = True
        self.wake()
        await self._line.leave(self)


class _Line:
    """The wire to one machine's serial port, and who looks on."""

    def __init__(self, wire: Wire, log: Path, settle: float) -> None:
        self._wire = wire
        self._log = log
        self._logged = _size(log)
        self._received = bytearray()
        self._waiting_since = 0.0
        self._later: asyncio.TimerHandle | None = None
        self._settled = time.monotonic() + settle
        self.lookers: set[SerialConsole] = set()
        self.ended = False
        self._task = asyncio.create_task(self._listen())
        if settle:
            self._look_later()

    async def _listen(self) -> None:
        try:
            while data := await self._wire.read():
                self._received += data
                self._wake()
                if self._later is None:
                    self._look_later()
        except OSError:
            pass
        finally:
            self._end()

    def _end(self) -> None:
        self.ended = True
        if self._later:
            self._later.cancel()
        self._wake()

    def _wake(self) -> None:
        for looker in self.lookers:
            looker.wake()

    def _look_later(self) -> None:
        self._waiting_since = self._waiting_since or time.monotonic()
        self._later = asyncio.get_running_loop().call_later(_LAG, self._look_again, len(self._received))

    def _look_again(self, expected: int) -> None:
        """What was received must be in the log by now, or it never gets there."""
        size = _size(self._log)
        late = size == self._logged and bool(expected)
        if late and _stands_still(self._log):
            for looker in self.lookers:
                looker.feed(bytes(self._received[:expected]))
            late = False
        late = late and time.monotonic() < self._waiting_since + _LOG_PATIENCE
        self._logged = size
        self._wake()
        self._later = None
        if not late:
            del self._received[:expected]
            self._waiting_since = 0.0
        if self._received or time.monotonic() < self._settled:
            self._look_later()

    async def write(self, data: bytes) -> None:
        if self.ended:
            raise ProviderError("The serial console is closed, as the machine does not run any more.")
        try:
            await self._wire.write(data)
        except OSError as error:
            raise ProviderError("The serial console is closed.", why=str(error)) from error

    async def leave(self, looker: SerialConsole) -> None:
        self.lookers.discard(looker)
        if not self.lookers:
            await self.close()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        # A task that is cancelled before its first step does not get to do this.
        self._end()
        await self._wire.close()


class Lines:
    """The wires that are open."""

    def __init__(self, settle: float = 0.0) -> None:
        """``settle``: seconds for which a new wire may be silent although the guest speaks."""
        self._settle = settle
        self._lines: dict[str, _Line] = {}
        self._opening = asyncio.Lock()

    async def open(self, key: str, log: Path, connect: Callable[[], Awaitable[Wire]]) -> SerialConsole:
        """``key``: of the machine, or of one run of it. ``connect`` is called where no wire is there yet;
        what it raises is raised."""
        async with self._opening:
            self._lines = {known: line for known, line in self._lines.items() if not line.ended}
            line = self._lines.get(key)
            if line is None:
                line = self._lines[key] = _Line(await connect(), log, self._settle)
            console = SerialConsole(line, log)
            line.lookers.add(console)
            return console

    async def close(self) -> None:
        for line in tuple(self._lines.values()):
            if not line.ended:
                await line.close()
        self._lines.clear()


def _stands_still(log: Path) -> bool:
    return _full(log) or not os.access(log, os.R_OK)


def _full(path: Path) -> bool:
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize < TAIL


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
