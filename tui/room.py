"""How much room each side of the workbench has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.settings import Screen as Mode

if TYPE_CHECKING:
    from tui.workbench import Workbench

NARROW = 100
"""Columns below which lists and details are shown one at a time."""


class Room:
    def __init__(self, workbench: Workbench) -> None:
        self._bench = workbench
        self._mode = Mode.NORMAL

    def turn(self, way: int) -> None:
        """Round from normal over half to full, for the side with the keys."""
        modes = list(Mode)
        self._choose(modes[(modes.index(self._mode) + way) % len(modes)])

    def fill(self) -> None:
        self._choose(Mode.NORMAL if self._mode is Mode.FULL else Mode.FULL)

    def _choose(self, mode: Mode) -> None:
        if self._bench.has_class("-narrow"):
            # Nothing would be seen of it, here, and later it would be a surprise.
            self._bench.say(f"Below {NARROW} columns this side has all the room already.", "muted")
        else:
            self.show(mode)

    def show(self, mode: Mode, *, remember: bool = True) -> None:
        self._mode = mode
        for one in Mode:
            self._bench.set_class(one is mode, f"-{one.value}")
        self._bench.call_after_refresh(self._bench.refresh_choice)
        if remember:
            self._bench.memory.remember("screen", mode.value)

    def fit(self, width: int) -> None:
        """In columns of the terminal."""
        self._bench.set_class(width < NARROW, "-narrow")
