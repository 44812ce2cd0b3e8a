"""A page for what a command prints: it tells how long that takes, and escape ends the command."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from core import amounts
from tui.dialogs.info import Info
from tui.look.lines import Part, wrap
from tui.printed import Printed

_CLOSES = "esc closes"


class Printing(Info):
    """``run`` ends what it has started when it is cancelled."""

    def __init__(self, title: str, run: Callable[[], Awaitable[Printed]]) -> None:
        super().__init__(title, self._told, hint=_CLOSES)
        self._run = run
        self._since = time.monotonic()
        self._printed: Printed | None = None

    def on_mount(self) -> None:
        super().on_mount()
        self._ticks = self.set_interval(1.0, self._tick)
        self._tick()
        # It is cancelled where the page is closed before.
        self.run_worker(self._wait())

    async def _wait(self) -> None:
        self._printed = await self._run()
        self._ticks.stop()
        self._caption(_CLOSES)
        self.put(self._told, max(len(line) for line in self._printed.lines))

    def _tick(self) -> None:
        spent = amounts.clock(time.monotonic() - self._since)
        self._caption(f"runs for {spent}, esc cancels it")

    def _caption(self, text: str) -> None:
        self.query_one(".frame").border_subtitle = text

    def _told(self, width: int) -> list[list[Part]]:
        if self._printed is None:
            return [[("It has said nothing yet.", "muted")]]
        role = "text" if self._printed.good else "warn"
        return [[(text, role)] for line in self._printed.lines for text in _fitted(line, width)]


def _fitted(line: str, width: int) -> list[str]:
    """What does not fit goes on below, as far in."""
    margin = len(line) - len(line.lstrip())
    return [" " * margin + text for text in wrap(line[margin:], max(10, width - margin))]
