"""The left side: machines, boxes and builds, and what is selected or marked in them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from textual.app import ComposeResult
from textual.containers import Vertical

from core.commands import Subject
from tui import choice as choices
from tui import tips
from tui.choice import NOTHING, Choice
from tui.keys import spoken
from tui.look.lines import Part
from tui.panes import content
from tui.panes.rows import RowList

if TYPE_CHECKING:
    from tui.bridge import Bridge
    from tui.look.look import Look
    from tui.workbench import Workbench

PANES = ("machines", "boxes", "builds")
_KINDS = {"machines": Subject.MACHINE, "boxes": Subject.BOX, "builds": Subject.BUILD}
_MACHINES = ("", "name", "state", "provider")
_BOXES = ("", "name", "version", "for", "size")
_MACHINES_OF_ALL = ("", "name", "project", "state", "provider")
_BUILDS = ("", "name", "state", "")
_BUILDS_OF_ALL = ("", "name", "project", "state", "")


class Lists(Vertical):
    """Shows the bridge's state; holds nothing but where one is."""

    def __init__(self, bridge: Bridge, look: Look, *, id: str) -> None:
        super().__init__(id=id)
        self._bridge = bridge
        self._look = look
        self._machine_rows = content.MachineRows()
        self._box_rows = content.BoxRows()
        self.everywhere = not bridge.project
        """Machines and builds of all projects are listed."""
        self.pane = PANES[0]
        """The list that has, or had, the keys."""
        self.machines = RowList(
            id="machines", title="1 Machines", header=_MACHINES, flexible=4, columns=tips.MACHINES
        )
        self.boxes = RowList(
            id="boxes", title="2 Boxes", header=_BOXES, flexible=1, least=20, columns=tips.BOXES
        )
        self.builds = RowList(id="builds", title="3 Builds", header=_BUILDS, flexible=3, columns=tips.BUILDS)

    def compose(self) -> ComposeResult:
        yield self.machines
        yield self.boxes
        yield self.builds

    # What they show.

    @property
    def project(self) -> str:
        """The project whose machines are shown, "" for all."""
        return "" if self.everywhere else self._bridge.project

    def state_changed(self, changed: frozenset[str]) -> None:
        state, signs = self._bridge.state, self._look.signs
        kinds = {key.partition(":")[0] for key in changed}
        everything = "*" in changed
        if everything or kinds & {"machine", "operation", "step", "project"}:
            self.machines.header = _MACHINES if self.project else _MACHINES_OF_ALL
            self.machines.flexible = len(self.machines.header)
            rows = self._machine_rows(state, self.project, signs)
            self.machines.set_rows(rows, self._machines_hint())
        if everything or kinds & {"box", "machine", "operation", "step"}:
            self.boxes.set_rows(
                self._box_rows(state, signs), self._hint("No box yet.", "box.add", "adds one")
            )
        if everything or kinds & {"project", "operation", "step"}:
            self.builds.header = _BUILDS if self.project else _BUILDS_OF_ALL
            self.builds.flexible = len(self.builds.header) - 1
            rows = content.build_rows(state, self.project, signs, time.time())
            self.builds.set_rows(rows, self._builds_hint())

    def _machines_hint(self) -> Sequence[Sequence[Part]]:
        view = self._bridge.state.projects.get(self._bridge.project)
        if not self._bridge.state.seq:
            return [[("connecting to the engine", "muted")]]
        if view is not None and view.problem is not None:
            return [[("The project cannot be read:", "bad")], [("see the right side (enter).", "muted")]]
        if not self._bridge.project:
            return self._hint("No project here.", "workbench.new", "describes a machine")
        return self._hint("No machine yet.", "workbench.new", "describes one")

    def _builds_hint(self) -> Sequence[Sequence[Part]]:
        view = self._bridge.state.projects.get(self.project)
        if view is not None and view.problem is not None:
            return self._hint("No build here.", "workbench.editor", "opens the project's file")
        if not self.project:
            others = bool(self._bridge.state.projects or self._bridge.state.machines)
            id, does = (
                ("workbench.everywhere", "chooses a project")
                if others
                else ("workbench.new", "begins a project")
            )
            return self._hint("No build in any project.", id, does)
        if view is None:
            return [[("No build here.", "muted")]]
        return self._hint(
            "No build in this project.", "workbench.editor", "opens its file, for a table [builds.NAME]"
        )

    def _hint(self, what: str, id: str, does: str) -> list[list[Part]]:
        """``id``: of the command that comes next, of which the user's key is named."""
        key = spoken(cast("Workbench", self.screen).keymap.key(id))
        return [[(what, "muted")], [(key, "!accent"), (f" {does}", "muted")] if key else []]

    # What is selected.

    @property
    def kind(self) -> Subject:
        """The kind of things that the keys are about."""
        return _KINDS[self.pane]

    @property
    def listed(self) -> RowList:
        """The list that has, or had, the keys."""
        return {"machines": self.machines, "boxes": self.boxes, "builds": self.builds}[self.pane]

    @property
    def choice(self) -> Choice:
        """What is selected in that list; without that, just the project."""
        choice = self._choice_of(self.listed.selected)
        return choice if choice.project else msgspec.structs.replace(choice, project=self._bridge.project)

    def marked(self, kind: Subject) -> list[Choice]:
        """What is marked in the list, where it lists things of that kind."""
        if self.kind is not kind:
            return []
        return [self._choice_of(key) for key in self.listed.marked]

    def choice_for(self, kind: Subject) -> Choice:
        """The one thing that is marked, else what is selected."""
        marked = self.marked(kind)
        return marked[0] if len(marked) == 1 else self.choice

    def _choice_of(self, selected: str) -> Choice:
        state = self._bridge.state
        if not selected:
            return NOTHING
        if self.pane == "machines":
            return choices.machine_choice(state, selected)
        if self.pane == "boxes":
            return choices.box_choice(state, selected)
        project, _, name = selected.removeprefix("build:").rpartition(":")
        return choices.build_choice(state, project, name)

    # Where one is.

    def show_everywhere(self) -> None:
        """Machines and builds of all projects, from now on."""
        self.everywhere = True
        self._bridge.want_everywhere()

    def go_to(self, pane: str, key: str) -> None:
        """Select the machine or build with that key; where it is of another project, among those of all."""
        self.pane = pane
        if not self.listed.select(key):
            self.show_everywhere()
            self.state_changed(frozenset("*"))
            self.listed.select(key)

    def clear_filter(self) -> bool:
        """False where there was none."""
        if not self.listed.pattern:
            return False
        self.listed.set_pattern("")
        return True
