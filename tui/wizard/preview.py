"""A project file before it is written, with what is new in it."""

from __future__ import annotations

import difflib

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.dialogs.base import Button, Buttons, Dialog
from tui.look.lines import Part, clean
from tui.views.lines import LinesView


class Preview(Dialog[bool]):
    """True: write it."""

    DEFAULT_CSS = """
    Preview > .frame { height: 80%; }
    Preview LinesView { height: 1fr; }
    """

    def __init__(self, title: str, before: str, after: str) -> None:
        super().__init__()
        self._title = title
        self._before = before
        self._after = after

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = "+ is new; ctrl+s writes it, esc goes back"
        with frame:
            yield LinesView(id="text")
            yield Buttons([Button("no", "Back", "muted"), Button("yes", "Write")], chosen=1)

    def on_mount(self) -> None:
        lines, first = compared(self._before, self._after)
        view = self.query_one("#text", LinesView)
        view.set_lines(lines)
        self.call_after_refresh(view.show, max(0, first - 2))
        self.query_one(Buttons).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+s":
            event.stop()
            self.dismiss(True)

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        self.dismiss(event.button_id == "yes")


def compared(before: str, after: str) -> tuple[list[list[Part]], int]:
    """The lines of both, marked where they differ, and the number of the first difference."""
    marks = {"+": ("+ ", "good"), "-": ("- ", "bad"), " ": ("  ", "text")}
    lines: list[list[Part]] = []
    first = 0
    for entry in difflib.ndiff(before.splitlines(), after.splitlines()):
        if entry[0] not in marks:
            continue
        mark, role = marks[entry[0]]
        if entry[0] != " " and not first:
            first = len(lines)
        lines.append([(mark, role), (clean(entry[2:]), role)])
    return lines, first
