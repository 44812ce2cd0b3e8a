"""Ctrl-C and SIGTERM as requests, so that what runs can be undone in order."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


class Interrupts:
    """How often the user asked to stop. Where nobody listens, the first time ends the command."""

    def __init__(self) -> None:
        self.count = 0
        self._listener: Callable[[], None] | None = None

    @contextlib.contextmanager
    def listening(self, told: Callable[[], None]) -> Iterator[None]:
        """While the block runs, requests are counted and ``told`` is called; nothing is broken off."""
        self._listener = told
        try:
            yield
        finally:
            self._listener = None

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Take over both signals; only the main thread may."""
        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            # Whoever started us may want a signal to be ignored (nohup, a background job).
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._asked)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self._listener is None:
            raise KeyboardInterrupt
        self._listener()
