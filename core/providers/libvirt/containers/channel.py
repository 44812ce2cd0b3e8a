"""A command or shell in the namespaces of a container: a process of this computer."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Sequence

from core.guests.base import Output
from core.guests.stream_channel import StreamChannel

_LAST_WORDS = 0.5
"""Seconds for output that is on its way when the command has ended; what it left running keeps it open."""


class _Reading(asyncio.Protocol):
    """One of the command's outputs."""

    def __init__(self, arrived: Callable[[bytes], None]) -> None:
        self.arrived = arrived
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:
        # A terminal whose last program has gone cannot be read any more, which is its end.
        self.ended.set()


class ProcessChannel(StreamChannel):
    """It has a session of its own, which ends with it."""

    def __init__(self, stdout: Output | None, stderr: Output | None) -> None:
        super().__init__(stdout, stderr)
        self._process: asyncio.subprocess.Process | None = None
        self._outputs: list[tuple[asyncio.ReadTransport, _Reading]] = []
        self._terminal = -1

    async def begin(
        self, command: Sequence[str], environment: dict[str, str], size: tuple[int, int] | None
    ) -> None:
        """``size``: columns and rows of its terminal; None for pipes. Raises OSError."""
        if size is None:
            await self._with_pipes(command, environment)
        else:
            await self._on_terminal(command, environment, size)
        self._spawn(self._whole())

    async def _with_pipes(self, command: Sequence[str], environment: dict[str, str]) -> None:
        (out, theirs), (err, their_errors) = os.pipe(), os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=theirs,
                stderr=their_errors,
                env=environment,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
            os.close(their_errors)
            await self._read(out, self.arrived)
            await self._read(err, lambda data: self.arrived(data, stderr=True))
        self._input = self._process.stdin

    async def _on_terminal(
        self, command: Sequence[str], environment: dict[str, str], size: tuple[int, int]
    ) -> None:
        self._terminal, theirs = os.openpty()
        _resize(theirs, *size)
        try:
            self._process = await asyncio.create_subprocess_exec(
                "setsid", "--ctty", *command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
            )
        finally:
            os.close(theirs)
            await self._read(os.dup(self._terminal), self.arrived)
        loop = asyncio.get_running_loop()
        file = os.fdopen(os.dup(self._terminal), "wb", 0)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, file)
        self._input = asyncio.StreamWriter(transport, protocol, None, loop)

    async def _read(self, number: int, arrived: Callable[[bytes], None]) -> None:
        file = os.fdopen(number, "rb", 0)
        loop = asyncio.get_running_loop()
        self._outputs.append(await loop.connect_read_pipe(lambda: _Reading(arrived), file))

    async def _whole(self) -> None:
        assert self._process
        try:
            status = await self._process.wait()
            await self._last_words()
            self.output_ended()
            self.exited(128 - status if status < 0 else status)
        finally:
            for transport, _ in self._outputs:
                transport.close()
            self._close_input()
            self.lost()

    async def _last_words(self) -> None:
        """Until its output has ended; what it has left running keeps that open, and is not waited for."""
        ending = asyncio.gather(*(reading.ended.wait() for _, reading in self._outputs))
        held = any(not transport.is_reading() for transport, _ in self._outputs)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if held else _LAST_WORDS):
                await ending

    def _close_input(self) -> None:
        if self._input is not None:
            self._input.close()
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def _send_eof(self) -> None:
        assert self._input is not None
        if self._terminal < 0:
            self._input.close()

    def _send_size(self, columns: int, rows: int) -> None:
        if self._terminal >= 0:
            _resize(self._terminal, columns, rows)

    def _hold(self) -> None:
        for transport, _ in self._outputs:
            transport.pause_reading()

    def _release(self) -> None:
        for transport, _ in self._outputs:
            if not transport.is_closing():
                transport.resume_reading()

    def _abort(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _resize(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
