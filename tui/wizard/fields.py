"""The widgets of a form's fields, one kind each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from core import amounts
from core.projects.fields import FieldKind, FormField, from_text, to_text
from tui.dialogs.form import Toggle
from tui.look.lines import clean
from tui.look.painted import Painted

Choices = Sequence[tuple[str, Any]]
"""What a value is called, and the value."""


class Opener(Painted, can_focus=True):
    """A value that is edited in a dialog of its own: enter or a click asks for it."""

    class Opened(Message):
        def __init__(self, opener: Opener) -> None:
            super().__init__()
            self.opener = opener

    def __init__(self, field: FormField, value: Any, shown: Callable[[Any], str], *, id: str) -> None:
        super().__init__(id=id)
        self.field = field
        self.value = value
        self._shown = shown
        self.styles.height = 1
        self.styles.width = "1fr"

    def put(self, value: Any) -> None:
        self.value = value
        self.refresh()

    def render_line(self, y: int) -> Strip:
        text = clean(self._shown(self.value))
        arrow = "→" if self.look.terminal.unicode else ">"
        parts = [(text or "none", "text" if text else "muted"), (f"  {arrow}", "accent")]
        if self.has_focus:
            return self.selected_line(parts, self.size.width, focused=True)
        return self.line(parts, self.size.width)

    def on_key(self, event: events.Key) -> None:
        if event.key in ("enter", "space"):
            event.stop()
            self.post_message(self.Opened(self))

    def on_click(self) -> None:
        self.focus()
        self.post_message(self.Opened(self))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


def widget_of(field: FormField, value: Any, choices: Choices | None, *, id: str) -> Widget:
    """For a field with that value; ``choices`` in place of what the model knows."""
    value = field.default if value is None else value
    if choices is not None:
        return Toggle(tuple(choices), value, id=id)
    match field.kind:
        case FieldKind.FLAG:
            return Toggle((("no", False), ("yes", True)), bool(value), id=id)
        case FieldKind.CHOICE:
            return Toggle(tuple((choice, choice) for choice in field.choices), value, id=id)
        case FieldKind.TABLE:
            return Opener(field, value or {}, functools.partial(_of_table, field), id=id)
        case FieldKind.TABLES:
            return Opener(field, list(value or ()), summary, id=id)
    # What is so anyway is only hinted at: one types over nothing.
    text = "" if value == field.default else to_text(field, value)
    return Input(text, placeholder=_hint(field), id=id, compact=True)


def _hint(field: FormField) -> str:
    """What is so where nothing is typed; an example is called one, as it is no value."""
    if field.default not in (None, "", [], {}, 0):
        return to_text(field, field.default)
    if field.required and field.example not in ("", "..."):
        return f"for example {field.example}"
    return ""


def value_of(field: FormField, widget: Widget) -> Any:
    """As plain TOML data. Raises UsageError for a line that cannot be read."""
    if isinstance(widget, Input):
        return from_text(field, widget.value)
    assert isinstance(widget, Toggle | Opener)
    return widget.value


def _of_table(field: FormField, value: Any) -> str:
    return "as usual" if value in ({}, field.default) else summary(value)


def summary(value: Any) -> str:
    """A table, or a list of tables, in a few words."""
    if isinstance(value, Mapping):
        given = (
            (key.replace("_", " "), item) for key, item in value.items() if item not in ("", None, [], {})
        )
        return ", ".join(f"{key} {_short(item)}" for key, item in given)
    if isinstance(value, list):
        if not value:
            return ""
        return f"{amounts.count(len(value), 'entry', 'entries')}: {'; '.join(_entry(item) for item in value)}"
    return str(value or "")


def _entry(table: Mapping[str, Any]) -> str:
    """What tells an entry from others: its first values."""
    return " ".join(_short(item) for item in list(table.values())[:2])


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = " ".join(str(item) for item in value)
    elif isinstance(value, Mapping):
        value = ", ".join(f"{key} {item}" for key, item in value.items())
    text = str(value).strip().splitlines()
    return (text[0] if text else "")[:40]
