"""Choosing a theme: each one is shown on the whole workbench as the cursor comes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from core.errors import ConfigError
from tui.dialogs.base import Dialog
from tui.look.lines import clean
from tui.look.wardrobe import Wardrobe
from tui.panes import moves
from tui.panes.rows import Row, RowList

_HINT = "enter keeps it, esc goes back"


class Offered(msgspec.Struct, frozen=True):
    """A theme file: what it is called, and what is wrong with it."""

    name: str
    title: str = ""
    trouble: str = ""


def offered(wardrobe: Wardrobe) -> list[Offered]:
    """All of them, the broken ones with the reason."""
    found = []
    for name in wardrobe.names():
        try:
            found.append(Offered(name, wardrobe.look_at(name).title))
        except ConfigError as error:
            found.append(Offered(name, trouble=error.problem.why))
    return found


class ThemePicker(Dialog[str]):
    """Returns the name of the theme that is to stay; None for the one there was. ``preview`` shows one."""

    DEFAULT_CSS = """
    ThemePicker { align: right middle; background: $background 0%; }
    ThemePicker > .frame { width: 46; height: 80%; }
    ThemePicker RowList { height: 1fr; margin-top: 1; }
    """

    def __init__(self, offered: Sequence[Offered], current: str, preview: Callable[[str], None]) -> None:
        super().__init__()
        self._offered = tuple(offered)
        self._current = current
        self._preview = preview

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = "Theme"
        frame.border_subtitle = _HINT
        with frame:
            yield Input(placeholder="type a part of its name", compact=True)
            yield RowList(id="themes", title="", header=("", "theme"), flexible=1)

    def on_mount(self) -> None:
        self.query_one(RowList).can_focus = False
        self.query_one(Input).focus()
        self._show("")
        names = [theme.name for theme in self._offered]
        self.query_one(RowList).move_to(names.index(self._current) if self._current in names else 0)
        self._count()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value.strip().lower())
        self._count()

    def _show(self, text: str) -> None:
        listed = self.query_one(RowList)
        signs = listed.signs
        rows = [
            Row(
                theme.name,
                (
                    (signs.failed if theme.trouble else " ", "bad"),
                    (clean(theme.title or theme.name), "muted" if theme.trouble else "text"),
                ),
            )
            for theme in self._offered
            if text in theme.name.lower() or text in theme.title.lower()
        ]
        listed.set_rows(rows, [[("No theme has such a name.", "muted")]])

    def _count(self) -> None:
        """Which of how many: not all of them are in sight."""
        listed = self.query_one(RowList)
        place = f"{listed.cursor + 1} of {len(listed.rows)}" if listed.rows else "none"
        self.query_one(".frame", Vertical).border_title = f"Theme  {place}"

    def on_key(self, event: events.Key) -> None:
        listed = self.query_one(RowList)
        place = moves.place(event.key, listed.cursor, listed.page, len(listed.rows))
        if place is not None and not event.is_printable:
            event.stop()
            listed.move_to(place)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._keep()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._count()
        theme = self._selected()
        if theme is None:
            return
        self.query_one(".frame", Vertical).border_subtitle = "it is broken" if theme.trouble else _HINT
        if not theme.trouble:
            self._preview(theme.name)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._keep()

    def _keep(self) -> None:
        theme = self._selected()
        if theme is not None:
            self.dismiss(None if theme.trouble else theme.name)

    def _selected(self) -> Offered | None:
        name = self.query_one(RowList).selected
        return next((theme for theme in self._offered if theme.name == name), None)
