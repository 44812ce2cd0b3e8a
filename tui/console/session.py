"""A console that lives on while nobody looks: a screen, what it is connected to, and the flow between."""

from __future__ import annotations

import asyncio
import enum
import time
from collections import deque
from collections.abc import Callable

from core.errors import BoxwrightError
from core.model.problem import Problem
from tui.console.link import LineLink
from tui.console.screen import Screen, create

BUDGET = 0.008
"""Seconds of parsing at a stretch; then everything else has its turn, and the guest is held back."""

_REST = 0.002
_PIECE = 1 << 14
_WAITING_INPUT = 1 << 20


class SessionState(enum.StrEnum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSED = "closed"


class Session:
    """``changed`` is called when there is something new to draw or to show on the tab; at most once until
    the one who looks has called ``looked``."""

    def __init__(self, make_link: Callable[[], LineLink], name: str) -> None:
        self.name = name
        """For the tab, until the guest sets a title."""
        self.state = SessionState.CONNECTING
        self.why = ""
        """Why it is closed."""
        self.problem: Problem | None = None
        self.rang = False
        """The bell rang while nobody looked."""
        self.screen: Screen | None = None
        self.changed: Callable[[], None] = _nobody
        self._make_link = make_link
        self._link: LineLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._queue: deque[bytes] = deque()
        self._drained = asyncio.Event()
        self._drained.set()
        self._paused = False
        self._pumping: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._spent = 0.0
        self._input = bytearray()

    @property
    def title(self) -> str:
        return (self.screen.title if self.screen else "") or self.name

    # Opening and closing.

    def start(self, columns: int, rows: int) -> None:
        """Connect; again when it was closed (what is on the screen stays)."""
        if self._task is not None and not self._task.done():
            return
        if self.screen is None:
            self.screen = create(columns, rows)
        self.state, self.why, self.problem = SessionState.CONNECTING, "", None
        self._input.clear()
        self._task = asyncio.get_running_loop().create_task(self._live())
        self.changed()

    async def _live(self) -> None:
        assert self.screen is not None
        link = self._link = self._make_link()
        try:
            size = self.screen.columns, self.screen.rows
            await link.open(self._receive, *size)
            if size != (self.screen.columns, self.screen.rows):
                link.resize(self.screen.columns, self.screen.rows)
            self.state = SessionState.OPEN
            self._flush()
            self.changed()
            self.why = await link.ended()
        except BoxwrightError as error:
            self.problem = error.problem
            self.why = error.problem.what
        except OSError as error:
            self.why = str(error) or type(error).__name__
        finally:
            await link.close()
        await self._drained.wait()
        self.state = SessionState.CLOSED
        self.changed()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._pumping is not None:
            self._pumping.cancel()
        if self._writer is not None:
            self._writer.cancel()
        self._queue.clear()
        if self.screen is not None:
            self.screen.close()
            self.screen = None

    # Output of the guest.

    def _receive(self, data: bytes) -> None:
        self._queue.append(data)
        if self._pumping is None:
            self._pump()

    def _pump(self) -> None:
        """Parse what waits, for a short while; what is left waits for its turn, and the guest with it."""
        self._pumping = None
        if self.screen is None:
            return
        now = time.perf_counter()
        if now - self._since > BUDGET + _REST:
            self._since, self._spent = now, 0.0
        while self._queue and self._spent < BUDGET:
            data = self._queue.popleft()
            if len(data) > _PIECE:
                self._queue.appendleft(data[_PIECE:])
                data = data[:_PIECE]
            before = time.perf_counter()
            self.screen.feed(data)
            self._spent += time.perf_counter() - before
        self._answer()
        if self._queue:
            self._hold(True)
            self._drained.clear()
            self._pumping = asyncio.get_running_loop().call_later(_REST, self._pump_again)
        else:
            self._hold(False)
            self._drained.set()
        if self.screen.take_bell():
            self.rang = True
        self.changed()

    def _pump_again(self) -> None:
        self._since, self._spent = time.perf_counter(), 0.0
        self._pump()

    def _hold(self, hold: bool) -> None:
        if hold is self._paused or self._link is None:
            return
        self._paused = hold
        if hold:
            self._link.pause()
        else:
            self._link.resume()

    def _answer(self) -> None:
        assert self.screen is not None
        replies = self.screen.take_replies()
        if replies:
            self.send(replies)

    # Input for the guest.

    def send(self, data: bytes) -> None:
        """Written in order; what is typed while it connects is written then. Dropped where the guest has
        taken nothing for a megabyte."""
        if self.state is SessionState.CLOSED or len(self._input) > _WAITING_INPUT:
            return
        self._input += data
        self._flush()

    def _flush(self) -> None:
        if self.state is not SessionState.OPEN or not self._input:
            return
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._input and self._link is not None:
            data = bytes(self._input)
            self._input.clear()
            try:
                await self._link.write(data)
            except (OSError, BoxwrightError):
                return

    def resize(self, columns: int, rows: int) -> None:
        if self.screen is None or (columns, rows) == (self.screen.columns, self.screen.rows):
            return
        self.screen.resize(columns, rows)
        self._answer()
        if self._link is not None and self.state is SessionState.OPEN:
            self._link.resize(columns, rows)


def _nobody() -> None:
    pass
