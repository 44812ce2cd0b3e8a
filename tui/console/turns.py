"""Consoles with more output than can be parsed at once take turns, and leave room for keys and frames.

A flood that has just begun is parsed as fast as it comes: mostly it is one long answer. One that goes on is
slowed down by its guest's channel, and drawn less often. Keys come first in any case.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

from tui.precedence import KEYS

BUDGET = 0.008
"""Seconds of parsing at a stretch; then everything else has its turn, and the guest is held back."""

_REST = 0.002
_LASTING_BUDGET, _LASTING_REST = 0.0015, 0.0085
_LASTS, _LASTS_WATCHED = 1.5, 6.0
"""Seconds after which a flood is one that goes on; of a guest that was typed to and not left, longer: there
somebody waits for the end of a long answer."""
_LOOK = 0.5
_FLOOD, _OVER = 1 << 19, 1 << 16
"""Bytes in the time between two looks that make a flood; and those below which it is over."""
_EAGER = 1.0
"""Seconds for which a guest is heard out after a key, at most: that may have ended the flood."""
_HUSH_LONGEST = 0.1
"""Seconds for which floods wait for keys at most, however many come."""


class Flood:
    """What is known of one console's output."""

    def __init__(self) -> None:
        self._begun = self._looked = self._eager = float("-inf")
        self._bytes = 0
        self._lasts = False
        self._patience = _LASTS

    def took(self, size: int, now: float) -> None:
        """So much was parsed."""
        passed = now - self._looked
        if passed >= _LOOK:
            few = self._bytes < (_OVER if self._lasts else _FLOOD)
            if few or passed > 2 * _LOOK:
                self._begun = now
            self._lasts = now - self._begun > self._patience
            self._looked, self._bytes = now, 0
        self._bytes += size

    def listen(self, now: float) -> None:
        """A key was typed: what the guest says now is wanted at once."""
        self._eager = now + _EAGER
        self._patience = _LASTS_WATCHED

    def leave(self, now: float) -> None:
        """Whoever looked has turned to something else: nobody waits for the end of a long answer."""
        self._eager, self._patience = float("-inf"), 0.0
        self._lasts = self._lasts or self._bytes > _OVER

    def eager(self, now: float) -> bool:
        return now < self._eager

    def slowed(self, now: float) -> bool:
        """It goes on, and nobody waits for what it says."""
        return self._lasts and now - self._looked < 2 * _LOOK and not self.eager(now)


class Reader(Protocol):
    flood: Flood

    def parse(self, seconds: float) -> bool:
        """Parse what waits, and what its guest sends on that, for that long at most; True where there is
        more."""


class Turns:
    """One for all consoles: they share the time."""

    def __init__(self) -> None:
        self._waiting: deque[Reader] = deque()
        self._served: Reader | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._turn = self._window = float("-inf")
        self._spent = 0.0

    def hush(self, reader: Reader, now: float) -> float:
        """Seconds for which that one, where it floods, leaves the time to a key."""
        if not reader.flood.slowed(now) or now - self._turn > _HUSH_LONGEST:
            return 0.0
        return KEYS.wait()

    def arrived(self, reader: Reader) -> None:
        """It has output: parsed now where there is time for it, else in its turn."""
        if reader in self._waiting or reader is self._served:
            return
        now = time.perf_counter()
        if now - self._window > BUDGET + _REST:
            self._window, self._spent = now, 0.0
        if reader.flood.slowed(now) or self._give(reader, BUDGET - self._spent):
            self._waiting.append(reader)
            self._plan(reader)

    def serves(self, reader: Reader) -> bool:
        """Whether it has its turn at this moment."""
        return reader is self._served

    def leave(self, reader: Reader) -> None:
        if reader in self._waiting:
            self._waiting.remove(reader)
        if not self._waiting and self._timer is not None:
            # Its loop may end before it does, and nobody would get a turn any more.
            self._timer.cancel()
            self._timer = None

    def _give(self, reader: Reader, seconds: float) -> bool:
        if seconds <= 0:
            return True
        begin, before, self._served = time.perf_counter(), self._served, reader
        try:
            return reader.parse(seconds)
        finally:
            self._served = before
            self._spent += time.perf_counter() - begin

    def _plan(self, after: Reader) -> None:
        if self._timer is None:
            now = time.perf_counter()
            lasting = all(one.flood.slowed(now) for one in self._waiting)
            rest = max(_LASTING_REST if lasting else _REST, self.hush(after, now))
            self._timer = asyncio.get_running_loop().call_later(rest, self._next)

    def _next(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        now = time.perf_counter()
        # Who was typed to is before all others.
        reader = next((one for one in self._waiting if one.flood.eager(now)), self._waiting[0])
        if self.hush(reader, now):
            self._plan(reader)
            return
        self._waiting.remove(reader)
        self._turn = self._window = now
        self._spent = 0.0
        if self._give(reader, _LASTING_BUDGET if reader.flood.slowed(now) else BUDGET):
            self._waiting.append(reader)
        if self._waiting:
            self._plan(self._waiting[0])


TURNS = Turns()
