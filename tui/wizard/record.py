"""A form for one table of the project file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from core.errors import UsageError
from core.projects.fields import FieldKind, FormField, compact, fields_of, first_mistake
from tui.dialogs.base import Button, Buttons, Dialog
from tui.dialogs.form import Toggle
from tui.look.lines import wrap
from tui.views.lines import LinesView
from tui.wizard.fields import Choices, Opener, value_of, widget_of

_WIDTH = 70
_SAID_LINES = 3

Opening = Callable[[Any], Awaitable[Any]]
"""Asks for a value in a dialog of its own, given the one there is; None leaves it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a form asks for, and in which order."""

    model: type[msgspec.Struct]
    title: str
    done: str = "Done"
    """On the button that ends it."""
    extra: tuple[FormField, ...] = ()
    """Fields that stand before those of the model, and are none of its table."""
    order: tuple[str, ...] = ()
    """These first; the others follow."""
    hidden: frozenset[str] = frozenset()
    choices: Mapping[str, Choices] = {}
    check: Callable[[Mapping[str, Any]], str] | None = None
    """What is wrong with the values of ``extra``, "" for nothing."""

    @property
    def fields(self) -> tuple[FormField, ...]:
        rank = {name: number for number, name in enumerate(self.order)}
        known = [field for field in fields_of(self.model) if field.name not in self.hidden]
        known.sort(key=lambda field: rank.get(field.name, len(rank)))
        return (*self.extra, *known)


class RecordForm(Dialog[dict[str, Any]]):
    """Returns the values by name: those of the model without what is as it is anyway, and the extra ones."""

    DEFAULT_CSS = """
    RecordForm VerticalScroll { height: auto; max-height: 26; scrollbar-size-vertical: 1; }
    RecordForm #said { height: 3; margin-top: 1; }
    """

    def __init__(
        self, plan: Plan, values: Mapping[str, Any] = {}, openings: Mapping[str, Opening] = {}
    ) -> None:
        super().__init__()
        self._plan = plan
        self._fields = plan.fields
        self._values = dict(values)
        self._openings = openings
        self._wrong = ("", "")
        """The field with a mistake, and what that is: it stays said when the field gets the keys."""

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._plan.title.replace("[", "\\[")
        frame.border_subtitle = "up and down move, ctrl+s ends it, esc leaves it"
        with frame:
            with VerticalScroll(can_focus=False):
                for field in self._fields:
                    with Horizontal(classes="row"):
                        label = LinesView()
                        label.add_class("label")
                        label.can_focus = False
                        label.set_lines(
                            [[(field.name.replace("_", " "), "accent" if field.required else "muted")]]
                        )
                        yield label
                        yield self._widget(field)
            said = LinesView(id="said")
            said.can_focus = False
            yield said
            yield Buttons([Button("no", "Cancel", "muted"), Button("yes", self._plan.done)], chosen=1)

    def _widget(self, field: FormField) -> Widget:
        value = self._values.get(field.name)
        id = f"field-{field.name}"
        if field.name in self._openings:
            return Opener(field, value, lambda known: str(_told(known)), id=id)
        return widget_of(field, value, self._plan.choices.get(field.name), id=id)

    def on_mount(self) -> None:
        # The frame of a small terminal leaves the rows what the rest does not need.
        rows = self.query_one(VerticalScroll)
        rows.styles.max_height = max(4, self.app.size.height - 11)
        self.query_one(f"#field-{self._fields[0].name}").focus()

    # What is in it.

    @property
    def unsaved(self) -> str:
        """Of something new, where lists of it were described in dialogs of their own."""
        openers = self.query(Opener) if self._plan.extra else ()
        known = [opener.field for opener in openers if isinstance(opener.value, list) and opener.value]
        named = ", ".join(field.name.replace("_", " ") for field in known)
        return f"what was described here, with its {named}" if known else ""

    def _collected(self) -> dict[str, Any]:
        """Raises UsageError where a line cannot be read."""
        return {field.name: value_of(field, self._at(field.name)) for field in self._fields}

    def _at(self, name: str) -> Widget:
        return self.query_one(f"#field-{name}")

    def _table(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return compact(self._plan.model, values)

    def _mistake(self) -> tuple[str, str]:
        """Where the first mistake is and what it is; two empty texts where all is well."""
        try:
            values = self._collected()
        except UsageError as error:
            name = next((f.name for f in self._fields if error.problem.what.startswith(f"{f.name} ")), "")
            return name, f"{error.problem.what} {error.problem.remedy}".strip()
        for field in self._fields:
            if field.required and values[field.name] in (None, "", {}):
                return field.name, f"{field.name} is needed."
        if self._plan.check is not None:
            wrong = self._plan.check(values)
            if wrong:
                return self._plan.extra[0].name, wrong
        key, what = first_mistake(self._plan.model, self._table(values))
        what = what.removeprefix("The project file: ")
        # A sentence may begin with the field's name, as it stands before it.
        return key, what if key and what.startswith(key) else f"{what[:1].upper()}{what[1:]}"

    # What is said below.

    def _explain(self, text: str, role: str = "muted") -> None:
        lines = wrap(text, _WIDTH)[:_SAID_LINES]
        self.query_one("#said", LinesView).set_lines([[(line, role)] for line in lines])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        id = event.widget.id or ""
        field = next((field for field in self._fields if id == f"field-{field.name}"), None)
        if field is None:
            return
        name, what = self._wrong
        self._wrong = ("", "")
        if name == field.name:
            self._explain(what, "bad")
        else:
            how = "Enter opens it." if isinstance(event.widget, Opener) else ""
            if isinstance(event.widget, Toggle):
                how = "Space changes it."
            self._explain(f"{field.help} {how}".strip())

    # Ending, and going on.

    def on_opener_opened(self, event: Opener.Opened) -> None:
        event.stop()
        self.ask(self._open(event.opener))

    async def _open(self, opener: Opener) -> None:
        opening = self._openings.get(opener.field.name)
        if opening is not None:
            answer = await opening(opener.value)
        else:
            answer = await self.app.push_screen_wait(_nested(opener))
        if answer is not None:
            opener.put(answer)
        opener.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        if event.button_id == "yes":
            self._finish()
        else:
            self.dismiss(None)

    def _finish(self) -> None:
        name, what = self._mistake()
        if what:
            self._wrong = name, what
            self._explain(what, "bad")
            if name and any(field.name == name for field in self._fields):
                self._at(name).focus()
            return
        values = self._collected()
        extra = {field.name: values[field.name] for field in self._plan.extra}
        self.dismiss({**extra, **self._table(values)})

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down"):
            event.stop()
            self.focus_previous() if event.key == "up" else self.focus_next()
        elif event.key == "ctrl+s":
            event.stop()
            self._finish()


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return value or ""


def _nested(opener: Opener) -> Dialog[Any]:
    """The dialog for a table, or for a list of tables."""
    field = opener.field
    assert field.model is not None
    title = field.name.replace("_", " ").capitalize()
    if field.kind is FieldKind.TABLE:
        return RecordForm(Plan(model=field.model, title=title), opener.value)
    from tui.wizard.listing import ListForm

    return ListForm(title, field.model, opener.value)
