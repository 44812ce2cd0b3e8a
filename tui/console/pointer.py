"""The mouse over a console: told to the guest where it asked for it, else it selects and scrolls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual import events

from tui.console import mouse
from tui.console.mouse import Action, MouseEvent

if TYPE_CHECKING:
    from tui.console.view import ConsoleView

_DOUBLE = 0.4
_WHEEL = 3
_WHEELS = {
    events.MouseScrollUp: mouse.WHEEL_UP,
    events.MouseScrollDown: mouse.WHEEL_DOWN,
    events.MouseScrollLeft: mouse.WHEEL_LEFT,
    events.MouseScrollRight: mouse.WHEEL_RIGHT,
}


class Pointer:
    """``shift`` (or ``alt``, where the terminal keeps shift for itself) selects in spite of the guest."""

    def __init__(self, view: ConsoleView) -> None:
        self._view = view
        self._pressed: tuple[float, int, int] = (0.0, -1, -1)
        self._clicks = 0
        self._selects = False
        self._told = False
        """The press was the guest's: so is what follows."""

    def _event(self, event: events.MouseEvent, action: Action) -> MouseEvent:
        columns, rows = self._view.guest_size
        button = event.button - 1 if event.button else mouse.NONE
        return MouseEvent(
            action,
            _WHEELS.get(type(event), button),
            min(max(0, int(event.x)), columns - 1),
            min(max(0, int(event.y)), rows - 1),
            event.shift,
            event.meta,
            event.ctrl,
        )

    def _tell(self, event: MouseEvent) -> bool:
        screen = self._view.session.screen
        data = mouse.told(screen, event) if screen is not None else None
        if data:
            self._view.session.send(data)
        return data is not None

    def down(self, event: events.MouseDown) -> None:
        told = self._event(event, Action.PRESS)
        self._told = not (event.shift or event.meta) and self._tell(told)
        if self._told:
            self._view.capture_mouse()
            return
        if event.button != 1:
            return
        address = self._view.address_at(told.x, told.y)
        if event.ctrl and address:
            self._view.copy(address)
            return
        now, x, y = self._pressed
        again = time.monotonic() - now < _DOUBLE and (x, y) == (told.x, told.y)
        self._clicks = self._clicks % 3 + 1 if again else 1
        self._pressed = time.monotonic(), told.x, told.y
        self._selects = True
        self._view.capture_mouse()
        lookback = self._view.look_back()
        if lookback is not None:
            if self._clicks == 1:
                # Only a drag selects; a click puts the cursor there.
                lookback.anchor = None
                lookback.point(told.x, told.y)
            else:
                lookback.press(told.x, told.y, self._clicks)
            self._view.redraw()

    def moved(self, event: events.MouseMove) -> None:
        told = self._event(event, Action.MOVE)
        if self._selects:
            lookback = self._view.lookback
            if lookback is None:
                return
            if lookback.anchor is None:
                if (told.x, told.y) == self._pressed[1:]:
                    return
                lookback.press(*self._pressed[1:], 1)
            lookback.drag(told.x, int(event.y))
            self._view.redraw()
        elif self._told or not event.button:
            self._tell(told)
            self._view.point_at(told.x, told.y)

    def up(self, event: events.MouseUp) -> None:
        self._view.release_mouse()
        if self._told:
            self._told = False
            self._tell(self._event(event, Action.RELEASE))
        elif self._selects:
            self._selects = False
            lookback = self._view.lookback
            if lookback is not None and lookback.anchor is not None:
                self._view.copy(lookback.text())
            else:
                self._view.stop_looking_back()

    def wheel(self, event: events.MouseEvent) -> None:
        told = self._event(event, Action.PRESS)
        if (event.shift or not self._tell(told)) and told.button in (mouse.WHEEL_UP, mouse.WHEEL_DOWN):
            self._view.scroll_back(-_WHEEL if told.button == mouse.WHEEL_UP else _WHEEL)
