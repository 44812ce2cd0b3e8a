"""Doing something soon, but not too often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Throttle:
    """Runs ``action`` on the loop: at once after a pause, else at most every ``interval`` seconds.

    ``ask`` may be called from any thread and as often as one likes.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float, action: Callable[[], None]) -> None:
        self._loop = loop
        self._interval = interval
        self._action = action
        self._asked = False
        self._stopped = False
        self._last = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        if self._asked or self._stopped:
            return
        self._asked = True
        try:
            self._loop.call_soon_threadsafe(self._arm)
        except RuntimeError:
            self._stopped = True  # The loop has ended, and with it everybody who could look.

    def ask_in(self, seconds: float) -> None:
        """On the loop: ask once ``seconds`` have passed, unless something is due before."""
        if self._timer is None and not self._stopped:
            self._timer = self._loop.call_later(seconds, self._due)

    def stop(self) -> None:
        """On the loop: nothing more happens."""
        self._stopped = True
        self._disarm()

    def _arm(self) -> None:
        if self._stopped or not self._asked:
            return
        self._disarm()
        delay = self._last + self._interval - self._loop.time()
        if delay <= 0:
            self._due()
        else:
            self._timer = self._loop.call_later(delay, self._due)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._asked = False
        self._last = self._loop.time()
        if not self._stopped:
            self._action()
