"""Lines to look at: scrolled, and with a cursor on those that can be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui import tips
from tui.look.lines import Part, part_at, width_of
from tui.look.painted import Painted

_WHEEL = 3


class LinesView(Painted, can_focus=True):
    """Holds lines as parts. ``targets`` names the lines that the cursor can stand on."""

    class Chosen(Message):
        """Enter on a line that has a target."""

        def __init__(self, view: LinesView, target: str) -> None:
            super().__init__()
            self.view = view
            self.target = target

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Part]] = ()
        self._targets: Mapping[int, str] = {}
        self._whole: Mapping[int, str] = {}
        self.target = ""
        """Of the line with the cursor, "" without one."""
        self._top = 0
        self.follow = False
        """Stay at the end as lines are added, until somebody scrolls up."""

    def set_lines(
        self,
        lines: Sequence[Sequence[Part]],
        targets: Mapping[int, str] | None = None,
        whole: Mapping[int, str] | None = None,
    ) -> None:
        """Replace everything; position and cursor stay where they were as far as possible. ``whole``: what
        lines say that are cut."""
        self._whole = whole or {}
        at_end = self.follow and self._top >= self._last_top
        if lines == self._lines and (targets or {}) == self._targets:
            return
        self._lines, self._targets = lines, targets or {}
        if self.target and self.target not in self._targets.values():
            self.target = ""
        self._mark_first()
        self._top = self._last_top if at_end else min(self._top, self._last_top)
        self.refresh()

    @property
    def text(self) -> str:
        """Everything as plain text."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    @property
    def _last_top(self) -> int:
        return max(0, len(self._lines) - self.size.height)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        number = y + self._top
        if number >= len(self._lines):
            return self.blank(width)
        more = y == 0 and self._top > 0, y == self.size.height - 1 and self._top < self._last_top
        room = width - 1 if any(more) else width
        strip = self._drawn(number, room)
        if any(more):
            mark = "^" if more[0] else "v"
            if self.look.terminal.unicode:
                mark = "↑" if more[0] else "↓"
            strip = Strip.join([strip, self.line([(mark, "accent")], 1)])
        return strip

    def _drawn(self, number: int, room: int) -> Strip:
        parts = self._lines[number]
        cut_off = width_of(parts) > room > 1
        shown = room - 1 if cut_off else room
        target = self._targets.get(number)
        if target is not None and target == self.target:
            strip = self.selected_line(parts, shown, focused=self.has_focus)
        else:
            strip = self.line(parts, shown)
        return Strip.join([strip, self.line([(self.signs.ellipsis, "muted")], 1)]) if cut_off else strip

    def tip_at(self, x: int, y: int) -> str:
        number = y + self._top
        if number >= len(self._lines):
            return ""
        text, role = part_at(self._lines[number], x)
        found = tips.of_sign(text.strip(), role, self.signs) if len(text.strip()) == 1 else ""
        if found or width_of(self._lines[number]) <= self.size.width:
            return found or self._whole.get(number, "")
        return "".join(text for text, _ in self._lines[number]).strip()

    def on_resize(self) -> None:
        self._top = min(self._top, self._last_top)
        if self.follow:
            self._top = self._last_top
        self._mark_first()
        # It may have been drawn before its size was known here.
        self.refresh()

    def on_focus(self) -> None:
        # Before ``has_focus`` is true.
        self._mark_first(focused=True)
        self.refresh()

    def _mark_first(self, *, focused: bool = False) -> None:
        """With the keys there is always a cursor, where there is something to choose, and it is seen."""
        if (focused or self.has_focus) and not self.target and self._targets:
            numbers = sorted(self._targets)
            self.target = self._targets[next((one for one in numbers if one >= self._top), numbers[-1])]

    def on_blur(self) -> None:
        self.refresh()

    def show(self, line: int) -> None:
        """Scroll so that ``line`` is the first one, as far as that goes."""
        self._scroll(line)

    def _scroll(self, top: int) -> None:
        top = max(0, min(top, self._last_top))
        if top != self._top:
            self._top = top
            self.refresh()

    def _step(self, way: int) -> None:
        """Move the cursor to the next target, or scroll where there are none."""
        numbers = sorted(self._targets)
        if not numbers:
            self._scroll(self._top + way)
            return
        here = next((number for number, name in self._targets.items() if name == self.target), -1)
        if here < 0:
            ahead = numbers if way > 0 else numbers[::-1]
        else:
            ahead = [number for number in numbers if (number - here) * way > 0]
            ahead = ahead if way > 0 else ahead[::-1]
        if ahead:
            self.target = self._targets[ahead[0]]
            height = self.size.height
            top = min(self._top, ahead[0])
            self._top = max(top, ahead[0] - height + 1)
            self.refresh()
        else:
            self._scroll(self._top + way)

    def take(self, event: events.Key) -> bool:
        page = max(1, self.size.height - 1)
        match event.key:
            case "up" | "k":
                self._step(-1)
            case "down" | "j":
                self._step(1)
            case "pageup":
                self._scroll(self._top - page)
            case "pagedown" | "space":
                self._scroll(self._top + page)
            case "home" | "g":
                self._scroll(0)
            case "end" | "G":
                self._scroll(self._last_top)
            case "enter" if self.target:
                self.post_message(self.Chosen(self, self.target))
            case _:
                return False
        return True

    def on_click(self, event: events.Click) -> None:
        target = self._targets.get(event.y + self._top)
        if target is None:
            return
        if target == self.target:
            self.post_message(self.Chosen(self, target))
        self.target = target
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(self._top + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(self._top - _WHEEL)
