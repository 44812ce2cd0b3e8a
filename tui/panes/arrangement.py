"""Which rows of a list are shown, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.panes.matching import matcher
from tui.panes.ordering import Order

if TYPE_CHECKING:
    from tui.panes.rows import Row


class Arrangement:
    def __init__(self) -> None:
        self.all: tuple[Row, ...] = ()
        self.pattern = ""
        """As :mod:`tui.panes.matching` has it."""
        self.order = Order()

    def rows(self) -> tuple[Row, ...]:
        rows: Sequence[Row] = self.all
        if self.pattern:
            keep = matcher(self.pattern)
            rows = [row for row in rows if keep(" ".join(text for text, _ in row.cells))]
        return self.order.apply(rows)
