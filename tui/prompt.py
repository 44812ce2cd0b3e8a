"""The line in which one types: a filter, a search, a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tui.look.lines import Part
from tui.views.lines import LinesView

Complete = Callable[[str], str]
"""The text with its last word completed, or as it was."""


class Prompt(Horizontal):
    """Posts ``Changed`` while one types, and ``Closed`` at the end."""

    DEFAULT_CSS = """
    Prompt { height: 1; dock: bottom; background: $panel; }
    Prompt > LinesView { width: auto; height: 1; }
    Prompt > Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    Prompt > Input:focus { border: none; }
    """

    class Changed(Message):
        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Closed(Message):
        """``text`` is None where one thought better of it."""

        def __init__(self, kind: str, text: str | None) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    def __init__(
        self,
        kind: str,
        sign: str,
        *,
        text: str = "",
        hint: str = "",
        complete: Complete | None = None,
        earlier: Sequence[str] = (),
    ) -> None:
        """``earlier``: lines to go back to, the latest last."""
        super().__init__()
        self._lines = [*earlier, ""]
        self._at = len(earlier)
        self._kind = kind
        self._sign = sign
        self._text = text
        self._hint = hint
        self._complete = complete
        self.awaited: Callable[[], None] = _nobody
        """Called once the line has the keys."""

    def compose(self) -> ComposeResult:
        sign = LinesView()
        sign.can_focus = False
        line: list[Part] = [(f" {self._sign}", "accent")]
        sign.set_lines([line])
        sign.styles.width = len(self._sign) + 1
        yield sign
        yield Input(self._text, placeholder=self._hint, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_position = len(field.value)
        field.focus()
        self.awaited()
        if field.value:
            self.post_message(self.Changed(self._kind, field.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self._kind, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Closed(self._kind, event.value))

    def on_key(self, event: events.Key) -> None:
        field = self.query_one(Input)
        if event.key == "escape" or (event.key == "backspace" and not field.value):
            event.stop()
            self.post_message(self.Closed(self._kind, None))
        elif event.key in ("up", "down") and len(self._lines) > 1:
            event.stop()
            self._go(-1 if event.key == "up" else 1)
        elif event.key == "tab":
            event.stop()
            if self._complete is not None:
                field.value = self._complete(field.value)
                field.cursor_position = len(field.value)

    def _go(self, way: int) -> None:
        """To an earlier line, or back; what was typed so far is the last one."""
        field = self.query_one(Input)
        if self._at == len(self._lines) - 1:
            self._lines[-1] = field.value
        self._at = max(0, min(self._at + way, len(self._lines) - 1))
        field.value = self._lines[self._at]
        field.cursor_position = len(field.value)


def _nobody() -> None:
    """Nobody waits."""
