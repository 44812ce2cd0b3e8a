"""A console on the screen. Only rows that changed are drawn: the first change at once, then by frames."""

from __future__ import annotations

import time

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.console.screen import Cursor
from tui.console.session import Session, SessionState
from tui.keys import CONSOLE_LEAVE
from tui.log import sgr
from tui.look.lines import Part
from tui.look.painted import Painted
from tui.look.painting import paint
from tui.views.steps import problem_lines

_HELD_LONGEST = 0.15
"""Seconds for which a guest may hold back a frame (synchronized output)."""

_WHEEL = 3


class ConsoleView(Painted, can_focus=True):
    """Shows one session. All keys go to the guest, except the chord that leaves it."""

    class Left(Message):
        """The chord was pressed."""

    class TabChanged(Message):
        """Title, bell or state of the session are new."""

        def __init__(self, session: Session) -> None:
            super().__init__()
            self.session = session

    def __init__(self, session: Session, *, frames: float, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self._interval = 1 / frames
        self._timer: Timer | None = None
        self._last = 0.0
        self._held_since = 0.0
        self._cursor = Cursor(0, 0, False)
        self._status_shown: tuple[object, ...] = ()
        self._told: tuple[str, bool, SessionState] | None = None

    def on_mount(self) -> None:
        self.session.changed = self._changed

    def on_unmount(self) -> None:
        if self._timer is not None:
            self._timer.stop()

    def on_resize(self, event: events.Resize) -> None:
        columns, rows = max(2, self.size.width), max(1, self._rows)
        if self.session.screen is None:
            self.session.start(columns, rows)
        else:
            self.session.resize(columns, rows)
        self._draw()

    @property
    def _rows(self) -> int:
        """Of the guest; the last line of the widget says how to leave, or what is wrong."""
        return self.size.height - 1

    @property
    def _visible(self) -> bool:
        return self.is_attached and self.display and self.app.screen is self.screen and self.size.width > 0

    # Frames.

    def _changed(self) -> None:
        """Draw now if the last frame is long enough ago, else when its time has come."""
        if self._timer is not None:
            return
        self._tell()
        if not self._visible:
            return
        wait = self._last + self._interval - time.monotonic()
        if wait <= 0:
            self._draw()
        else:
            self._timer = self.set_timer(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self._tell()
        if self._visible:
            self._draw()

    def _tell(self) -> None:
        """Let the tab know of a new title, bell or state."""
        if self._visible and self.has_focus:
            self.session.rang = False
        news = (self.session.title, self.session.rang, self.session.state)
        if news != self._told:
            self._told = news
            self.post_message(self.TabChanged(self.session))

    def _draw(self) -> None:
        screen = self.session.screen
        if screen is None or not self._visible:
            return
        now = time.monotonic()
        if screen.held:
            self._held_since = self._held_since or now
            if now - self._held_since < _HELD_LONGEST:
                self._timer = self._timer or self.set_timer(self._interval, self._due)
                return
        self._held_since = 0.0
        self._last = now
        changes = screen.changes()
        cursor = screen.cursor
        width = self.size.width
        before, self._cursor = self._cursor, cursor
        status = (self.session.state, self.session.why, screen.scrolled)
        if changes.rows is None or status != self._status_shown:
            paint(self, ())
        else:
            rows = set(changes.rows)
            if cursor != before:
                rows |= {cursor.y, before.y}
            if rows:
                paint(self, [Region(0, y, width, 1) for y in sorted(rows)])
        self._status_shown = status

    def looked_at(self) -> None:
        """The tab has come to the front."""
        self.session.rang = False
        self._tell()
        self._draw()
        self.refresh()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= self._rows:
            return self._status(width)
        screen = self.session.screen
        if screen is None:
            return self.blank(width)
        trouble = self._trouble(width)
        above = self._rows - len(trouble)
        if trouble and y >= above:
            return self.line(trouble[y - above], width)
        base = self.role("text")
        segments = [Segment(text, base + sgr.style(state)) for text, state in screen.row(y)]
        strip = Strip(segments).adjust_cell_length(width, base)
        cursor = self._cursor
        if cursor.visible and cursor.y == y and self.session.state is SessionState.OPEN:
            strip = self._with_cursor(strip, min(cursor.x, width - 1), width)
        return strip

    def _trouble(self, width: int) -> list[list[Part]]:
        """Why there is no connection: over the last rows."""
        problem = self.session.problem
        if problem is None or self.session.state is not SessionState.CLOSED:
            return []
        return problem_lines(problem, width, self.signs)[-self._rows :]

    def _with_cursor(self, strip: Strip, x: int, width: int) -> Strip:
        style = Style(reverse=True) if self.has_focus else Style(underline=True)
        return Strip.join(
            [strip.crop(0, x), strip.crop(x, x + 1).apply_style(style), strip.crop(x + 1, width)]
        )

    def _status(self, width: int) -> Strip:
        session = self.session
        if session.state is SessionState.CONNECTING:
            return self.line([(f"{self.signs.busy} connecting", "busy")], width)
        if session.state is SessionState.CLOSED:
            text = "" if session.problem else f"{self.signs.failed} {session.why}  "
            return self.line([(text, "warn"), ("enter", "!accent"), (" connects again", "muted")], width)
        if session.screen is not None and session.screen.scrolled:
            text = f"{session.screen.scrolled:,} lines back  {self.signs.down} a key goes to the end"
            return self.line([(text, "accent")], width)
        if self.has_focus:
            return self.line(
                [("ctrl+]", "!accent"), (" leaves; every other key goes to the guest", "muted")],
                width,
            )
        return self.line(
            [("enter", "!accent"), (" types here   ", "muted"), ("w", "!accent"), (" closes it", "muted")],
            width,
        )

    # Keys and mouse.

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == CONSOLE_LEAVE:
            self.post_message(self.Left())
            return
        session = self.session
        if session.state is SessionState.CLOSED:
            if event.key == "enter":
                session.start(self.size.width, self._rows)
            elif event.key == "escape":
                self.post_message(self.Left())
            return
        screen = session.screen
        if screen is None:
            return
        if event.key in ("shift+pageup", "shift+pagedown"):
            self._scroll_back(-self._rows // 2 if event.key == "shift+pageup" else self._rows // 2)
            return
        if screen.scrolled:
            screen.scroll_to_end()
            self._draw()
        session.send(screen.key(event.key, event.character))

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.session.screen is not None:
            self.session.send(self.session.screen.paste(event.text))

    def _scroll_back(self, rows: int) -> None:
        if self.session.screen is not None:
            self.session.screen.scroll(rows)
            self._draw()
            self.refresh()

    def _wheel(self, event: events.MouseEvent, *, up: bool) -> None:
        event.stop()
        screen = self.session.screen
        if screen is None:
            return
        told = screen.wheel(event.x, event.y, up=up)
        if told:
            self.session.send(told)
        else:
            self._scroll_back(-_WHEEL if up else _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, up=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, up=False)

    def on_focus(self) -> None:
        self._tell()
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
