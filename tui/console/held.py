"""A console's screen as it was when a selection began. The guest goes on writing behind it.

In a flood the lines that somebody selects are forgotten within a frame, so their text is taken at once;
colours and links are taken for what was to be seen, and for older rows when they are looked at, where they
are kept.
"""

from __future__ import annotations

from tui.console.screen import Cells, Cursor, History, Link, Screen
from tui.log.sgr import PLAIN


class Held:
    """See :class:`tui.console.screen.Shown`. ``release`` ends it; the live screen is at its end meanwhile."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.columns, self.rows = screen.columns, screen.rows
        self.cursor: Cursor = screen.cursor
        self.dropped = screen.dropped
        self.scrolled = screen.scrolled
        self._history = screen.history()
        self.total = len(self._history.rows)
        self._cells: dict[int, Cells] = {}
        self._links: dict[int, tuple[Link, ...]] = {}
        self._take(self._top)
        screen.scroll_to_end()
        # These may be written over, now that they are not waited for.
        self._take(max(0, self.total - self.rows))

    @property
    def behind(self) -> int:
        """Rows that were written since."""
        return max(0, self._screen.dropped + self._screen.total - self.dropped - self.total)

    @property
    def _top(self) -> int:
        return max(0, self.total - self.rows - self.scrolled)

    def _take(self, top: int) -> None:
        """The rows that the live screen shows now, the first of which is number ``top``."""
        self._screen.changes()
        for y in range(self.rows):
            self._cells.setdefault(top + y, self._screen.row(y))
            self._links.setdefault(top + y, self._screen.links(y))

    def _look(self) -> None:
        """Take what is in sight now from the live screen, where it still has it."""
        top = self._top
        if all(number in self._cells for number in range(top, top + self.rows)):
            return
        screen = self._screen
        way = self._way(top)
        if way is None or (screen.columns, screen.rows) != (self.columns, self.rows):
            return
        screen.scroll(way)
        self._take(top)
        screen.scroll_to_end()

    def _way(self, top: int) -> int | None:
        """How far the live screen has to be scrolled for that row to be its first; None: it is forgotten."""
        place = self.dropped + top - self._screen.dropped
        return place - (self._screen.total - self._screen.rows) if place >= 0 else None

    def release(self) -> None:
        """The live screen shows the same rows, where it was looked back and still has them."""
        way = self._way(self._top)
        if self.scrolled and way is not None:
            self._screen.scroll(way)

    # As a screen.

    def row(self, y: int) -> Cells:
        number = self._top + y
        if number in self._cells:
            return self._cells[number]
        return ((self._history.rows[number], PLAIN),) if number < self.total else ()

    def links(self, y: int) -> tuple[Link, ...]:
        return self._links.get(self._top + y, ())

    def history(self) -> History:
        return self._history

    def scroll(self, rows: int) -> None:
        self.scrolled = min(max(0, self.scrolled - rows), max(0, self.total - self.rows))
        self._look()

    def scroll_to_end(self) -> None:
        self.scrolled = 0
