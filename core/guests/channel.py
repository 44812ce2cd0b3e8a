"""A command or shell in a guest, with its input and output open, whichever way the bytes travel."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from abc import ABC, abstractmethod
from collections import deque

from core.guests.base import Output, Ran

_QUEUE_LIMIT = 1024 * 1024
_CLOSE_SECONDS = 3.0


class Channel(ABC):
    """One command or shell. Output goes to callbacks as it comes, or is read block by block.

    Where ``stdout`` is None, ``read`` gives the output; the guest is held back while nobody reads. A
    transport calls ``arrived``, ``output_ended``, ``exited`` and ``lost``, and gives the methods that
    begin with an underscore.
    """

    def __init__(self, stdout: Output | None, stderr: Output | None) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._blocks: deque[bytes] = deque()
        self._queued = 0
        self._paused = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = asyncio.Event()
        self._over = asyncio.Event()
        self._eof = False
        self._status: int | None = None
        self._signal = ""
        self._failure: BaseException | None = None

    # What a transport gives.

    @abstractmethod
    def _is_open(self) -> bool:
        """Whether bytes can still be sent."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Send, or queue; clears ``_writable`` while the guest takes no more."""

    @abstractmethod
    def _send_eof(self) -> None: ...

    @abstractmethod
    def _send_size(self, columns: int, rows: int) -> None: ...

    @abstractmethod
    def _hold(self) -> None:
        """Take no more output from the guest until ``_release``."""

    @abstractmethod
    def _release(self) -> None: ...

    @abstractmethod
    def _abort(self) -> None:
        """End it without waiting; ``lost`` follows."""

    # What a transport calls.

    def arrived(self, data: bytes, *, stderr: bool = False) -> None:
        if self._failure is not None:
            return
        if not stderr and self._stdout is None:
            self._enqueue(data)
            return
        receiver = self._stderr if stderr else self._stdout
        if receiver is None:
            return
        try:
            receiver(data)
        except Exception as failure:
            # The whole connection would be ended for it; only this command is at fault.
            self._failure = failure
            self._over.set()

    def _enqueue(self, data: bytes) -> None:
        self._blocks.append(data)
        self._queued += len(data)
        self._news.set()
        if self._queued > _QUEUE_LIMIT and not self._paused:
            self._paused = True
            self._hold()

    def output_ended(self) -> None:
        self._eof = True
        self._news.set()

    def exited(self, status: int | None = None, signal_name: str = "") -> None:
        """How the command ended; ``lost`` says when the channel is closed, too."""
        self._status = status
        self._signal = signal_name

    def lost(self) -> None:
        """The channel is closed on both sides."""
        self._eof = True
        self._ended.set()
        self._over.set()
        self._news.set()
        self._writable.set()

    # What the rest of the program calls.

    async def read(self) -> bytes:
        """All output that has arrived, b"" at the end."""
        while not self._blocks:
            if self._eof:
                return b""
            self._news.clear()
            await self._news.wait()
        data = b"".join(self._blocks) if len(self._blocks) > 1 else self._blocks[0]
        self._blocks.clear()
        self._queued = 0
        if self._paused:
            self._paused = False
            self._release()
        return data

    async def write(self, data: bytes) -> None:
        """Waits while the guest does not take more. Raises BrokenPipeError when the command has ended."""
        await self._writable.wait()
        if self._ended.is_set() or not self._is_open():
            raise BrokenPipeError("the command in the guest has ended")
        self._send(data)
        await self._writable.wait()

    def write_eof(self) -> None:
        """There is no more input."""
        if not self._ended.is_set() and self._is_open():
            self._send_eof()

    def resize(self, columns: int, rows: int) -> None:
        if not self._ended.is_set():
            self._send_size(columns, rows)

    def pause_reading(self) -> None:
        """Hold the guest back: no output is delivered until ``resume_reading``."""
        if not self._ended.is_set():
            self._hold()

    def resume_reading(self) -> None:
        if not self._ended.is_set():
            self._release()

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
        if not self._ended.is_set():
            self._abort()

    async def close(self) -> None:
        """End it; content when it has ended already."""
        self.abort()
        # Some servers confirm only when the command has ended, which it may never do.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._ended.wait()
        self.lost()


def _number(name: str) -> int:
    try:
        return int(signal.Signals[f"SIG{name}"])
    except KeyError:
        return 0
