"""A command on a channel of an SSH connection, with its input and output open."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import deque

import asyncssh

from core.guests.base import Output, Ran

_QUEUE_LIMIT = 1024 * 1024
_CLOSE_SECONDS = 3.0


class Channel(asyncssh.SSHClientSession[bytes]):
    """One command or shell. Output goes to callbacks as it comes, or is read block by block.

    Where ``stdout`` is None, ``read`` gives the output; the guest is held back while nobody reads.
    """

    def __init__(self, stdout: Output | None, stderr: Output | None) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._blocks: deque[bytes] = deque()
        self._queued = 0
        self._paused = False
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = asyncio.Event()
        self._over = asyncio.Event()
        self._eof = False
        self._status: int | None = None
        self._signal = ""
        self._failure: BaseException | None = None
        self._chan: asyncssh.SSHClientChannel[bytes] | None = None

    # What asyncssh calls.

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._chan = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._failure is not None:
            return
        if datatype is None and self._stdout is None:
            self._enqueue(data)
            return
        receiver = self._stdout if datatype is None else self._stderr
        if receiver is None:
            return
        try:
            receiver(data)
        except Exception as failure:
            # asyncssh would end the whole connection; only this command is at fault.
            self._failure = failure
            self._over.set()

    def _enqueue(self, data: bytes) -> None:
        self._blocks.append(data)
        self._queued += len(data)
        self._arrived.set()
        if self._queued > _QUEUE_LIMIT and not self._paused and self._chan is not None:
            self._paused = True
            self._chan.pause_reading()

    def eof_received(self) -> bool:
        self._eof = True
        self._arrived.set()
        return True

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self._signal = signal

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._eof = True
        self._ended.set()
        self._over.set()
        self._arrived.set()
        self._writable.set()

    # What the rest of the program calls.

    async def read(self) -> bytes:
        """All output that has arrived, b"" at the end."""
        while not self._blocks:
            if self._eof:
                return b""
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._blocks) if len(self._blocks) > 1 else self._blocks[0]
        self._blocks.clear()
        self._queued = 0
        if self._paused and self._chan is not None:
            self._paused = False
            self._chan.resume_reading()
        return data

    async def write(self, data: bytes) -> None:
        """Waits while the guest does not take more. Raises BrokenPipeError when the command has ended."""
        await self._writable.wait()
        if self._ended.is_set() or self._chan is None or self._chan.is_closing():
            raise BrokenPipeError("the command in the guest has ended")
        self._chan.write(data)
        await self._writable.wait()

    def write_eof(self) -> None:
        """There is no more input."""
        if not self._ended.is_set() and self._chan is not None and not self._chan.is_closing():
            self._chan.write_eof()

    def resize(self, columns: int, rows: int) -> None:
        if not self._ended.is_set() and self._chan is not None:
            self._chan.change_terminal_size(columns, rows)

    def pause_reading(self) -> None:
        """Hold the guest back: no output is delivered until ``resume_reading``."""
        if not self._ended.is_set() and self._chan is not None:
            self._chan.pause_reading()

    def resume_reading(self) -> None:
        if not self._ended.is_set() and self._chan is not None:
            self._chan.resume_reading()

    def send_signal(self, name: str) -> None:
        """Ask the guest's SSH server to signal the command (not every server does)."""
        if not self._ended.is_set() and self._chan is not None:
            self._chan.send_signal(name)

    @property
    def ended(self) -> bool:
        """The channel is closed on both sides."""
        return self._ended.is_set()

    async def wait(self) -> Ran:
        """How it ended. Raises what an output callback raised, at once: the command may still run."""
        await self._over.wait()
        if self._failure is not None:
            raise self._failure
        if self._signal:
            return Ran(status=128 + _number(self._signal), signal=self._signal)
        return Ran(status=-1 if self._status is None else self._status)

    def abort(self) -> None:
        """End it without waiting."""
        if self._chan is not None and not self._ended.is_set():
            self._chan.abort()

    async def close(self) -> None:
        """End it; content when it has ended already."""
        self.abort()
        if self._chan is not None:
            # Some servers confirm only when the command has ended, which it may never do.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._ended.wait()
        self.connection_lost(None)


def _number(name: str) -> int:
    try:
        return int(signal.Signals[f"SIG{name}"])
    except KeyError:
        return 0
