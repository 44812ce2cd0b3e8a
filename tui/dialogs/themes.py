"""Choosing a theme: each one is shown on the whole workbench as the cursor comes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical

from core.errors import ConfigError
from tui.dialogs.base import Dialog
from tui.look.lines import clean
from tui.look.wardrobe import Wardrobe
from tui.panes.rows import Row, RowList


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
    ThemePicker RowList { height: 1fr; }
    """

    def __init__(self, offered: Sequence[Offered], current: str, preview: Callable[[str], None]) -> None:
        super().__init__()
        self._offered = tuple(offered)
        self._current = current
        self._preview = preview

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = "Theme"
        frame.border_subtitle = "enter keeps it, esc goes back"
        with frame:
            yield RowList(id="themes", title="", header=("", "theme"), flexible=1)

    def on_mount(self) -> None:
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
        ]
        listed.set_rows(rows)
        names = [theme.name for theme in self._offered]
        listed.move_to(names.index(self._current) if self._current in names else 0)
        listed.focus()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        theme = self._selected()
        frame = self.query_one(".frame", Vertical)
        frame.border_subtitle = "it is broken" if theme.trouble else "enter keeps it, esc goes back"
        if not theme.trouble:
            self._preview(theme.name)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        theme = self._selected()
        self.dismiss(None if theme.trouble else theme.name)

    def _selected(self) -> Offered:
        name = self.query_one(RowList).selected
        return next(theme for theme in self._offered if theme.name == name)
