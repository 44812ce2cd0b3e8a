"""What a build asks: why, and what can be done, each with a key."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.dialogs.base import Dialog
from tui.dialogs.palette import Entry
from tui.look.lines import Part
from tui.panes.rows import Row, RowList
from tui.views.lines import LinesView

SUDDEN = 0.7
"""Seconds in which a dialog that came by itself takes no keys: they were meant for something else."""


class QuestionDialog(Dialog[str]):
    """Returns the id of what was chosen. ``open``: whether it is still asked, looked at now and then."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    QuestionDialog > .frame { width: 90; }
    QuestionDialog LinesView { max-height: 14; }
    QuestionDialog RowList { margin-top: 1; }
    """

    def __init__(
        self,
        title: str,
        reason: Callable[[int], Sequence[Sequence[Part]]],
        entries: Sequence[Entry],
        *,
        open: Callable[[], bool],
        sudden: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._reason = reason
        self._entries = tuple(entries)
        self._open = open
        self._deaf_until = time.monotonic() + SUDDEN if sudden else 0.0

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = "esc leaves it for later"
        with frame:
            yield LinesView(id="reason")
            yield RowList(id="answers", title="", header=("key", "answer", "does"), flexible=2)

    def on_mount(self) -> None:
        self.query_one(LinesView).can_focus = False
        rows = [
            Row(one.id, ((one.key, "!accent"), (one.title, "text"), (one.help, "muted")))
            for one in self._entries
        ]
        listed = self.query_one(RowList)
        listed.styles.height = len(rows) + 1
        listed.set_rows(rows)
        # Its own keys (k, j) would be taken for answers, and the other way round.
        listed.can_focus = False
        self._fill()
        self.set_interval(0.2, self._look)

    def on_resize(self) -> None:
        if self.query(LinesView):
            self._fill()

    def _fill(self) -> None:
        width = min(86, int(self.app.size.width * 0.96) - 4)
        lines = self._reason(width)
        view = self.query_one(LinesView)
        room = max(1, int(self.app.size.height * 0.94) - len(self._entries) - 4)
        view.styles.height = max(1, min(len(lines), room))
        view.set_lines(lines)

    def _look(self) -> None:
        if not self._open() and self.is_current:
            self.dismiss(None)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._choose(event.rows.selected)

    def on_key(self, event: events.Key) -> None:
        listed = self.query_one(RowList)
        found = next((one.id for one in self._entries if one.key == event.key), "")
        if found or event.key == "enter":
            event.stop()
            self._choose(found or listed.selected)
        elif event.key in ("up", "down"):
            event.stop()
            listed.move_to(listed.cursor + (1 if event.key == "down" else -1))

    def _choose(self, id: str) -> None:
        if time.monotonic() >= self._deaf_until:
            self.dismiss(id)
