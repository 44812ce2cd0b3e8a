"""What is typed ahead: a key is handed out only when what the keys before it began is there.

Textual gives a key to what has the focus as the key arrives, though one before it may be about to move that,
or to open a dialog. Here keys and pastes stand in one line, and each waits until the messages of the one
before it are worked off, and what was begun by it has come as far as its dialog, or to its end.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.screen import Screen

Result = TypeVar("Result")

PATIENCE = 3.0
"""Seconds for which keys wait at most for what one key has begun: nothing is ever stuck."""
ANSWER = 1.0
"""Seconds for which they wait at most for an answer of the engine that is shown in a dialog."""
_QUICK, _LOOK = 50, 0.002
"""Looks without a pause at whether messages are worked off; seconds between those that follow."""


class Begun:
    """Something that a key began, and that may open dialogs."""

    def __init__(self) -> None:
        self.ended = False
        self.asks: Screen[Any] | None = None
        """The dialog that it waits for."""
        self.patience = 0.0
        self.wait()

    def wait(self, seconds: float = PATIENCE) -> None:
        """Keys wait for it from now on, for so long at most."""
        self.patience = time.monotonic() + seconds


_CURRENT: ContextVar[Begun | None] = ContextVar("begun", default=None)


class TypeAhead:
    """The line in which keys stand. ``hand_out`` gives one to what has the focus."""

    def __init__(self, app: App[Any], hand_out: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._hand_out = hand_out
        self._waiting: deque[events.Event] = deque()
        self._task: asyncio.Task[None] | None = None
        self._begun: set[Begun] = set()

    @property
    def idle(self) -> bool:
        """All that was typed has had its effect."""
        return self._task is None

    async def take(self, event: events.Event) -> None:
        """A key or a paste, as it came from the terminal."""
        if self._task is not None:
            self._waiting.append(event)
            return
        reached = await self._give(event)
        self._task = asyncio.create_task(self._go_on(reached))

    async def _go_on(self, reached: tuple[MessagePump, ...]) -> None:
        try:
            await self._effect(reached)
            while self._waiting:
                await self._effect(await self._give(self._waiting.popleft()))
        finally:
            self._task = None

    async def _give(self, event: events.Event) -> tuple[MessagePump, ...]:
        """Who may have something to do because of it."""
        self._asking()
        reached = self._keyed()
        if reached:
            await self._hand_out(event)
        return reached

    async def _effect(self, reached: tuple[MessagePump, ...]) -> None:
        """Until all that it had to do with has nothing to do any more, twice in a row: the first may have
        heard from the last. What a guest may flood is never without: there it is once, for what is there."""
        end, quiet = time.monotonic() + PATIENCE, 0
        while quiet < 2 and self._app.is_running and time.monotonic() < end:
            pumps = tuple(dict.fromkeys((*reached, *self._keyed())))
            if getattr(self._app.focused, "flooded", False):
                await _worked_off(pumps, end)
                clear, quiet = True, 1
            else:
                clear = all([await _worked_off((pump,), end) for pump in pumps])
            if self._held():
                await asyncio.sleep(_LOOK)
                end, quiet = time.monotonic() + PATIENCE, 0
            else:
                quiet = quiet + 1 if clear else 0

    # What is begun.

    def follow(self, work: Coroutine[Any, Any, Result]) -> Coroutine[Any, Any, Result]:
        """Keys wait until ``work`` has opened a dialog, or has ended; and again after each of its dialogs."""
        begun = Begun()
        self._begun.add(begun)

        async def followed() -> Result:
            token = _CURRENT.set(begun)
            try:
                return await work
            finally:
                _CURRENT.reset(token)
                begun.ended = True
                self._begun.discard(begun)

        return followed()

    def hold(self) -> Callable[[], None]:
        """Keys wait until what is returned is called."""
        begun = Begun()
        self._begun.add(begun)
        return lambda: self._begun.discard(begun)

    @contextmanager
    def asking(self, screen: Screen[Any]) -> Iterator[None]:
        """What goes on here waits for that dialog, which has the keys."""
        begun = _CURRENT.get()
        if begun is None or begun.ended:
            yield
            return
        before, begun.asks = begun.asks, screen
        try:
            yield
        finally:
            begun.asks = before
            begun.wait()

    # How far it is.

    def _asking(self) -> None:
        """Dialogs that are there may be closed by the next key; then those who asked are waited for."""
        for begun in self._begun:
            if begun.asks is not None and begun.asks in self._app.screen_stack:
                begun.wait()

    def _held(self) -> bool:
        """What a key has begun is not there yet."""
        now = time.monotonic()
        with suppress(ScreenStackError):
            stack = self._app.screen_stack
            waited = (
                (one.asks is None or one.asks not in stack) and now < one.patience for one in self._begun
            )
            return not self._app.screen.is_mounted or any(waited)
        return False

    def _keyed(self) -> tuple[MessagePump, ...]:
        """What has the keys, and all around it; nothing when the program ends."""
        with suppress(ScreenStackError):
            return tuple((self._app.focused or self._app.screen).ancestors_with_self)
        return ()


def without_waiting(seconds: float = 0.0) -> None:
    """What goes on here opens no dialog, or only when something outside has answered: keys do not wait for
    it, or for so long at most."""
    begun = _CURRENT.get()
    if begun is not None:
        begun.wait(seconds)


async def _worked_off(pumps: Iterable[MessagePump], end: float) -> bool:
    """Waits until the messages that they have now are worked off; whether there are no others by then."""
    waiting, busy = set[MessagePump](), False

    def reached(pump: MessagePump) -> None:
        nonlocal busy
        busy |= pump.message_queue_size > 0
        waiting.discard(pump)

    for pump in pumps:
        if pump.is_running and pump.call_later(reached, pump):
            waiting.add(pump)
    looks = 0
    while any(pump.is_running for pump in waiting) and time.monotonic() < end:
        looks += 1
        await asyncio.sleep(0 if looks < _QUICK else _LOOK)
    return not busy
