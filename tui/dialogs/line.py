"""Asks for one line of text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from tui.dialogs.base import Dialog
from tui.look.lines import wrap
from tui.views.lines import LinesView


class Ask(Dialog[str]):
    def __init__(self, title: str, question: str, hint: str = "", text: str = "") -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._hint = hint
        self._text = text

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = "enter writes it, esc leaves it"
        with frame:
            yield LinesView(id="question")
            yield Input(self._text, placeholder=self._hint, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        view = self.query_one(LinesView)
        view.can_focus = False
        lines = wrap(self._question, 70)
        view.styles.height = len(lines) + 1
        view.set_lines([*([(text, "text")] for text in lines), []])
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip() or None)
