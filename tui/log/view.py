"""The log of an operation on the screen: only what is visible is read and parsed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from tui.log.frame import Frame, marked
from tui.log.index import LogIndex
from tui.log.search import Search
from tui.log.window import Place, Window
from tui.look.lines import Part, cut
from tui.look.painted import Painted
from tui.look.painting import outdate, paint

_WHEEL = 3
_BREATH = 0.004
"""Seconds after a frame that are left for everything else."""
_PIECE = 0.01
"""Seconds that indexing and searching take at a time, with as much for everything else between."""


class LogView(Painted, can_focus=True):
    """Follows the end of a growing file until somebody scrolls up. ``grew`` says that there is more."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.index: LogIndex | None = None
        self.title = ""
        self._empty = ""
        self.follow = True
        self.wrapped = False
        self.search: Search | None = None
        self._window: Window | None = None
        self._place = Place()
        self._left = 0
        self._seen_lines = 0
        self._found = -1
        self._jump = False
        self._work: asyncio.Task[None] | None = None
        self._frame: Frame | None = None
        self._shown: Frame | None = None
        self._painted = 0.0
        self._due: asyncio.TimerHandle | None = None

    def on_unmount(self) -> None:
        self.close()

    def close(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None
        if self.index is not None:
            self.index.close()
            self.index = None

    # Content.

    def open(self, path: str, title: str, empty: str = "No output yet.") -> None:
        """Show another file, or go on with the same one. ``empty`` is said while there is nothing in it."""
        self.title = title
        self._empty = empty
        if self.index is not None and str(self.index.path) == path:
            self.grew()
            return
        self.close()
        self.index = LogIndex(Path(path)) if path else None
        self._window = Window(self.index) if self.index else None
        self.follow, self._place, self._left = True, Place(), 0
        self.search, self._found = None, -1
        self.grew()

    def grew(self) -> None:
        """The file may have grown: index what is new, for a short while now and the rest later."""
        if self.index is None:
            self._redraw()
            return
        more = self.index.extend(2 << 20)
        if self.follow:
            self._to_end()
        if more or (self.search is not None and not self.search.done):
            self._go_on()
        self._redraw()

    def _go_on(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._finish())

    async def _finish(self) -> None:
        """Index and search what is left, in pieces between which keys are answered."""
        while self.index is not None:
            more = True
            until = time.monotonic() + _PIECE
            while more and time.monotonic() < until:
                more = self.index.extend(1 << 20)
                if self.search is not None:
                    more = self.search.step() or more
                    self._jump_when_found(finished=not more)
            if self.follow:
                self._to_end()
            self._redraw()
            if not more:
                return
            await asyncio.sleep(_PIECE)

    # Searching.

    def find(self, text: str) -> None:
        """Mark ``text`` everywhere, and go to the first match at or below the first visible line."""
        self._found = -1
        self.search = Search(self.index, text) if self.index is not None and text else None
        self._jump = self.search is not None
        if self.search is not None:
            self._go_on()
        self._redraw()

    def next_match(self, way: int) -> None:
        if self.search is None:
            return
        here = self._found if self._found >= 0 else self._place.line
        line = self.search.after(here) if way > 0 else self.search.before(here)
        if line is not None:
            self._show_match(line)

    def _jump_when_found(self, *, finished: bool) -> None:
        if not self._jump or self.search is None:
            return
        line = self.search.after(self._place.line - 1)
        if line is None and finished:
            line = self.search.before(self._place.line)
        if line is not None:
            self._jump = False
            self._show_match(line)
        elif finished:
            self._jump = False

    def _show_match(self, line: int) -> None:
        self._found = line
        self._leave_end()
        if not self._place.line <= line < self._place.line + self._rows // 2:
            self._place = Place(max(0, line - self._rows // 3))
        self._redraw()

    # Moving.

    @property
    def _rows(self) -> int:
        """Rows for lines: the last one tells where one is."""
        return max(1, self.size.height - 1)

    @property
    def _columns(self) -> int:
        return max(1, self.size.width - 1)

    def _leave_end(self) -> None:
        if self.follow:
            self.follow = False
            self._seen_lines = self.index.lines if self.index else 0

    def _to_end(self) -> None:
        if self._window is not None:
            self._place = self._window.end(self._rows, self._columns, wrapped=self.wrapped)

    def show_offset(self, offset: int) -> None:
        """Put the line with the byte at ``offset`` at the top."""
        if self.index is None:
            return
        while self.index.size <= offset and self.index.extend():
            pass
        if offset < self.index.size:
            self._leave_end()
            self._place = Place(self.index.line_at(offset))
            self._redraw()

    def _scroll(self, rows: int) -> None:
        if self._window is None:
            return
        before = self._place
        self._place = self._window.moved(before, rows, self._columns, wrapped=self.wrapped)
        end = self._window.end(self._rows, self._columns, wrapped=self.wrapped)
        if self._place >= end:
            self._place = end
            self.follow = True
        elif rows < 0:
            self._leave_end()
        if self._place != before:
            self._redraw()

    def _sideways(self, columns: int) -> None:
        if not self.wrapped:
            self._left = max(0, self._left + columns)
            self._redraw()

    def on_key(self, event: events.Key) -> None:
        page = max(1, self._rows - 1)
        half = max(1, self._columns // 2)
        match event.key:
            case "up" | "k":
                self._scroll(-1)
            case "down" | "j":
                self._scroll(1)
            case "pageup":
                self._scroll(-page)
            case "pagedown" | "space":
                self._scroll(page)
            case "home" | "g":
                self._leave_end()
                self._place, self._left = Place(), 0
                self._redraw()
            case "end" | "G" | "F":
                self.follow = True
                self._left = 0
                self.grew()
            case "left":
                self._sideways(-half)
            case "right":
                self._sideways(half)
            case "n":
                self.next_match(1)
            case "N":
                self.next_match(-1)
            case "W":
                self.wrapped, self._left = not self.wrapped, 0
                self._place = Place(self._place.line)
                self.grew()
            case _:
                return
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        if self.index is None:
            return
        if event.x == self.size.width - 1 and event.y < self._rows:
            # The bar on the right: go to that part of the file.
            self._leave_end()
            self._place = Place(event.y * self.index.lines // max(1, self._rows))
            self._scroll(0)
            self._redraw()
        elif event.y == self._rows - 1 and not self.follow:
            self.follow = True
            self.grew()

    def on_resize(self) -> None:
        self.grew()

    # Drawing.

    def _redraw(self) -> None:
        """Draw what differs: now, or as soon as there was time for something else since the last frame."""
        self._frame = None
        if not self._in_sight:
            self.refresh()
            return
        wait = self._painted + _BREATH - time.monotonic()
        if wait <= 0:
            self._paint()
            return
        outdate(self)
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(wait, self._paint)

    def _paint(self) -> None:
        self._due = None
        if not self._in_sight:
            return
        before, frame = self._shown, self._new_frame()
        self._shown = self._frame = frame
        if before is None or before.key != frame.key:
            paint(self, ())
        elif changed := frame.differing(before):
            width = self.size.width
            paint(self, [Region(0, y, width, 1) for y in changed])
        self._painted = time.monotonic()

    @property
    def _in_sight(self) -> bool:
        return self.is_attached and self.display and self.size.width > 0

    def render_line(self, y: int) -> Strip:
        if self._frame is None or self._frame.key != self._frame_key:
            self._frame = self._new_frame()
        if self._frame is not self._shown:
            # Drawn by Textual, and perhaps only some lines of it: the next frame is drawn as a whole.
            self._shown = None
        strips = self._frame.strips
        return strips[y] if y < len(strips) else self.blank(self.size.width)

    @property
    def _frame_key(self) -> tuple[object, ...]:
        return self.size, self.look.theme

    def _new_frame(self) -> Frame:
        return Frame(self._frame_key, [*self._lines(), self._status(self.size.width)][: self.size.height])

    def _lines(self) -> list[Strip]:
        width, rows = self.size.width, self._rows
        if self.index is None or self._window is None or not self.index.lines:
            return [self.line([(self._empty, "muted")] if y == 0 else [], width) for y in range(rows)]
        strips = self._visible()
        if len(strips) < rows:
            strips += [self.blank(self._columns)] * (rows - len(strips))
        if not self.follow:
            strips[-1] = self._with_pill(strips[-1])
        return [Strip.join(both) for both in zip(strips, self._bar(rows), strict=True)]

    def _visible(self) -> list[Strip]:
        assert self._window is not None
        base = self.role("text")
        found = self._window.rows(
            self._place, self._rows, self._columns, left=self._left, wrapped=self.wrapped
        )
        columns = self._columns
        strips = []
        for row in found:
            strip = Strip([Segment(text, base + style) for text, style in row.segments])
            if self.search is not None:
                strip = marked(strip, self.search.marks(row.text), current=row.line == self._found)
            strips.append(strip.adjust_cell_length(columns, base))
        return strips

    def _with_pill(self, strip: Strip) -> Strip:
        assert self.index is not None
        new = self.index.lines - self._seen_lines
        text = f"[ {new:,} new {self.signs.down} ]" if new > 0 else f"[ end {self.signs.down} ]"
        pill = self.selected_line([(text, "accent")], len(text), focused=True)
        room = max(0, self._columns - len(text))
        return Strip.join([strip.adjust_cell_length(room, self.role("text")), pill])

    def _bar(self, rows: int) -> list[Strip]:
        """A bar of one column that says where in the file one is."""
        assert self.index is not None
        blank = self.blank(1)
        total = max(1, self.index.lines)
        if total <= rows:
            return [blank] * rows
        size = max(1, rows * rows // total)
        start = min(rows - size, self._place.line * rows // total)
        if self.follow:
            start = rows - size
        thumb = self.line([(self.signs.thumb, "muted")], 1)
        return [blank] * start + [thumb] * size + [blank] * (rows - size - start)

    def _status(self, width: int) -> Strip:
        parts: list[Part] = []
        if self.index is not None and self.index.lines:
            first = min(self._place.line + 1, self.index.lines)
            parts.append((f"line {first:,} of {self.index.lines:,}", "muted"))
        parts.append(("  follows" if self.follow else "", "good"))
        if self.wrapped:
            parts.append(("  wrapped", "muted"))
        if self._left:
            parts.append((f"  from column {self._left + 1:,}", "muted"))
        if self.search is not None:
            count = len(self.search.lines)
            dots = "" if self.search.done or not self._work or self._work.done() else self.signs.ellipsis
            rank = f"{self.search.rank(self._found)} of " if self._found >= 0 else ""
            parts.append((f"  /{cut(self.search.text, 20)}  {rank}{count:,}{dots}", "accent"))
        keys = "/ search  n N  W wrap  g G" if not self.search else "n next  N before  W wrap  g G"
        used = sum(len(text) for text, _ in parts)
        if width - used - len(keys) >= 3:
            parts += [(" " * (width - used - len(keys)), "text"), (keys, "muted")]
        return self.line(parts, width)
