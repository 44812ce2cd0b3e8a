"""Looking at what a console shows and has shown: a cursor of one's own, a selection, a search.

Rows are counted from the first one that the guest ever wrote, so that they keep their numbers while older
ones are forgotten.
"""

from __future__ import annotations

from bisect import bisect_left

from tui.console.excerpt import Match, Place, find, text_between, word_at
from tui.console.held import Held
from tui.console.screen import Screen, Shown


class Lookback:
    """What is selected or was found is held: what is shown stays as it is until that ends."""

    def __init__(self, screen: Screen) -> None:
        self._live = screen
        self.held: Held | None = None
        self.anchor: Place | None = None
        """Where the selection begins; it ends at the cursor."""
        self.lines = False
        """Whole lines are selected."""
        self.wanted = ""
        """What is searched for."""
        self.matches: list[Match] = []
        self.match = -1
        """Number of the match that the cursor is on."""
        self._size = screen.columns, screen.rows
        self._dropped = screen.dropped
        if screen.scrolled:
            self.cursor = Place(self.top + screen.rows - 1, 0)
        else:
            self.cursor = Place(self.top + screen.cursor.y, screen.cursor.x)

    @property
    def _screen(self) -> Shown:
        return self.held or self._live

    @property
    def top(self) -> int:
        """Number of the first row that is shown."""
        screen = self._screen
        return self._dropped + screen.total - screen.rows - screen.scrolled

    @property
    def last(self) -> int:
        """Number of the last row that there is."""
        return self._dropped + self._screen.total - 1

    def follow(self) -> None:
        """Take note of what the screen has forgotten, and of lines that were wrapped anew."""
        if self._size != (self._live.columns, self._live.rows):
            self._size = self._live.columns, self._live.rows
            self.anchor = None
            self._let_go()
            self.matches, self.match = [], -1
        self._dropped = self._screen.dropped
        row = min(max(self.cursor.row, self._dropped), self.last)
        if self.held is None and not self._screen.scrolled:
            # The view goes on with what the guest writes, and the cursor with the view.
            row = max(row, self.top)
        self.cursor = Place(row, min(self.cursor.x, self._screen.columns - 1))

    # Moving.

    def move(self, columns: int = 0, rows: int = 0) -> None:
        self.go(Place(self.cursor.row + rows, self.cursor.x + columns))

    def go(self, place: Place) -> None:
        """To the nearest place that exists; it is brought into sight."""
        row = min(max(place.row, self._dropped), self.last)
        self.cursor = Place(row, min(max(place.x, 0), self._screen.columns - 1))
        above, below = self.top - row, row - (self.top + self._screen.rows - 1)
        if above > 0:
            self._screen.scroll(-above)
        elif below > 0:
            self._screen.scroll(below)

    def to_start(self) -> None:
        self.go(Place(self._dropped, 0))

    def to_end(self) -> None:
        self.go(Place(self.last, 0))
        self._screen.scroll_to_end()

    def row_end(self) -> None:
        from rich.cells import cell_len

        rows = self._screen.history().rows
        self.go(Place(self.cursor.row, cell_len(rows[self.cursor.row - self._dropped].rstrip()) - 1))

    def scroll(self, rows: int) -> None:
        """The view moves; the cursor stays in it."""
        self._screen.scroll(rows)
        row = min(max(self.cursor.row, self.top), self.top + self._screen.rows - 1)
        self.cursor = Place(row, self.cursor.x)

    # Selecting.

    def select(self, *, lines: bool = False) -> None:
        """Begin at the cursor; end the selection where there is one of that kind."""
        if self.anchor is not None and self.lines is lines:
            self.deselect()
            return
        self.hold()
        self.anchor, self.lines = self.anchor or self.cursor, lines

    def hold(self) -> None:
        """What is shown stays, and all rows that there are now."""
        if self.held is None:
            self.follow()
            self.held = Held(self._live)

    def point(self, x: int, y: int) -> None:
        """The mouse is pressed there: the cursor goes there, and a selection may follow."""
        self.hold()
        self.cursor = Place(self.top + y, x)

    def press(self, x: int, y: int, clicks: int) -> None:
        """The mouse: one click begins a selection, two take the word, three the line."""
        self.hold()
        place = Place(self.top + y, x)
        self.cursor, self.lines = place, clicks >= 3
        self.anchor = place
        if clicks == 2:
            rows = self._screen.history().rows
            first, last = word_at(rows[place.row - self._dropped], x)
            self.anchor, self.cursor = Place(place.row, first), Place(place.row, last)

    def drag(self, x: int, y: int) -> None:
        """Beyond the edges it scrolls."""
        self.go(Place(self.top + y, x))

    def deselect(self) -> None:
        """Without a search, the view goes on with what the guest writes."""
        self.anchor = None
        if not self.matches:
            self._let_go()

    def stop_finding(self) -> None:
        """Without a selection, the view goes on with what the guest writes."""
        self.wanted, self.matches, self.match = "", [], -1
        if self.anchor is None:
            self._let_go()

    def end(self) -> None:
        """Nothing is selected or found any more."""
        self.stop_finding()
        self.deselect()

    def _let_go(self) -> None:
        if self.held is not None:
            self.held.release()
            self.held = None
            self.follow()

    @property
    def _ends(self) -> tuple[Place, Place]:
        assert self.anchor is not None
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)

    def text(self) -> str:
        """What is selected."""
        if self.anchor is None:
            return ""
        first, last = self._ends
        first, last = (place._replace(row=place.row - self._dropped) for place in (first, last))
        return text_between(self._screen.history(), first, last, lines=self.lines)

    def selected(self, y: int) -> tuple[int, int] | None:
        """The first cell of a visible row that is selected, and the one behind the last."""
        if self.anchor is None:
            return None
        first, last = self._ends
        row = self.top + y
        if not first.row <= row <= last.row:
            return None
        if self.lines:
            return 0, self._screen.columns
        return (
            first.x if row == first.row else 0,
            last.x + 1 if row == last.row else self._screen.columns,
        )

    # Searching.

    def find(self, wanted: str) -> bool:
        """The nearest match from the cursor upwards; False where there is none at all."""
        if not wanted:
            self.stop_finding()
            return False
        self.wanted = wanted
        self._search()
        before = [number for number, match in enumerate(self.matches) if match.start <= self.cursor]
        return self._show(before[-1] if before else len(self.matches) - 1)

    def next(self, way: int) -> bool:
        """The next match downwards (1) or upwards (-1), round at the ends."""
        if not self.wanted:
            return False
        self._search()
        if way > 0:
            after = [number for number, match in enumerate(self.matches) if match.start > self.cursor]
            return self._show(after[0] if after else 0)
        before = [number for number, match in enumerate(self.matches) if match.start < self.cursor]
        return self._show(before[-1] if before else len(self.matches) - 1)

    def _search(self) -> None:
        self.follow()
        self.hold()
        found = find(self._screen.history(), self.wanted)
        self.matches = [
            Match(*(place._replace(row=place.row + self._dropped) for place in match)) for match in found
        ]

    def _show(self, number: int) -> bool:
        if not 0 <= number < len(self.matches):
            self.match = -1
            if self.anchor is None:
                self._let_go()
            return False
        self.match = number
        row = self.matches[number].start.row
        if not self.top <= row < self.top + self._screen.rows:
            # In the middle: what is around it matters, too.
            self._screen.scroll(row - self.top - self._screen.rows // 2)
        self.go(self.matches[number].start)
        return True

    def found(self, y: int) -> list[tuple[int, int, bool]]:
        """Matches in a visible row: first cell, the one behind the last, and whether the cursor is on it."""
        row = self.top + y
        spans: list[tuple[int, int, bool]] = []
        first = bisect_left(self.matches, row, key=lambda match: match.end.row)
        for number in range(first, len(self.matches)):
            start, end = self.matches[number]
            if start.row > row:
                break
            left = start.x if row == start.row else 0
            right = end.x if row == end.row else self._screen.columns
            spans.append((left, right, number == self.match))
        return spans
