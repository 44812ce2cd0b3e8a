"""All rows of a terminal of libghostty: those that have left the screen, and those on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyghostty import Terminal, ffi, lib
from pyghostty._ffi import union_fn
from pyghostty.core import init_sized, read_buf

from tui.console.screen import History


class Rows:
    """Looks at one terminal; places are columns and rows counted from the oldest row that is kept."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._handle = terminal._t[0]
        self._ask = union_fn(
            "ghostty_terminal_grid_ref", "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyGridRef*)"
        )
        self._track = union_fn(
            "ghostty_terminal_grid_ref_track",
            "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyTrackedGridRef*)",
        )
        self._pin: Any = None
        self._pinned = 0
        self._dropped = 0

    @property
    def total(self) -> int:
        return int(self._terminal.get("total_rows", "size_t"))

    def reference(self, x: int, y: int, *, visible: bool = False) -> Any:
        """Good until the terminal changes. ``visible``: counted from the top of what is shown."""
        tag = lib.GHOSTTY_POINT_TAG_VIEWPORT if visible else lib.GHOSTTY_POINT_TAG_SCREEN
        reference = init_sized("GhosttyGridRef")
        self._ask(self._handle, _point(tag, x, y), reference)
        return reference

    def history(self) -> History:
        total = self.total
        rows = self._text(total, unwrap=False).split("\n")
        rows += [""] * (total - len(rows))
        rows = rows[:total]
        goes_on = continued(rows, self._text(total, unwrap=True))
        if goes_on is None:
            goes_on = frozenset(y for y in range(total) if self._goes_on(y))
        return History(tuple(rows), goes_on)

    def _text(self, total: int, *, unwrap: bool) -> str:
        selection = init_sized("GhosttySelection")
        selection.start = self.reference(0, 0)[0]
        selection.end = self.reference(int(self._terminal.get("cols")) - 1, total - 1)[0]
        options = init_sized("GhosttyTerminalSelectionFormatOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
        options.unwrap, options.trim, options.selection = unwrap, False, selection

        def write(buffer: Any, size: int, needed: Any) -> int:
            return int(
                lib.ghostty_terminal_selection_format_buf(self._handle, options[0], buffer, size, needed)
            )

        return str(read_buf(write))

    def _goes_on(self, y: int) -> bool:
        row, wrapped = ffi.new("GhosttyRow*"), ffi.new("bool*")
        lib.ghostty_grid_ref_row(self.reference(0, y), row)
        lib.ghostty_row_get(row[0], lib.GHOSTTY_ROW_DATA_WRAP, wrapped)
        return bool(wrapped[0])

    @property
    def dropped(self) -> int:
        """Rows that were forgotten, the oldest first. The library does not count them: one of the rows
        that have left the screen is watched, which moves only when older ones go."""
        if self._pin is not None:
            place = ffi.new("GhosttyPointCoordinate*")
            found = lib.ghostty_tracked_grid_ref_has_value(self._pin[0]) and not (
                lib.ghostty_tracked_grid_ref_point(self._pin[0], lib.GHOSTTY_POINT_TAG_SCREEN, place)
            )
            self._dropped += max(0, self._pinned - place.y) if found else self._pinned + 1
        self.forget()
        left = int(self._terminal.get("scrollback_rows", "size_t"))
        if left:
            pin = ffi.new("GhosttyTrackedGridRef*")
            if not self._track(self._handle, _point(lib.GHOSTTY_POINT_TAG_SCREEN, 0, left - 1), pin):
                self._pin, self._pinned = pin, left - 1
        return self._dropped

    def forget(self) -> None:
        if self._pin is not None:
            lib.ghostty_tracked_grid_ref_free(self._pin[0])
            self._pin = None


def continued(rows: Sequence[str], whole: str) -> frozenset[int] | None:
    """Numbers of the rows that the next one continues, told by the same text with such rows joined: to ask
    the library for each row takes ten times as long. None where the two are not the same text."""
    found: list[int] = []
    at = 0
    for number, row in enumerate(rows):
        if not whole.startswith(row, at):
            return None
        at += len(row)
        if at == len(whole):
            return frozenset(found) if not any(rows[number + 1 :]) else None
        if whole[at] == "\n":
            at += 1
        else:
            found.append(number)
    return None


def _point(tag: int, x: int, y: int) -> Any:
    point = ffi.new("GhosttyPointS*")
    point.tag = tag
    point.value.x, point.value.y = x, y
    return point[0]
