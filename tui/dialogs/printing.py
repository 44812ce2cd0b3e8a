"""A page for what a command prints, as it comes: it tells how long that takes; escape ends the command."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from textual.timer import Timer

from core import amounts
from tui.dialogs.info import Info
from tui.look.lines import Part, clean, wrap
from tui.views.lines import LinesView

_CLOSES = "esc closes"
_FRAME = 0.1
"""Seconds between two looks at what is new."""


class Printing(Info):
    """``run`` hands over what is printed, in pieces, and ends what it has started when it is cancelled."""

    def __init__(self, title: str, run: Callable[[Callable[[str], None]], Awaitable[bool]]) -> None:
        super().__init__(title, self._told, hint=_CLOSES)
        self._run = run
        self._since = time.monotonic()
        self._said: list[str] = [""]
        """Lines; the last one may go on."""
        self._wrapped: list[str] = []
        self._done = 0
        """So many of the lines are wrapped, for a page of ``_width``."""
        self._width = 0
        self._good: bool | None = None
        """How it ended; None while it runs."""
        self._frame: Timer | None = None

    def on_mount(self) -> None:
        super().on_mount()
        self._ticks = self.set_interval(1.0, self._tick)
        self._caption(self._spent())
        # It is cancelled where the page is closed before.
        self.run_worker(self._wait())

    async def _wait(self) -> None:
        self._good = await self._run(self._take)
        if self._said == [""]:
            self._said = ["done" if self._good else "It failed, and said nothing.", ""]
        self._ticks.stop()
        self._caption(_CLOSES)
        self._show()

    def _take(self, text: str) -> None:
        first, *others = text.replace("\r\n", "\n").split("\n")
        self._said[-1] += first
        self._said += others
        if self._frame is None:
            self._frame = self.set_timer(_FRAME, self._show)

    def _show(self) -> None:
        self._frame = None
        self.put(self._told, max(len(clean(line)) for line in self._said))

    def _tick(self) -> None:
        self._caption(self._spent())
        # What comes slowly is followed; of what comes at once the beginning is read first.
        self.query_one(LinesView).follow = True

    def _spent(self) -> str:
        return f"runs for {amounts.clock(time.monotonic() - self._since)}, esc cancels it"

    def _caption(self, text: str) -> None:
        self.query_one(".frame").border_subtitle = text

    def _told(self, width: int) -> list[list[Part]]:
        if self._said == [""]:
            return [[("It has said nothing yet.", "muted")]]
        if width != self._width:
            self._width, self._wrapped, self._done = width, [], 0
        for line in self._said[self._done : -1]:
            self._wrapped += _fitted(clean(line), width)
        self._done = len(self._said) - 1
        rest = _fitted(clean(self._said[-1]), width) if self._said[-1] else []
        role = "warn" if self._good is False else "text"
        return [[(text, role)] for text in (*self._wrapped, *rest)]


def _fitted(line: str, width: int) -> list[str]:
    """What does not fit goes on below, as far in."""
    margin = len(line) - len(line.lstrip())
    return [" " * margin + text for text in wrap(line[margin:], max(10, width - margin))]
