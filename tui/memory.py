"""What the workbench remembers of itself, from one time to the next and of each project."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

import msgspec

from core.errors import ConfigError
from tui.panes.lists import PANES
from tui.panes.rows import RowList
from tui.settings import Whereabouts

if TYPE_CHECKING:
    from tui.program import BoxwrightApp
    from tui.settings import Value, Watched
    from tui.workbench import Workbench

EVERYWHERE = "*"
_PROJECTS = 50
"""So many projects are remembered; the one that was left longest ago is forgotten first."""


class Memory:
    def __init__(self, workbench: Workbench) -> None:
        self._bench = workbench
        self._awaited: Whereabouts | None = None
        """To go to, once it is known what is there."""
        self._patient = False
        """It was described just now, and is waited for until it is listed."""

    @property
    def _settings(self) -> Watched:
        return cast("BoxwrightApp", self._bench.app).settings

    def remember(self, name: str, value: Value) -> None:
        """Of the layout. What cannot be written is forgotten, and nothing is lost but that."""
        with contextlib.suppress(ConfigError):
            self._settings.remember(f"layout.{name}", value)

    # The order of the lists.

    def _list(self, pane: str) -> RowList:
        return self._bench.query_one(f"#{pane}", RowList)

    def sort_as_before(self) -> None:
        layout = self._settings.current.layout
        for pane in PANES:
            self._list(pane).sort_by(getattr(layout, pane))

    def remember_order(self) -> None:
        listed = self._bench.lists.listed
        self.remember(listed.id or "", listed.sorted_by)

    # Where somebody was in a project.

    @property
    def _project(self) -> str:
        return self._bench.lists.project or EVERYWHERE

    def arrive(self) -> None:
        """In the project that is shown now: as it was left."""
        found = self._settings.current.layout.whereabouts.get(self._project, Whereabouts())
        for pane in PANES:
            self._list(pane).set_pattern(found.filters.get(pane, ""))
        self._bench.lists.pane = found.pane if found.pane in PANES else PANES[0]
        self._awaited, self._patient = found, False

    def go_to(self, machine: str) -> None:
        """To the machine with that key, as soon as it is listed."""
        self._bench.lists.pane = "machines"
        self._awaited, self._patient = Whereabouts(pane="machines", selected=machine), True
        self.state_changed()

    def state_changed(self) -> None:
        """The rows that were not known yet may be there now."""
        awaited, listed = self._awaited, self._bench.lists.listed
        if awaited is None or not listed.rows:
            return
        found = bool(awaited.selected) and listed.select(awaited.selected)
        if found or not self._patient:
            self._awaited = None
        if found and awaited.tab:
            self._bench.detail.open_with(awaited.selected, awaited.tab)

    def leave(self) -> None:
        """Write down where one is, where that is not so already."""
        here = Whereabouts(
            pane=self._bench.pane,
            selected=self._bench.lists.listed.selected,
            tab=self._bench.detail.chosen_tab,
            filters={pane: found for pane in PANES if (found := self._list(pane).pattern)},
        )
        known = self._settings.current.layout.whereabouts
        if self._awaited is not None or known.get(self._project) == here:
            # It was never known what is there, or nothing has changed.
            return
        kept = {project: place for project, place in known.items() if project != self._project}
        latest = [*kept.items(), (self._project, here)][-_PROJECTS:]
        self.remember("whereabouts", {project: msgspec.to_builtins(place) for project, place in latest})
