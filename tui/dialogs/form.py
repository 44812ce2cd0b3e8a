"""A form for the arguments of a command, made from the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from core.commands import Argument, ArgumentKind, CommandSpec
from tui.dialogs.base import Button, Buttons, Dialog
from tui.look.lines import wrap
from tui.look.painted import Painted
from tui.orders import Values
from tui.views.lines import LinesView

_WIDTH = 70


class Toggle(Painted, can_focus=True):
    """Goes through its choices with space, left and right."""

    class Changed(Message):
        pass

    def __init__(self, choices: tuple[tuple[str, Any], ...], value: Any, *, id: str) -> None:
        super().__init__(id=id)
        self._choices = choices
        values = [choice[1] for choice in choices]
        self._at = values.index(value) if value in values else 0
        self.styles.height = 1
        self.styles.width = "1fr"

    @property
    def value(self) -> Any:
        return self._choices[self._at][1]

    def render_line(self, y: int) -> Strip:
        parts = [(f"< {self._choices[self._at][0]} >", "text")]
        if self.has_focus:
            return self.selected_line(parts, self.size.width, focused=True)
        return self.line(parts, self.size.width)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("space", "right", "left"):
            event.stop()
            self._at = (self._at + (-1 if event.key == "left" else 1)) % len(self._choices)
            self.refresh()
            self.post_message(self.Changed())

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


class Form(Dialog[dict[str, Any]]):
    """Returns the values by field. ``preview`` makes the command line of them."""

    def __init__(
        self,
        spec: CommandSpec,
        values: Values,
        preview: Callable[[Values], str],
        subject: str,
        wrong: Callable[[Values], str] = lambda _: "",
    ) -> None:
        """``wrong``: why these values cannot be taken, and what would help; "" where they can."""
        super().__init__()
        self._wrong = wrong
        self._spec = spec
        self._values = dict(values)
        self._preview = preview
        self._subject = subject

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        title = f"{self._spec.title} {self._subject}".strip()
        frame.border_title = title.replace("[", "\\[")
        frame.border_subtitle = "up and down move, ctrl+s ends it, esc leaves it"
        with frame:
            yield LinesView(id="about")
            for argument in self._spec.arguments:
                with Horizontal(classes="row"):
                    name = _label(argument)
                    label = LinesView()
                    label.add_class("label")
                    label.can_focus = False
                    label.set_lines([[(name, "accent" if argument.required else "muted")]])
                    yield label
                    yield self._field(argument)
            yield LinesView(id="said")
            yield LinesView(id="preview")
            yield Buttons([Button("no", "Cancel", "muted"), Button("yes", self._spec.title)], chosen=1)

    def _field(self, argument: Argument) -> Input | Toggle:
        value = self._values.get(argument.field)
        if argument.kind is ArgumentKind.FLAG:
            return Toggle((("no", False), ("yes", True)), bool(value), id=f"field-{argument.field}")
        if argument.kind is ArgumentKind.CHOICE:
            choices = (("as it is due", None), ("yes", True), ("no", False))
            return Toggle(choices, value, id=f"field-{argument.field}")
        text = " ".join(value) if isinstance(value, tuple) else str(value or "")
        kind: Literal["integer", "text"] = "integer" if argument.kind is ArgumentKind.NUMBER else "text"
        return Input(text, type=kind, id=f"field-{argument.field}", compact=True)

    def on_mount(self) -> None:
        about = self.query_one("#about", LinesView)
        preview = self.query_one("#preview", LinesView)
        said = self.query_one("#said", LinesView)
        about.can_focus = preview.can_focus = said.can_focus = False
        lines = wrap(self._spec.help, _WIDTH)
        about.styles.height = len(lines) + 1
        about.set_lines([*([(text, "text")] for text in lines), []])
        longest = max((len(wrap(a.help, _WIDTH)) for a in self._spec.arguments), default=0)
        # A mistake needs two lines.
        said.styles.height = 1 + max(2, longest)
        preview.styles.height = 3
        self._show_preview()
        first = next((a for a in self._spec.arguments if a.required and not self._values.get(a.field)), None)
        first = first or (self._spec.arguments[0] if self._spec.arguments else None)
        if first is not None:
            self.query_one(f"#field-{first.field}").focus()

    def values(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for argument in self._spec.arguments:
            field = self.query_one(f"#field-{argument.field}")
            if isinstance(field, Toggle):
                found[argument.field] = field.value
            elif isinstance(field, Input):
                found[argument.field] = field.value.strip()
        return found

    def _show_preview(self) -> None:
        texts = wrap(f"$ {self._preview(self.values())}", _WIDTH)[:2]
        self.query_one("#preview", LinesView).set_lines([[], *([(text, "muted")] for text in texts)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What is asked for there."""
        found = next((a for a in self._spec.arguments if event.widget.id == f"field-{a.field}"), None)
        if found is not None:
            self._say(found.help)

    def _say(self, text: str, role: str = "muted") -> None:
        self.query_one("#said", LinesView).set_lines([[], *([(line, role)] for line in wrap(text, _WIDTH))])

    def on_input_changed(self, _event: Input.Changed) -> None:
        self._show_preview()

    def on_toggle_changed(self, _event: Toggle.Changed) -> None:
        self._show_preview()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._finish()

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        if event.button_id == "yes":
            self._finish()
        else:
            self.dismiss(None)

    def _finish(self) -> None:
        """Go to the first field that is still needed, or be done."""
        values = self.values()
        for argument in self._spec.arguments:
            if argument.required and not values[argument.field]:
                self.query_one(f"#field-{argument.field}").focus()
                self._say(f"{_label(argument)} is needed: {argument.help}", "bad")
                return
        wrong = self._wrong(values)
        if wrong:
            self._say(wrong, "bad")
            return
        self.dismiss(values)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down"):
            event.stop()
            self.focus_previous() if event.key == "up" else self.focus_next()
        elif event.key == "ctrl+s":
            event.stop()
            self._finish()


def _label(argument: Argument) -> str:
    if argument.flags:
        return max(
            argument.flags[:1] if argument.kind is ArgumentKind.CHOICE else argument.flags, key=len
        ).lstrip("-")
    return (argument.metavar or argument.field).lower()
