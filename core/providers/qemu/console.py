"""Serial consoles. QEMU's socket takes one client, so the lookers-on of a machine share one connection.

What the guest says is read from the log that QEMU keeps; the socket tells that there is more, and takes
input. So every console, also one opened late or read slowly, sees the same bytes, and nothing is held in
memory for it. Only on a full disk, where the log stands still, what the socket says is shown itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from core.errors import ProviderError
from core.model.machine import MachinePlan
from core.providers.qemu.layout import Layout

TAIL = 64 * 1024
"""Bytes of the past that a new console begins with, and that one read returns at most."""

_LAG = 0.02
"""Seconds by which QEMU may write its log later than the socket."""


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
        except FileNotFoundError:
            return b""
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
    """The connection to one machine's serial port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path) -> None:
        self._reader = reader
        self._writer = writer
        self._log = log
        self._logged = _size(log)
        self._received = bytearray()
        self._later: asyncio.TimerHandle | None = None
        self.lookers: set[SerialConsole] = set()
        self.ended = False
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while data := await self._reader.read(65536):
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
        self._writer.close()

    def _wake(self) -> None:
        for looker in self.lookers:
            looker.wake()

    def _look_later(self) -> None:
        self._later = asyncio.get_running_loop().call_later(_LAG, self._look_again, len(self._received))

    def _look_again(self, expected: int) -> None:
        """What was received must be in the log by now, unless there is no room for it."""
        size = _size(self._log)
        if size == self._logged and _full(self._log):
            for looker in self.lookers:
                looker.feed(bytes(self._received[:expected]))
        self._logged = size
        del self._received[:expected]
        self._wake()
        self._later = None
        if self._received:
            self._look_later()

    async def write(self, data: bytes) -> None:
        if self.ended:
            raise ProviderError("The serial console is closed, as the machine does not run any more.")
        self._writer.write(data)
        try:
            await self._writer.drain()
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
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Consoles:
    """The lines that are open, by machine."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._opening = asyncio.Lock()

    async def open(self, plan: MachinePlan) -> SerialConsole:
        layout = Layout.of(plan)
        async with self._opening:
            line = self._lines.get(plan.id)
            if line is None or line.ended:
                try:
                    reader, writer = await asyncio.open_unix_connection(str(layout.serial_socket))
                except OSError as error:
                    raise ProviderError(
                        f"The machine {plan.key.name} has no serial console now.",
                        why="It does not run." if not layout.pid_file.exists() else str(error),
                        remedy=f"boxwright up {plan.key.name}",
                    ) from error
                line = self._lines[plan.id] = _Line(reader, writer, layout.serial_log)
            console = SerialConsole(line, layout.serial_log)
            line.lookers.add(console)
            return console

    async def close(self) -> None:
        for line in tuple(self._lines.values()):
            if not line.ended:
                await line.close()
        self._lines.clear()


def _full(path: Path) -> bool:
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize < TAIL


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
