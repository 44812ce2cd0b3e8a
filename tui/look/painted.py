"""The base of widgets that draw their lines themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tui.look import lines

if TYPE_CHECKING:
    from tui.look.look import Look
    from tui.look.signs import Signs


class Painted(Widget):
    """Draws with the roles of the app's :class:`~tui.look.look.Look`."""

    ALLOW_SELECT = False

    @property
    def look(self) -> Look:
        app: Any = self.app
        look: Look = app.look
        return look

    @property
    def signs(self) -> Signs:
        return self.look.signs

    def on_key(self, event: events.Key) -> None:
        """A screen that hands out keys is asked first: they may be for what is only about to have them."""
        if not getattr(self.screen, "hands_out_keys", False) and self.take(event):
            event.stop()

    def take(self, event: events.Key) -> bool:
        """Do what the key says here. False: nothing."""
        return False

    def on_mouse_move(self, event: events.MouseMove) -> None:
        place = event.get_content_offset(self)
        tip = self.tip_at(place.x, place.y) if place is not None else ""
        if (self.tooltip or "") != tip.replace("[", "\\["):
            # Names may hold brackets, which are no markup here.
            self.tooltip = tip.replace("[", "\\[") or None

    def tip_at(self, x: int, y: int) -> str:
        """What is told where the mouse rests, counted from the first cell inside the border; "": nothing."""
        return ""

    ground = "background"
    """Role of the background."""

    def role(self, role: str) -> Style:
        return self.look.style(role, on=self.ground)

    def line(self, parts: Iterable[lines.Part], width: int) -> Strip:
        return lines.strip(parts, width, self.role, self.role("text"))

    def blank(self, width: int) -> Strip:
        return self.line((), width)

    def selected_line(self, parts: Iterable[lines.Part], width: int, *, focused: bool) -> Strip:
        def style(role: str) -> Style:
            return self.look.selected(role, focused=focused)

        return lines.strip(parts, width, style, style("text"))
