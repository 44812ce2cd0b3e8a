"""A list of rows with a cursor. Rows are replaced as a whole; only lines that differ are drawn again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.look.lines import Part
from tui.look.painted import Painted
from tui.panes import drawing, moves
from tui.panes.arrangement import Arrangement
from tui.panes.columns import Columns
from tui.panes.marks import Marks
from tui.panes.ordering import Order

_LEAST = 11
_WHEEL = 3


class Row(msgspec.Struct, frozen=True):
    """``cells`` are (text, role); the key stays the same while the row changes."""

    key: str
    cells: tuple[Part, ...]
    about: str = ""
    """What the sign before it says."""


class RowList(Painted, can_focus=True):
    """Posts ``Moved`` when another row is selected and ``Chosen`` on enter or a click on the selected row."""

    class Moved(Message):
        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

    class Chosen(Message):
        def __init__(self, rows: RowList) -> None:
            super().__init__()
            self.rows = rows

    def __init__(
        self,
        *,
        id: str,
        title: str,
        header: Sequence[str],
        flexible: int,
        least: int = _LEAST,
        columns: Mapping[str, str] = {},
    ) -> None:
        """``flexible``: the column that gives way when there is little room, down to ``least`` cells as long
        as there are other columns that can go. ``columns``: what is in them, by their headings."""
        super().__init__(id=id)
        self._label = title
        self.header = tuple(header)
        self.flexible = flexible
        self._columns = Columns(least)
        self._about_columns = columns
        self._arrangement = Arrangement()
        self.rows: tuple[Row, ...] = ()
        self.hint: tuple[tuple[Part, ...], ...] = ()
        """Lines that are shown where there are no rows."""
        self._marks = Marks()
        self.cursor = 0
        self._top = 0
        self._widths: tuple[int, ...] = ()
        self._fitted = 0
        """The width for which these are."""

    def on_mount(self) -> None:
        self._retitle()

    # Content.

    def set_rows(self, rows: Sequence[Row], hint: Sequence[Sequence[Part]] = ()) -> None:
        """The cursor stays on its row, or where that is gone on the one in its place."""
        if rows is self._arrangement.all and tuple(tuple(line) for line in hint) == self.hint:
            return
        self._arrangement.all = rows if isinstance(rows, tuple) else tuple(rows)
        self._marks.keep(row.key for row in rows)
        self.hint = tuple(tuple(line) for line in hint)
        self._refilter()

    def set_pattern(self, pattern: str) -> None:
        """Show only rows that match, as :mod:`tui.panes.matching` has it."""
        self._arrangement.pattern = pattern
        self._refilter()

    @property
    def pattern(self) -> str:
        return self._arrangement.pattern

    def _refilter(self) -> None:
        old, before = self.rows, self.selected
        self.rows = self._arrangement.rows()
        keys = [row.key for row in self.rows]
        if before in keys:
            self.cursor = keys.index(before)
        self.cursor = max(0, min(self.cursor, len(self.rows) - 1))
        widths = self._measure()
        if widths != self._widths or len(old) != len(self.rows) or not self.rows:
            self._widths = widths
            self.refresh()
        else:
            self._refresh_changed(old)
        self._scroll_to_cursor()
        self._retitle()
        if self.selected != before:
            self.post_message(self.Moved(self))

    def _refresh_changed(self, old: Sequence[Row]) -> None:
        width = self.size.width
        regions = [
            Region(0, self._line_of(number), width, 1)
            for number, (before, after) in enumerate(zip(old, self.rows, strict=True))
            if before is not after and before != after and 0 <= self._line_of(number) < self.size.height
        ]
        if regions:
            self.refresh(*regions)

    def _retitle(self) -> None:
        title: str = self._label
        if self.pattern:
            title += f"  /{self.pattern}  {len(self.rows)} of {len(self._arrangement.all)}"
        if self.marked:
            title += f"  {len(self.marked)} marked"
        if title != getattr(self, "_title_shown", None):
            self._title_shown = title
            # Names may hold brackets, which are no markup here.
            self.border_title = title.replace("[", "\\[")

    @property
    def selected(self) -> str:
        """Key of the selected row, "" where there is none."""
        return self.rows[self.cursor].key if self.cursor < len(self.rows) else ""

    def select(self, key: str) -> bool:
        for number, row in enumerate(self.rows):
            if row.key == key:
                self.move_to(number)
                return True
        return False

    def move_to(self, number: int) -> None:
        number = max(0, min(number, len(self.rows) - 1))
        if number == self.cursor:
            return
        self.cursor = number
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Moved(self))

    # Marks and order.

    @property
    def marked(self) -> tuple[str, ...]:
        """Keys of the marked rows that are shown, in their order."""
        return tuple(row.key for row in self.rows if row.key in self._marks)

    def mark(self) -> None:
        """Mark the row with the cursor, or take its mark away, and go on to the next one."""
        if self.rows:
            self._marks.turn(self.selected)
            self.move_to(self.cursor + 1)
            self._marks_changed()

    def mark_range(self) -> None:
        """Mark everything from the row that was marked last to the cursor."""
        if self.rows:
            self._marks.reach([row.key for row in self.rows], self.cursor)
            self._marks_changed()

    def mark_all(self) -> None:
        """Mark all rows that are shown, or where they are, none."""
        self._marks.all(row.key for row in self.rows)
        self._marks_changed()

    def clear_marks(self) -> bool:
        """False where there were none."""
        had = self._marks.clear()
        self._marks_changed()
        return had

    def _marks_changed(self) -> None:
        self._retitle()
        self.refresh()
        self.post_message(self.Moved(self))

    def sort_next(self) -> str:
        """Sort by the next column; its name, "" for the order in which the rows come."""
        return self._sort(self._arrangement.order.next(self.header))

    def sort_reversed(self) -> str:
        return self._sort(Order(self._arrangement.order.column, not self._arrangement.order.reverse))

    def sort_by(self, word: str) -> None:
        """As ``sorted_by`` said."""
        self._sort(Order.read(word, self.header))

    @property
    def sorted_by(self) -> str:
        return self._arrangement.order.word(self.header)

    def _sort(self, order: Order) -> str:
        self._arrangement.order = order
        self._refilter()
        self.refresh()
        return "" if order.column is None else self.header[order.column]

    # Geometry.

    @property
    def _heading(self) -> int:
        """Lines that the heading takes: none where there is little room."""
        return 1 if self.size.height >= 4 and self.rows else 0

    @property
    def page(self) -> int:
        return max(1, self.size.height - self._heading)

    def _line_of(self, number: int) -> int:
        return number - self._top + self._heading

    def _scroll_to_cursor(self) -> None:
        top = min(self._top, self.cursor)
        top = max(top, self.cursor - self.page + 1)
        top = max(0, min(top, len(self.rows) - self.page))
        if top != self._top:
            self._top = top
            self.refresh()

    def _measure(self) -> tuple[int, ...]:
        header = list(self.header)
        if self._arrangement.order.column is not None and self._arrangement.order.column < len(header):
            header[self._arrangement.order.column] += " "  # Room for the arrow.
        self._fitted = self.size.width
        return self._columns.fit(self.rows, header, self.flexible, self.size.width)

    def on_resize(self) -> None:
        self._widths = self._measure()
        self._scroll_to_cursor()
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if width != self._fitted:
            # It is drawn before it hears of its size.
            self._widths = self._measure()
        if not self.rows:
            if self.pattern:
                return self.line(drawing.nothing_matches(self.pattern) if y == 0 else [], width)
            return self.line([(" ", "text"), *self.hint[y]] if y < len(self.hint) else [], width)
        if y < self._heading:
            cells = drawing.heading(self.header, self._widths, self._arrangement.order, self.signs)
            return self.line(drawing.parts(cells, self._widths, self.signs), width)
        number = y - self._heading + self._top
        if number >= len(self.rows):
            return self.blank(width)
        row = self.rows[number]
        mark = self.signs.mark if row.key in self._marks else " "
        parts = drawing.parts(row.cells, self._widths, self.signs, mark)
        if number == self.cursor:
            return self.selected_line(parts, width, focused=self.has_focus)
        return self.line(parts, width)

    def tip_at(self, x: int, y: int) -> str:
        column = drawing.column_at(x, self._widths)
        if y < self._heading:
            return drawing.about(self.header, self._about_columns, column)
        number = y - self._heading + self._top
        if number >= len(self.rows):
            return ""
        row = self.rows[number]
        return row.about if column == 0 else drawing.whole(row.cells, self.header, self._widths)

    # Keys and mouse.

    def take(self, event: events.Key) -> bool:
        place = moves.place(event.key, self.cursor, self.page, len(self.rows))
        if place is not None:
            self.move_to(place)
            return True
        if event.key == "enter" and self.rows:
            self.post_message(self.Chosen(self))
            return True
        return False

    def on_click(self, event: events.Click) -> None:
        number = event.y - 1 - self._heading + self._top
        if 0 <= number < len(self.rows):
            again = number == self.cursor and event.chain > 1
            self.move_to(number)
            if again:
                self.post_message(self.Chosen(self))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move_to(self.cursor + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move_to(self.cursor - _WHEEL)
