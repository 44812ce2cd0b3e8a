"""All commands in a list that narrows as one types; those that are not possible now say why."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from tui.dialogs.base import Dialog
from tui.look.lines import Part
from tui.panes.rows import Row, RowList


class Entry(msgspec.Struct, frozen=True):
    id: str
    title: str
    name: str
    """As typed at the prompt and on the command line."""
    key: str
    help: str
    reason: str = ""
    """Why it is not possible now."""


_DOES = {"command": "does it", "recording": "plays it", "snapshot": "takes it"}
"""What enter does with what is listed, where it is no place to go to."""


class Palette(Dialog[str]):
    """Returns the id of the chosen command."""

    DEFAULT_CSS = """
    Palette > .frame { height: 80%; }
    Palette RowList { height: 1fr; margin-top: 1; }
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        noun: str = "command",
        empty: str = "",
        title: str = "",
        about: str = "does",
    ) -> None:
        """``empty``: said where there are no entries. ``about``: the heading of what is said of each."""
        super().__init__()
        self._about = about
        self._entries = tuple(entries)
        self._noun = noun
        self._empty = empty
        self._title = title or f"{noun.capitalize()}s"

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = self._title.replace("[", "\\[")
        frame.border_subtitle = f"enter {_DOES.get(self._noun, 'goes there')}, esc closes"
        with frame:
            yield Input(placeholder=f"type a part of a {self._noun}'s name", compact=True)
            yield RowList(id="entries", title="", header=("", self._noun, "key", self._about), flexible=3)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, text: str) -> None:
        found = sorted(
            (entry for entry in self._entries if _rank(entry, text) is not None),
            key=lambda entry: (_rank(entry, text), bool(entry.reason)),
        )
        signs = self.query_one(RowList).signs
        rows = []
        for entry in found:
            mark: Part = (signs.skipped, "muted") if entry.reason else (" ", "text")
            role = "muted" if entry.reason else "text"
            rows.append(
                Row(
                    entry.id,
                    (
                        mark,
                        (entry.name, role),
                        (entry.key, "muted" if entry.reason else "accent"),
                        (entry.reason or entry.help, "muted"),
                    ),
                )
            )
        listed = self.query_one(RowList)
        listed.cursor = 0
        nothing = f"No {self._noun} has such a name." if self._entries else self._empty
        listed.set_rows(rows, [[(nothing, "muted")]])
        listed.cursor = 0
        listed.refresh()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._choose()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def _choose(self) -> None:
        chosen = self.query_one(RowList).selected
        if chosen:
            self.dismiss(chosen)

    def on_key(self, event: events.Key) -> None:
        listed = self.query_one(RowList)
        moves = {"up": -1, "down": 1, "pageup": -listed.page, "pagedown": listed.page}
        if event.key in moves:
            event.stop()
            listed.move_to(listed.cursor + moves[event.key])


def _rank(entry: Entry, text: str) -> int | None:
    """0 for a name that begins so, 1 for a word in it, 2 for a part, and so on; None for no match."""
    wanted = text.strip().lower()
    names = (entry.name.lower(), entry.title.lower())
    if any(name.startswith(wanted) for name in names):
        return 0
    if any(word.startswith(wanted) for name in names for word in name.split()):
        return 1
    if any(wanted in name for name in names):
        return 2
    letters = iter(entry.name.lower())
    if all(letter in letters for letter in wanted):
        return 3
    return 4 if wanted in entry.help.lower() else None
