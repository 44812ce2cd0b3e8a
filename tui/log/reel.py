"""What of a script is in sight from some place on, and moving that place."""

from __future__ import annotations

import msgspec

from tui.log.script import Script, Section
from tui.log.window import Place, Visible


class Seen(msgspec.Struct, frozen=True):
    """One row on the screen: a part of a line, or (without one) the heading of its section."""

    row: int
    section: Section
    line: int = -1
    visible: Visible | None = None
    begins: bool = True
    """It is the first row of its line."""


class Reel:
    def __init__(self, script: Script) -> None:
        self._script = script

    def rows(
        self, place: Place, count: int, width: int, *, left: int = 0, wrapped: bool = False
    ) -> list[Seen]:
        """At most ``count`` rows from ``place`` on. ``left``: columns that are scrolled away."""
        found: list[Seen] = []
        row, part = place
        while len(found) < count and row < self._script.rows:
            section, line = self._script.at(row)
            if line < 0:
                found.append(Seen(row, section))
                row, part = row + 1, 0
                continue
            window = self._script.sources[section.source].window
            lines = window.rows(
                Place(line, part), count - len(found), width, left=left, wrapped=wrapped, until=section.end
            )
            before = line if part else -1
            for visible in lines:
                begins = visible.line != before
                found.append(Seen(row + visible.line - line, section, visible.line, visible, begins))
                before = visible.line
            row, part = row + section.end - line, 0
        return found

    def height(self, row: int, width: int, *, wrapped: bool) -> int:
        """Rows on the screen that a row of the script takes."""
        if not wrapped:
            return 1
        section, line = self._script.at(row)
        if line < 0:
            return 1
        return self._script.sources[section.source].window.height(line, width, wrapped=True)

    def end(self, count: int, width: int, *, wrapped: bool) -> Place:
        """The place from which on the last ``count`` rows are shown."""
        total = self._script.rows
        if not wrapped:
            return Place(max(0, total - count))
        number, left = total, count
        while number > 0 and left > 0:
            number -= 1
            left -= self.height(number, width, wrapped=True)
        return Place(number, max(0, -left))

    def moved(self, place: Place, rows: int, width: int, *, wrapped: bool) -> Place:
        """``rows`` further down (or up), within the script."""
        last = max(0, self._script.rows - 1)
        if not wrapped:
            return Place(max(0, min(place.line + rows, last)))
        number, row = place.line, place.row + rows
        while row < 0 and number > 0:
            number -= 1
            row += self.height(number, width, wrapped=True)
        while number < last:
            height = self.height(number, width, wrapped=True)
            if row < height:
                break
            row -= height
            number += 1
        return Place(number, max(0, row))
