"""Going from one project to another, or to the machines of all of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from core import amounts
from core.model.machine import MachineState
from tui.dialogs.palette import Entry
from tui.panes.content import project_titles
from tui.store import State

if TYPE_CHECKING:
    from tui.actions import Actions
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

ALL = "all"
"""The entry for the machines of all projects."""


class Switching:
    def __init__(self, actions: Actions, app: BoxwrightApp, workbench: Workbench) -> None:
        self._actions = actions
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge

    async def ask(self) -> None:
        """In a list that narrows as one types; what is not shown now comes first."""
        from tui.dialogs.palette import Palette

        entries = offered(self._bridge.state, self._bridge.project, everywhere=self._bench.lists.everywhere)
        chosen = await self._app.push_screen_wait(Palette(entries, "project", about="folder"))
        if chosen == ALL:
            self.show_all()
        elif chosen:
            self.go_to(chosen)

    def show_all(self) -> None:
        self._bench.memory.leave()
        self._bench.lists.show_everywhere()
        self._actions.aside(self._bridge.refresh())
        self._arrive()

    def show_one(self) -> None:
        """Where there is one; else those of all."""
        self._bench.memory.leave()
        self._bench.lists.everywhere = not self._bridge.project
        self._arrive()

    def go_to(self, root: str) -> None:
        self._bench.memory.leave()
        self._bridge.project = root
        self._bridge.want_project(root)
        self._bench.lists.everywhere = False
        self._arrive()

    def _arrive(self) -> None:
        self._bench.memory.arrive()
        self._bench.state_changed(frozenset("*"))
        self._bench.focus_list(self._bench.pane)


def offered(state: State, project: str, *, everywhere: bool) -> list[Entry]:
    """All machines of all projects, then each project; the one that is shown now is the last."""
    roots = {machine.key.project for machine in state.machines.values()} | set(state.projects)
    roots |= {project} if project else set()
    titles = project_titles(state, roots)
    count = Counter(machine.key.project for machine in state.machines.values())
    running = Counter(
        machine.key.project for machine in state.machines.values() if machine.state is MachineState.RUNNING
    )
    found = [
        Entry(root, titles[root], titles[root], "", _told(root, count[root], running[root]))
        for root in sorted(roots, key=lambda root: (root == project and not everywhere, titles[root], root))
    ]
    all_of_them = Entry(ALL, "all projects", "all projects", "", _told("", count.total(), running.total()))
    return [*found, all_of_them] if everywhere else [all_of_them, *found]


def _told(root: str, machines: int, running: int) -> str:
    home = str(Path.home())
    place = "~" + root[len(home) :] if root.startswith(home + "/") else root
    words = [amounts.count(machines, "machine"), f"{running} running" if running else "", place]
    return "  ".join(filter(None, words))
