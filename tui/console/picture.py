"""What is seen of a console: the rows of its screen, and the line below. Only rows that changed are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.console import drawing, status
from tui.console.screen import Cursor
from tui.console.session import SessionState
from tui.keys import spoken
from tui.look.painting import paint

if TYPE_CHECKING:
    from tui.console.frames import Frames
    from tui.console.view import ConsoleView


class Picture:
    """Of one view."""

    def __init__(self, view: ConsoleView, frames: Frames) -> None:
        self._view = view
        self._frames = frames
        self._cursor = Cursor(0, 0, False)
        self._status_shown: tuple[object, ...] = ()
        self.note: tuple[str, str] | None = None
        """A message in the last line, and its role."""

    def draw(self) -> None:
        """What has changed."""
        view = self._view
        screen = view.session.screen
        if screen is None or not view.visible_here:
            return
        if not self._frames.begin(screen):
            return
        changes = screen.changes()
        before, self._cursor = self._cursor, screen.cursor
        if view.lookback is not None:
            view.lookback.follow()
        line = status.line(view.session, self._situation(), view.signs)
        stale = tuple(line) != self._status_shown
        self._status_shown = tuple(line)
        held = view.lookback is not None and view.lookback.held is not None
        if not held and (changes.rows is None or (view.lookback is not None and changes.rows)):
            paint(view, ())
            return
        # Of what is held only the count of lines behind it is new.
        rows = set() if held or changes.rows is None else set(changes.rows)
        if self._cursor != before and not held:
            rows |= {self._cursor.y, before.y}
        if stale:
            rows.add(view.size.height - 1)
        if rows:
            paint(view, [Region(0, y, view.size.width, 1) for y in sorted(rows)])

    def whole(self) -> None:
        """Everything."""
        screen = self._view.session.screen
        if screen is not None and self._view.visible_here:
            screen.changes()
            self._cursor = screen.cursor
            paint(self._view, ())

    def row(self, y: int) -> Strip:
        view = self._view
        width, height = view.size
        if y >= height - 1:
            return view.line(status.line(view.session, self._situation(), view.signs), width)
        trouble = self._trouble(width)
        if trouble and y >= height - 1 - len(trouble):
            return view.line(trouble[y - (height - 1 - len(trouble))], width)
        screen = view.session.screen
        if screen is None:
            return view.blank(width)
        held = view.lookback.held if view.lookback is not None else None
        strip = drawing.row(held or screen, y, width, view.role("text"))
        if view.lookback is not None:
            strip = drawing.marked(strip, view.lookback, y, width, view.look)
        cursor = self._cursor_cell(y)
        if cursor is not None:
            style = Style(reverse=True) if view.has_keys else Style(underline=True)
            strip = drawing.styled(strip, cursor, cursor + 1, style, width)
        return strip

    def _cursor_cell(self, y: int) -> int | None:
        """The cell of the cursor in that row."""
        view = self._view
        if view.lookback is not None and not view.keyboard.typing:
            row, x = view.lookback.cursor
            return x if row - view.lookback.top == y else None
        x, row, visible = self._cursor
        shown = visible and row == y and view.session.state is SessionState.OPEN
        return min(x, view.size.width - 1) if shown else None

    def _trouble(self, width: int) -> list[Any]:
        """Why there is no connection: over the last rows."""
        view = self._view
        problem = view.session.problem
        if problem is None or view.session.gone or view.session.state is not SessionState.CLOSED:
            return []
        from tui.views.steps import problem_lines

        return problem_lines(problem, width, view.signs)[-(view.size.height - 1) :]

    def _situation(self) -> status.Situation:
        view = self._view
        other = view.named and not view.has_keys and isinstance(view.screen.focused, type(view))
        return status.Situation(
            focused=view.has_keys,
            typing=view.keyboard.typing,
            lookback=view.lookback,
            finding=view.controls.finding,
            note=self.note,
            key=lambda id: spoken(view.keymap.key(id)),
            elsewhere=other,
            named=view.named,
            width=view.size.width,
        )
