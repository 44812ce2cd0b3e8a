"""When a console is drawn: the first change at once, then by frames, in a flood fewer, after keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui.console.screen import Screen
from tui.console.turns import TURNS

if TYPE_CHECKING:
    from tui.console.view import ConsoleView

_FLOODED = 1 / 15
"""Seconds between two frames of a console that is flooded."""
_UNSEEN = 0.05
"""Seconds between two looks at one that is not in sight, whose tab may have to say something new."""
_HELD_LONGEST = 0.15
"""Seconds for which a guest may hold back a frame (synchronized output)."""


class Frames:
    """Of one view."""

    def __init__(self, view: ConsoleView, rate: float) -> None:
        self._view = view
        self._interval = 1 / rate
        self._timer: Timer | None = None
        self._last = 0.0
        self._held_since = 0.0

    def changed(self) -> None:
        """Draw now if the last frame is long enough ago, else when its time has come."""
        view = self._view
        if self._timer is not None or not view.is_attached:
            return
        if not view.visible_here:
            self._timer = view.set_timer(_UNSEEN, self._due)
            return
        view.tell()
        wait = self._last + self._rest - time.monotonic()
        wait = max(wait, TURNS.hush(view.session, time.perf_counter()))
        if wait <= 0:
            view.draw()
        else:
            self._timer = view.set_timer(wait, self._due)

    @property
    def _rest(self) -> float:
        """Seconds between two frames. What goes on to flood cannot be read at any rate."""
        slowed = self._view.session.flood.slowed(time.perf_counter())
        return max(self._interval, _FLOODED) if slowed else self._interval

    def _due(self) -> None:
        self._timer = None
        wait = TURNS.hush(self._view.session, time.perf_counter())
        if wait:
            self._timer = self._view.set_timer(wait, self._due)
            return
        self._view.tell()
        if self._view.visible_here:
            self._view.draw()

    def begin(self, screen: Screen) -> bool:
        """A frame begins; False where the guest is in the middle of one: it is drawn later."""
        now = time.monotonic()
        if screen.held:
            self._held_since = self._held_since or now
            if now - self._held_since < _HELD_LONGEST:
                self._timer = self._timer or self._view.set_timer(self._interval, self._due)
                return False
        self._held_since = 0.0
        self._last = now
        return True

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
