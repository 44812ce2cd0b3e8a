"""A list of tables of the project file, e.g. the ports of a machine: add, change, remove, move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.dialogs.base import Button, Buttons, Dialog
from tui.look.lines import Part, clean
from tui.views.lines import LinesView
from tui.wizard.fields import summary
from tui.wizard.record import Plan, RecordForm

_KEYS = "a adds, enter changes, d removes, J K move, ctrl+s ends it"


class ListForm(Dialog[list[dict[str, Any]]]):
    """Returns the tables in their order."""

    def __init__(self, title: str, model: type[msgspec.Struct], tables: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self._title = title
        self._model = model
        self._tables = [dict(table) for table in tables]
        self._before = list(self._tables)

    @property
    def unsaved(self) -> str:
        return "what was changed in this list" if self._tables != self._before else ""

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title
        frame.border_subtitle = _KEYS
        with frame:
            yield LinesView(id="entries")
            yield Buttons(
                [Button("no", "Cancel", "muted"), Button("add", "Add"), Button("yes", "Done")], chosen=2
            )

    def on_mount(self) -> None:
        self._show()
        self.query_one("#entries", LinesView).focus()
        if not self._tables:
            self._ask(None)

    def _show(self) -> None:
        view = self.query_one("#entries", LinesView)
        lines: list[list[Part]] = [
            [(f"{number + 1:>2}  ", "muted"), (clean(summary(table)), "text")]
            for number, table in enumerate(self._tables)
        ]
        empty: list[list[Part]] = [[("Nothing yet. ", "muted"), ("a", "accent"), (" adds one.", "muted")]]
        view.set_lines(lines or empty, {number: str(number) for number in range(len(lines))})
        view.styles.height = max(1, len(lines))

    @property
    def _at(self) -> int | None:
        target = self.query_one("#entries", LinesView).target
        return int(target) if target else None

    def _ask(self, number: int | None) -> None:
        self.ask(self._edit(number))

    async def _edit(self, number: int | None) -> None:
        title = f"{self._title}: {'a new one' if number is None else number + 1}"
        before = {} if number is None else self._tables[number]
        answer = await self.app.push_screen_wait(RecordForm(Plan(model=self._model, title=title), before))
        if answer is None:
            return
        if number is None:
            self._tables.append(answer)
        else:
            self._tables[number] = answer
        self._show()

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        event.stop()
        self._ask(int(event.target))

    def on_buttons_pressed(self, event: Buttons.Pressed) -> None:
        if event.button_id == "add":
            self._ask(None)
        else:
            self.dismiss(self._tables if event.button_id == "yes" else None)

    def on_key(self, event: events.Key) -> None:
        number = self._at
        match event.key:
            case "a" | "insert":
                self._ask(None)
            case "d" | "delete" if number is not None:
                del self._tables[number]
                self._show()
            case "J" | "K" if number is not None:
                other = number + (1 if event.key == "J" else -1)
                if 0 <= other < len(self._tables):
                    self._tables[number], self._tables[other] = self._tables[other], self._tables[number]
                    self._show()
            case "ctrl+s":
                self.dismiss(self._tables)
            case _:
                return
        event.stop()
