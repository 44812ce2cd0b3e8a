"""How wide the columns of a list are: as wide as what is in them, and less where there is little room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from tui.panes.rows import Row

GAP = 2
_NAME = 16
"""Cells of a name that stay as long as there are other columns that can go."""


class Columns:
    """Remembers how wide the cells of each row are: of a thousand rows a few change at a time."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._known: dict[str, tuple[Row, tuple[int, ...]]] = {}

    def fit(self, rows: Sequence[Row], header: Sequence[str], flexible: int, room: int) -> tuple[int, ...]:
        """Widths in cells. Where there is little room the column ``flexible`` gives way first; then the
        last ones go, as a few letters of a word say nothing."""
        if not rows:
            return ()
        widths = self._natural(rows)
        count = len(widths)
        headings = [*header, *[""] * count][:count]
        headed = [
            max(width, cell_len(text)) if width and number != flexible else width
            for number, (width, text) in enumerate(zip(widths, headings, strict=True))
        ]
        _shrink(headed, flexible, room, self._least)
        if _taken(headed) <= room:
            return tuple(headed)
        _shrink(widths, flexible, room, self._least)
        if flexible != 1:
            # A part of a long name tells more than a state that is not shown.
            _shrink(widths, 1, room, _NAME)
        for number in range(count - 1, 1, -1):
            if number != flexible and _taken(widths) > room:
                widths[number] = 0
        _shrink(widths, flexible, room, 1)
        for number in range(count - 1, 0, -1):
            _shrink(widths, number, room, 1)
        return tuple(widths)

    def _natural(self, rows: Sequence[Row]) -> list[int]:
        """The widest cell of each column."""
        before, self._known = self._known, {}
        known = self._known
        for row in rows:
            found = before.get(row.key)
            if found is None or found[0] is not row:
                found = row, tuple(cell_len(text) for text, _ in row.cells)
            known[row.key] = found
        measured = [widths for _, widths in known.values()]
        count = max(map(len, measured))
        if all(len(widths) == count for widths in measured):
            return [max(column) for column in zip(*measured, strict=True)]
        return [max(widths[at] for widths in measured if at < len(widths)) for at in range(count)]


def _shrink(widths: list[int], number: int, room: int, least: int) -> None:
    excess = _taken(widths) - room
    if excess > 0 and number < len(widths) and widths[number]:
        widths[number] = max(min(widths[number], least), widths[number] - excess)


def _taken(widths: Sequence[int]) -> int:
    """Cells of a row: a blank, the columns, and the gaps between those that are shown."""
    shown = [width for number, width in enumerate(widths) if number and width]
    return 1 + widths[0] + 1 + sum(shown) + GAP * max(0, len(shown) - 1)
