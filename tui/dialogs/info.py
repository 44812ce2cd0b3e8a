"""Lines to read: help, a problem, an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.dialogs.base import Dialog
from tui.look.lines import Part
from tui.views.lines import LinesView

Lines = Callable[[int], Sequence[Sequence[Part]]]
"""Lines for a width."""

WIDTH = 72


class Info(Dialog[str]):
    """Scrolls; escape, enter and q close it. Where lines have targets, enter returns the chosen one."""

    def __init__(
        self,
        title: str,
        lines: Lines,
        targets: Mapping[int, str] | None = None,
        *,
        hint: str = "",
        widest: int = WIDTH,
    ) -> None:
        """``widest``: columns of the longest line, where the screen has as many."""
        super().__init__()
        self._title = title
        self._lines = lines
        self._targets = targets or {}
        self.hint = hint
        self._widest = max(WIDTH, widest)

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = (self.hint or "esc closes").replace("[", "\\[")
        with frame:
            yield LinesView(id="info")

    def on_mount(self) -> None:
        view = self._fill()
        if self._targets:
            view.target = self._targets[min(self._targets)]
        view.focus()

    def put(self, lines: Lines, widest: int) -> None:
        """Other lines, and how long the longest is."""
        self._lines = lines
        self._widest = max(WIDTH, widest)
        if self.query(LinesView):
            self._fill()

    def on_resize(self) -> None:
        if self.query(LinesView):
            self._fill()

    def _fill(self) -> LinesView:
        width = min(self._widest, int(self.app.size.width * 0.96) - 4)
        self.query_one(".frame").styles.width = width + 4
        lines = self._lines(width)
        view = self.query_one(LinesView)
        view.styles.height = max(1, min(len(lines), int(self.app.size.height * 0.94) - 2))
        view.set_lines(lines, self._targets)
        return view

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        event.stop()
        self.dismiss(event.target)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "q"):
            event.stop()
            self.dismiss(None)
