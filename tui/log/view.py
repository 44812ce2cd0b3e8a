"""The log of an operation on the screen: only what is visible is read and parsed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from tui.log import drawing
from tui.log.drawing import LogFile, Standing
from tui.log.frame import Frame, marked
from tui.log.reader import Reader
from tui.log.reel import Seen
from tui.log.window import Place
from tui.look.painted import Painted
from tui.look.painting import outdate, paint

_WHEEL = 3
_BREATH = 0.004
"""Seconds after a frame that are left for everything else."""
_PIECE = 0.01
"""Seconds that indexing and searching take at a time, with as much for everything else between."""


class LogView(Painted, can_focus=True):
    """Follows the end of growing files until somebody scrolls up. ``grew`` says that there is more."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.reader = Reader()
        self._empty = ""
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
        self.reader.close()

    # Content.

    def open(self, files: Sequence[LogFile], empty: str = "No output yet.") -> None:
        """Show other files, or go on with the same ones. ``empty`` is said while there is nothing in them."""
        self._empty = empty
        if self.reader.shows(files):
            self.reader.know(files)
        else:
            self.close()
            before, self.reader = self.reader, Reader(files)
            self.reader.wrapped, self.reader.times = before.wrapped, before.times
        self.grew()

    def grew(self) -> None:
        """The files may have grown: index what is new, for a short while now and the rest later."""
        more = self.reader.extend(2 << 20)
        self._fit()
        self.reader.arrange()
        if more or not self.reader.searched:
            self._go_on()
        self._redraw()

    def _go_on(self) -> None:
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._finish(self.reader))

    async def _finish(self, reader: Reader) -> None:
        """Index and search what is left, in pieces between which keys are answered."""
        while reader is self.reader:
            more = True
            until = time.monotonic() + _PIECE
            while more and time.monotonic() < until:
                more = reader.extend(1 << 20)
                reader.arrange()
                more = reader.search_on() or more
            self._redraw()
            if not more:
                return
            await asyncio.sleep(_PIECE)

    def find(self, text: str) -> None:
        """Mark ``text`` everywhere, and go to the first match at or below the first visible row."""
        self.reader.find(text)
        self._went()

    def show_offset(self, offset: int) -> None:
        self.reader.show_offset(offset)
        self._redraw()

    def perform(self, id: str) -> bool:
        """Do what a key of the log means; False where that is not the log's own business."""
        done = self.reader.perform(id)
        if done:
            self._went()
        return done

    def _went(self) -> None:
        self._fit()
        self.reader.arrange()
        if not self.reader.searched:
            self._go_on()
        self._redraw()

    # Room.

    @property
    def _height(self) -> int:
        """Rows for lines: the last one tells where one is."""
        return max(1, self.size.height - 1)

    @property
    def _gutter(self) -> int:
        wide = drawing.gutter_width(self.reader.files, times=self.reader.times)
        return wide if wide < self.size.width // 2 else 0

    def _fit(self) -> None:
        self.reader.height = self._height
        self.reader.width = max(1, self.size.width - 1 - self._gutter)

    # Keys and mouse.

    def on_key(self, event: events.Key) -> None:
        page = max(1, self._height - 1)
        half = max(1, self.reader.width // 2)
        match event.key:
            case "up" | "k":
                self.reader.scroll(-1)
            case "down" | "j":
                self.reader.scroll(1)
            case "pageup":
                self.reader.scroll(-page)
            case "pagedown" | "space":
                self.reader.scroll(page)
            case "home":
                self.reader.to_beginning()
            case "end":
                self.reader.to_end()
            case "left":
                self.reader.sideways(-half)
            case "right":
                self.reader.sideways(half)
            case _:
                return
        event.stop()
        self._redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.reader.scroll(_WHEEL)
        self._redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.reader.scroll(-_WHEEL)
        self._redraw()

    def on_click(self, event: events.Click) -> None:
        """The bar on the right goes to a part of the file, the pill to its end; headings fold."""
        reader = self.reader
        if not reader.script.rows:
            return
        if event.x == self.size.width - 1 and event.y < self._height:
            reader.to_beginning()
            reader.place = Place(event.y * reader.script.rows // max(1, self._height))
            reader.scroll(0)
        elif event.y == self._height - 1 and not reader.follow:
            reader.to_end()
        else:
            seen = reader.seen()
            if event.y < len(seen) and seen[event.y].visible is None:
                reader.fold(seen[event.y].row)
        self._redraw()

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
        width, rows = self.size.width, self._height
        if not self.reader.script.rows:
            return [self.line([(self._empty, "muted")] if y == 0 else [], width) for y in range(rows)]
        # The reader still has the height from before where the view has just become smaller.
        strips = [self._strip(seen) for seen in self.reader.seen()][:rows]
        if len(strips) < rows:
            strips += [self.blank(width - 1)] * (rows - len(strips))
        if not self.reader.follow:
            strips[-1] = self._with_pill(strips[-1])
        return [Strip.join(both) for both in zip(strips, self._bar(rows), strict=True)]

    def _strip(self, seen: Seen) -> Strip:
        reader, width, base = self.reader, self.size.width - 1, self.role("text")
        if seen.visible is None:
            parts = drawing.heading(
                seen.section, self.reader.script, self.reader.files, self.signs, width, time.time()
            )
            return self.line(parts, width)
        strip = Strip([Segment(text, base + style) for text, style in seen.visible.segments])
        if reader.finding is not None:
            current = (seen.section.source, seen.line) == reader.found
            strip = marked(strip, reader.finding.marks(seen.visible.text), current=current)
        if not self._gutter:
            return strip.adjust_cell_length(width, base)
        before = drawing.gutter(
            seen, self.reader.script, self.reader.files, times=self.reader.times, signs=self.signs
        )
        lead = self.line(before, self._gutter)
        return Strip.join([lead, strip.adjust_cell_length(self.reader.width, base)])

    def _with_pill(self, strip: Strip) -> Strip:
        new = self.reader.new
        text = f"[ {new:,} new {self.signs.down} ]" if new > 0 else f"[ end {self.signs.down} ]"
        pill = self.selected_line([(text, "accent")], len(text), focused=True)
        room = max(0, self.size.width - 1 - len(text))
        return Strip.join([strip.adjust_cell_length(room, self.role("text")), pill])

    def _bar(self, rows: int) -> list[Strip]:
        """A bar of one column that says where in the file one is."""
        blank = self.blank(1)
        total = max(1, self.reader.script.rows)
        if total <= rows:
            return [blank] * rows
        size = max(1, rows * rows // total)
        start = min(rows - size, self.reader.place.line * rows // total)
        if self.reader.follow:
            start = rows - size
        thumb = self.line([(self.signs.thumb, "muted")], 1)
        return [blank] * start + [thumb] * size + [blank] * (rows - size - start)

    def _status(self, width: int) -> Strip:
        finding, found = self.reader.finding, self.reader.found
        rank = finding.rank(found) if finding is not None and found is not None else 0
        working = self._work is not None and not self._work.done()
        standing = Standing(
            row=self.reader.place.line,
            follow=self.reader.follow,
            wrapped=self.reader.wrapped,
            times=self.reader.times,
            left=self.reader.left,
            found=rank,
            searching=finding is not None and not finding.done and working,
            run=self.reader.files[0].run if self.reader.files else "",
        )
        return self.line(drawing.status(standing, self.reader.script, finding, self.signs, width), width)
