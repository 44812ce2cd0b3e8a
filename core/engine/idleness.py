"""Whether anybody still needs the engine."""

from __future__ import annotations

import time

_NEVER = 86400.0


class Idleness:
    """Counts clients and remembers the last use. ``limit``: seconds of rest after which the engine may
    end; 0: never."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.clients = 0
        self._last_use = time.monotonic()

    def used(self) -> None:
        self._last_use = time.monotonic()

    def came(self) -> None:
        self.clients += 1
        self.used()

    def left(self) -> None:
        self.clients -= 1
        self.used()

    def ends_in(self, busy: bool) -> float:
        """Seconds until the engine counts as idle, if nothing comes up; 0 once it does."""
        if not self.limit:
            return _NEVER
        if busy or self.clients:
            return self.limit
        return max(0.0, self._last_use + self.limit - time.monotonic())
