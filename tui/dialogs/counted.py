"""Asks before much is lost at once: the number of things has to be typed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from tui.dialogs.base import Button, Buttons, Dialog
from tui.dialogs.confirm import Question, question_lines
from tui.views.lines import LinesView


class CountedQuestion(Question, frozen=True, kw_only=True):
    number: int


class CountedConfirm(Dialog[bool]):
    """True only where the number was typed."""

    def __init__(self, question: CountedQuestion) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._question.title.replace("[", "\\[")
        with frame:
            yield LinesView(id="question")
            yield Input(placeholder=f"type {self._question.number} to go on", type="integer", compact=True)
            yield Buttons([Button("no", "Cancel"), Button("yes", self._question.yes, "bad")])

    def on_mount(self) -> None:
        view = self.query_one(LinesView)
        view.can_focus = False
        lines = [*question_lines(self._question), []]
        view.styles.height = len(lines)
        view.set_lines(lines)
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._finish()

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        if event.button_id == "yes":
            self._finish()
        else:
            self.dismiss(False)

    def _finish(self) -> None:
        field = self.query_one(Input)
        if field.value.strip() == str(self._question.number):
            self.dismiss(True)
        else:
            field.value = ""
            field.placeholder = f"it has to be {self._question.number}; esc leaves everything as it is"
            field.focus()
