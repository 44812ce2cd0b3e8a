"""The last line: what the keys do now. What is not possible is grey."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.look.lines import Part, clean, cut, width_of
from tui.look.painted import Painted


class Item(msgspec.Struct, frozen=True):
    id: str
    key: str
    title: str
    possible: bool = True
    help: str = ""
    """What it does, or why it is not possible: shown where the mouse rests on it."""


class Footer(Painted):
    """Items that do not fit are left out, the last ones first; ``fixed`` ones stay. A message takes the
    line for a while."""

    ground = "panel"

    class Picked(Message):
        def __init__(self, id: str) -> None:
            super().__init__()
            self.command_id = id

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._items: tuple[Item, ...] = ()
        self._fixed: tuple[Item, ...] = ()
        self._note: tuple[str, str] | None = None
        self._spans: list[tuple[int, int, str]] = []

    def set_items(self, items: Sequence[Item], fixed: Sequence[Item]) -> None:
        if (tuple(items), tuple(fixed)) != (self._items, self._fixed):
            self._items, self._fixed = tuple(items), tuple(fixed)
            self.refresh()

    def say(self, text: str, role: str = "accent") -> None:
        """Show a message in place of the keys, until ``quiet``."""
        self._note = (text, role)
        self.refresh()

    def quiet(self) -> None:
        if self._note is not None:
            self._note = None
            self.refresh()

    @property
    def note(self) -> str:
        return self._note[0] if self._note else ""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        self._spans = []
        if self._note is not None:
            text, role = self._note
            return self.line([(" ", "text"), (cut(clean(text), width - 2, self.signs.ellipsis), role)], width)
        fixed = [self._parts(item) for item in self._fixed]
        room = width - 1 - sum(width_of(parts) for parts in fixed)
        out: list[Part] = [(" ", "text")]
        column = 1
        for item in self._items:
            parts = self._parts(item)
            size = width_of(parts)
            if size > room - 1:
                break
            self._spans.append((column, column + size, item.id))
            out += parts
            column, room = column + size, room - size
        gap = max(0, room)
        out.append((" " * gap, "text"))
        column += gap
        for item, parts in zip(self._fixed, fixed, strict=True):
            self._spans.append((column, column + width_of(parts), item.id))
            out += parts
            column += width_of(parts)
        return self.line(out, width)

    def _parts(self, item: Item) -> list[Part]:
        if not item.possible:
            return [(f"{item.key} {item.title}  ", "muted")]
        return [(item.key, "!accent"), (f" {item.title}  ", "text")]

    def tip_at(self, x: int, y: int) -> str:
        here = next((id for start, end, id in self._spans if start <= x < end), "")
        item = next((item for item in (*self._items, *self._fixed) if item.id == here), None)
        return item.help if item is not None else ""

    def on_click(self, event: events.Click) -> None:
        for start, end, id in self._spans:
            if start <= event.x < end:
                self.post_message(self.Picked(id))
