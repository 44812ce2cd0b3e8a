"""Choosing what a machine is made of: this project's builds, the store, the catalogue server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from core.errors import BoxwrightError
from tui.dialogs.base import Dialog
from tui.look.lines import Part, clean
from tui.panes.rows import Row, RowList

Search = Callable[[str], Awaitable[list[dict[str, Any]]]]
"""Asks the catalogue server. Raises BoxwrightError."""


class Offer(msgspec.Struct, frozen=True):
    """Something that a machine can be made of."""

    name: str
    version: str = ""
    providers: str = ""
    where: str = ""
    value: Any = None
    """For the project file; None for the name itself."""

    @property
    def box(self) -> Any:
        return self.name if self.value is None else self.value


class BoxPicker(Dialog[Any]):
    """Returns a box's name, or a table such as ``{"build": "base"}``."""

    DEFAULT_CSS = """
    BoxPicker > .frame { height: 80%; }
    BoxPicker RowList { height: 1fr; margin-top: 1; }
    """

    def __init__(self, known: Sequence[Offer], search: Search, text: str = "") -> None:
        super().__init__()
        self._known = tuple(known)
        self._found: tuple[Offer, ...] = ()
        self._search = search
        self._text = text
        self._said = ""

    def compose(self) -> ComposeResult:
        frame = Vertical(classes="frame")
        frame.border_title = "Box"
        frame.border_subtitle = "enter chooses, ctrl+f asks the catalogue server, esc closes"
        with frame:
            yield Input(self._text, placeholder="a part of its name, a file or an address", compact=True)
            yield RowList(id="offers", title="", header=("name", "version", "for", "where"), flexible=0)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._found, self._said = (), ""
        self._show()

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value.strip()

    def _offers(self) -> dict[str, Offer]:
        text = self._typed.lower()
        offers = [offer for offer in self._known if text in offer.name.lower()]
        names = {offer.name for offer in offers}
        offers += [offer for offer in self._found if offer.name not in names]
        if self._typed and self._typed not in {offer.name for offer in offers}:
            offers.append(Offer(self._typed, where="as it is typed"))
        return {f"{number}": offer for number, offer in enumerate(offers)}

    def _show(self) -> None:
        rows = [
            Row(
                key,
                (
                    (clean(offer.name), "text"),
                    (clean(offer.version), "muted"),
                    (clean(offer.providers), "muted"),
                    (clean(offer.where), "muted"),
                ),
            )
            for key, offer in self._offers().items()
        ]
        empty: list[list[Part]] = [[("Nothing here yet: type a name.", "muted")]]
        listed = self.query_one(RowList)
        listed.set_rows(rows, empty)
        frame = self.query_one(".frame", Vertical)
        frame.border_title = f"Box: {self._said}" if self._said else "Box"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._choose()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def _choose(self) -> None:
        offer = self._offers().get(self.query_one(RowList).selected)
        if offer is not None:
            self.dismiss(offer.box)

    def on_key(self, event: events.Key) -> None:
        listed = self.query_one(RowList)
        moves = {"up": -1, "down": 1, "pageup": -listed.page, "pagedown": listed.page}
        if event.key in moves:
            event.stop()
            listed.move_to(listed.cursor + moves[event.key])
        elif event.key == "ctrl+f" and self._typed:
            event.stop()
            self.run_worker(self._ask(self._typed), exclusive=True)

    async def _ask(self, text: str) -> None:
        self._said = f"asking for {clean(text)!r}"
        self._show()
        try:
            entries = await self._search(text)
        except BoxwrightError as error:
            self._said = error.problem.what
            self._show()
            return
        if text != self._typed:
            return
        self._found = tuple(
            Offer(
                str(entry["name"]),
                str(entry["version"]),
                ", ".join(entry["providers"]),
                "in the store" if entry["here"] else "catalogue",
            )
            for entry in entries
        )
        self._said = f"{len(self._found)} found for {clean(text)!r}"
        self._show()
