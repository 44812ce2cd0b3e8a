"""The order of rows: as they come, or by a column as people count (``web-2`` before ``web-10``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tui.panes.rows import Row

_PARTS = re.compile(r"(\d+)")
_SIZE = re.compile(r"^([\d.]+) (B|KiB|MiB|GiB|TiB)$")
_UNITS = {unit: 1024**number for number, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))}


class Order(msgspec.Struct, frozen=True):
    """By a column; None for the order in which the rows come."""

    column: int | None = None
    reverse: bool = False

    @classmethod
    def read(cls, word: str, columns: Sequence[str]) -> Order:
        """From what :meth:`word` says; as they come where there is no such column."""
        name = word.removeprefix("-")
        column = columns.index(name) if name and name in columns else None
        return cls(column, word.startswith("-") and (column is not None or not name))

    def word(self, columns: Sequence[str]) -> str:
        """The column's name, with ``-`` before it where the order is turned round."""
        name = columns[self.column] if self.column is not None else ""
        return f"-{name}" if self.reverse else name

    def next(self, columns: Sequence[str]) -> Order:
        """By the next column that has a heading, and after the last one as they come again."""
        named = [number for number, heading in enumerate(columns) if heading]
        after = [number for number in named if self.column is None or number > self.column]
        return Order(after[0] if after else None)

    def apply(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        column = self.column
        if column is None:
            return tuple(reversed(rows)) if self.reverse else tuple(rows)
        return tuple(sorted(rows, key=lambda row: _rank(row, column), reverse=self.reverse))


def _rank(row: Row, column: int) -> tuple[Any, ...]:
    text = row.cells[column][0] if column < len(row.cells) else ""
    size = _SIZE.match(text)
    if size:
        return (0, float(size[1]) * _UNITS[size[2]])
    parts = _PARTS.split(text.casefold())
    return (1, *(_part(part, number) for number, part in enumerate(parts)))


def _part(part: str, number: int) -> tuple[int, str]:
    """Every second part is a number."""
    return (int(part), "") if number % 2 else (0, part)
