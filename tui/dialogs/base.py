"""What all dialogs share: a frame in the middle, escape to leave, a line of buttons."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
from textual import events
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip

from tui.look.lines import Part
from tui.look.painted import Painted

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """Escape closes it with None, after a question where something would be lost."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > .frame {
        width: 76; max-width: 96%; height: auto; max-height: 94%;
        border: $frame $focus; border-title-color: $focus; border-title-style: bold;
        padding: 0 1; background: $background;
    }
    Dialog .row { height: 1; }
    Dialog .label { width: 16; color: $muted; }
    Dialog Input { height: 1; border: none; padding: 0; width: 1fr; background: $panel; }
    Dialog Input:focus { border: none; background: $selection; color: $selection-text; }
    Dialog LinesView { height: auto; max-height: 100%; }
    Dialog Buttons { height: 1; margin-top: 1; }
    """

    @property
    def unsaved(self) -> str:
        """What escape throws away, "" for nothing that matters."""
        return ""

    def on_key(self, event: events.Key) -> None:
        if event.key != "escape":
            return
        event.stop()
        if self.unsaved:
            self.ask(self._give_up())
        else:
            self.dismiss(None)

    async def _give_up(self) -> None:
        from tui.dialogs.confirm import Confirm, Question

        question = Question(
            title="Leave without writing?", goes=(self.unsaved,), stays=("the file as it is",), yes="Leave"
        )
        if await self.app.push_screen_wait(Confirm(question)):
            self.dismiss(None)

    def ask(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that opens a dialog on top of this one: keys wait for that."""
        app: Any = self.app
        self.run_worker(app.type_ahead.follow(work), exclusive=True)


class Button(msgspec.Struct, frozen=True):
    id: str
    title: str
    role: str = "accent"


class Buttons(Painted, can_focus=True):
    """A line of buttons, one of them chosen. Posts ``Pressed``."""

    class Pressed(Message):
        def __init__(self, id: str) -> None:
            super().__init__()
            self.button_id = id

    def __init__(self, buttons: Sequence[Button], chosen: int = 0) -> None:
        super().__init__()
        self._buttons = tuple(buttons)
        self.chosen = chosen
        self._spans: list[tuple[int, int, int]] = []

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        texts = [f"  {button.title}  " for button in self._buttons]
        at = max(0, width - sum(len(text) + 1 for text in texts))
        strips = [self.blank(at)]
        self._spans = []
        for number, (button, text) in enumerate(zip(self._buttons, texts, strict=True)):
            parts: list[Part] = [(text, button.role)]
            if number == self.chosen:
                mark = [("> ", button.role), (text[2:], button.role)] if self.look.theme.ansi else parts
                strips.append(self.selected_line(mark, len(text), focused=self.has_focus))
            else:
                strips.append(self.line(parts, len(text)))
            strips.append(self.blank(1))
            self._spans.append((at, at + len(text), number))
            at += len(text) + 1
        return Strip.join(strips).adjust_cell_length(width, self.role("text"))

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "left":
                self.chosen = (self.chosen - 1) % len(self._buttons)
            case "right":
                self.chosen = (self.chosen + 1) % len(self._buttons)
            case "tab" | "shift+tab":
                step = 1 if event.key == "tab" else -1
                inside = 0 <= self.chosen + step < len(self._buttons)
                self.chosen = (self.chosen + step) % len(self._buttons)
                self.refresh()
                if not inside:
                    # Beyond the last one the focus goes on; where there is nothing else, it comes back.
                    return
                event.prevent_default()
            case "enter" | "space":
                self.post_message(self.Pressed(self._buttons[self.chosen].id))
            case _:
                return
        event.stop()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        for start, end, number in self._spans:
            if start <= event.x < end:
                self.chosen = number
                self.post_message(self.Pressed(self._buttons[number].id))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
