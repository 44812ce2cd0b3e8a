"""Whoever is here for the first time: is told of the tour until it was seen, or is not needed any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.keys import spoken

if TYPE_CHECKING:
    from tui.program import BoxwrightApp

TOUR = "workbench.tour"
_HANDFUL = 6
"""So many different commands by key show that somebody finds the way."""


class Newcomer:
    def __init__(self, app: BoxwrightApp, *, here: bool) -> None:
        self._app = app
        self.here = here
        """The last line offers the tour."""
        self._greeted = False
        self._used: set[str] = set()

    def greet(self) -> None:
        """As soon as it is known what is there: with a page where there is nothing yet, else with a line."""
        bench, bridge = self._app.workbench, self._app.bridge
        if not self.here or self._greeted or not bridge.state.seq:
            return
        self._greeted = True
        bench.refresh_footer()
        if bench.greeting:
            return
        if bridge.project or bridge.state.machines:
            key = spoken(bench.keymap.key(TOUR))
            bench.say(f"Here for the first time? {key} shows the few keys to know.", "accent")
        else:
            bench.actions.perform_id(TOUR)

    def uses(self, id: str) -> None:
        """A command was given."""
        self._used.add(id)
        if self.here and (id == TOUR or len(self._used) >= _HANDFUL):
            self.here = False
            self._app.remember("layout.toured", True)
            self._app.workbench.refresh_footer()
