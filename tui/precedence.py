"""Keys come first: what can wait leaves the time to the key that was pressed last."""

from __future__ import annotations

import time

_HUSH = 0.025
"""Seconds in which a key has its effect."""


class Precedence:
    def __init__(self) -> None:
        self._typed = float("-inf")

    def typed(self) -> None:
        """A key came from the terminal. May be called in any thread."""
        self._typed = time.perf_counter()

    def wait(self) -> float:
        """Seconds for which what can wait should; 0 where no key was pressed just now."""
        return max(0.0, self._typed + _HUSH - time.perf_counter())


KEYS = Precedence()
"""Of the one terminal."""
