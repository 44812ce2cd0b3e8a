"""Editing a few lines: what is wrong with them is said before they are taken."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import TextArea

from core.model.problem import Problem
from tui.dialogs.base import Dialog
from tui.views.lines import LinesView
from tui.views.steps import problem_lines

_PROBLEM = 9


class Editing(Dialog[str]):
    """Returns the text. ``take`` is called with it, and says what is wrong; None where it was taken."""

    DEFAULT_CSS = """
    Editing > .frame { height: 90%; }
    Editing TextArea { height: 1fr; border: none; padding: 0; background: $panel; }
    Editing TextArea:focus { border: none; }
    """

    def __init__(
        self, title: str, text: str, take: Callable[[str], Problem | None], *, first: int = 1
    ) -> None:
        """``first``: number of its first line in the file, as mistakes name it."""
        super().__init__()
        self._first = first
        self._title = title
        self._text = text
        self._take = take

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = "ctrl+s writes it, esc gives it up"
        with frame:
            yield TextArea(
                self._text,
                soft_wrap=True,
                show_line_numbers=True,
                line_number_start=self._first,
                compact=True,
            )
            yield LinesView(id="trouble")

    def on_mount(self) -> None:
        trouble = self.query_one("#trouble", LinesView)
        trouble.can_focus = False
        trouble.display = False
        self.query_one(TextArea).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+s":
            event.stop()
            self._finish()

    @property
    def unsaved(self) -> str:
        return "what was changed here" if self.query_one(TextArea).text != self._text else ""

    def _finish(self) -> None:
        text = self.query_one(TextArea).text
        problem = self._take(text)
        if problem is None:
            self.dismiss(text)
            return
        trouble = self.query_one("#trouble", LinesView)
        lines = problem_lines(problem, max(20, trouble.size.width or 70), trouble.signs)[:_PROBLEM]
        trouble.styles.height = len(lines)
        trouble.set_lines(lines)
        trouble.display = True
