"""The place of consoles on the right side: one, or two beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.strip import Strip

from tui.console.view import ConsoleView
from tui.keys import spoken
from tui.look.painted import Painted

if TYPE_CHECKING:
    from tui.console.tabs import Console, Consoles

_WIDE = 100
"""Columns from which two consoles stand side by side; below, one above the other."""


class Divider(Painted):
    DEFAULT_CSS = "Divider { width: 1; height: 100%; display: none; }"

    def render_line(self, y: int) -> Strip:
        return self.line([(self.signs.rail, "border")], self.size.width)


class ConsoleArea(Container):
    """Views are made when they are first looked at, and stay."""

    DEFAULT_CSS = """
    ConsoleArea { height: 1fr; layout: horizontal; }
    ConsoleArea.-tall { layout: vertical; }
    ConsoleArea ConsoleView { width: 1fr; height: 1fr; }
    ConsoleArea.-split Divider { display: block; }
    ConsoleArea.-split.-tall Divider { display: none; }
    """

    class ToAll(Message):
        """The shells of all machines that are shown are to get the same keys."""

    def __init__(self, consoles: Consoles, *, frames: float) -> None:
        super().__init__(id="consoles")
        self._consoles = consoles
        self._frames = frames
        self._views: dict[str, ConsoleView] = {}
        self._shown = ""
        self._beside = ""
        """The second console, where there are two in sight."""
        self._last = ""
        """The one of the two that had the keys last."""

    @property
    def front(self) -> ConsoleView | None:
        """The one that has the keys, or would get them."""
        return self._views.get(self._last) or self._views.get(self._shown)

    def focus(self, scroll_visible: bool = True) -> Self:
        if self.front is not None:
            self.front.focus(scroll_visible)
        return self

    def show(self, console: Console) -> None:
        """Bring it to the front; the second one stays beside it."""
        if console.id not in (self._shown, self._beside):
            self._shown = self._last = console.id
        elif console.id == self._beside:
            self._shown, self._beside = self._beside, self._shown
            self._last = console.id
        self._arrange()

    def _view(self, id: str) -> ConsoleView | None:
        console = self._consoles.find(id)
        if console is None:
            return None
        if id not in self._views:
            self._views[id] = ConsoleView(console.session, frames=self._frames, id=id)
            self.mount(self._views[id])
        return self._views[id]

    def _arrange(self) -> None:
        if self._consoles.find(self._beside) is None:
            self._beside = ""
        pair = [view for view in (self._view(self._shown), self._view(self._beside)) if view is not None]
        for view in self._views.values():
            view.display = view in pair
            view.named = len(pair) > 1
        if len(pair) > 1 and self._ordered() != [view.id for view in pair]:
            self._put_in_order(pair)
        self.set_class(len(pair) > 1, "-split")
        self.set_class(self.size.width < _WIDE, "-tall")

    def _ordered(self) -> list[str | None]:
        return [child.id for child in self.children if child.display and isinstance(child, ConsoleView)]

    def _put_in_order(self, pair: list[ConsoleView]) -> None:
        """The shown one on the left, the rail between."""
        if all(view.is_attached for view in pair):
            divider = self.query_one(Divider)
            self.move_child(divider, after=pair[0])
            self.move_child(pair[1], after=divider)
        else:
            self.call_after_refresh(self._put_in_order, pair)

    def compose(self) -> ComposeResult:
        yield Divider()

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, ConsoleView) and event.widget.id in (self._shown, self._beside):
            self._last = event.widget.id or ""

    def close(self, id: str) -> ConsoleView | None:
        """Its view, which is to be removed."""
        if id == self._beside:
            self._beside = ""
        elif id == self._shown:
            self._shown, self._beside = self._beside, ""
        self._last = self._shown
        view = self._views.pop(id, None)
        self._arrange()
        return view

    # Two at once.

    def on_console_view_asked(self, event: ConsoleView.Asked) -> None:
        event.stop()
        self.perform(event.command_id)

    def perform(self, id: str) -> None:
        """A command of the registry's ``console`` group."""
        front = self.front
        if id == "console.split":
            self._split()
        elif id == "console.other":
            self._turn()
        elif id == "console.all":
            self.post_message(self.ToAll())
        elif id == "console.broadcast" and front is not None:
            self._broadcast(front)
        elif front is not None:
            front.perform(id)

    def _broadcast(self, front: ConsoleView) -> None:
        """Both that are in sight get the same keys, or no longer; one alone joins others, or leaves them."""
        if front.session.fixed:
            front.say("A recording takes no keys of others.", "warn")
        elif self._beside:
            pair = [console for id in (self._shown, self._beside) if (console := self._consoles.find(id))]
            self._consoles.broadcast([console.session for console in pair])
        else:
            self._consoles.join_or_leave(front.session)

    def _split(self) -> None:
        """With the console that was opened before this one, of any machine; again: alone."""
        before = self.front
        if self._beside:
            self._beside, self._last = "", self._shown
        else:
            others = [console.id for console in self._consoles.all if console.id != self._shown]
            if not others:
                if before is not None:
                    before.say(f"There is no other console yet: {self._opens(before)}.", "warn")
                return
            self._beside = others[-1]
        self._arrange()
        if self._beside:
            self._views[self._beside].looked_at()
        if before is not None and self.front is not None:
            self.front.keyboard.typing = before.keyboard.typing
        self.focus()

    def _opens(self, view: ConsoleView) -> str:
        shell, both = (spoken(view.keymap.key(id)) for id in ("machine.ssh", "console.split"))
        return f"{shell} opens one, then {both} shows both"

    def _turn(self) -> None:
        if not self._beside:
            if self.front is not None:
                self.front.say(f"There is no other console beside it: {self._opens(self.front)}.", "warn")
            return
        before = self.front
        self._last = self._beside if self._last == self._shown else self._shown
        if before is not None and self.front is not None:
            self.front.keyboard.typing = before.keyboard.typing
        self.focus()
