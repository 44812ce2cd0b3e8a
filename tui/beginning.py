"""A new machine or a new project: where it is to be is asked where that is not clear."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.model.machine import MachineKey
from core.projects.reader import PROJECT_FILE
from tui.dialogs.palette import Entry, Palette
from tui.panes.content import project_titles

if TYPE_CHECKING:
    from tui.program import BoxwrightApp
    from tui.workbench import Workbench

_NEW = "new"
"""The entry for a project that is not there yet."""


class Beginning:
    def __init__(self, app: BoxwrightApp, workbench: Workbench) -> None:
        self._app = app
        self._bench = workbench
        self._bridge = workbench.bridge

    async def machine(self) -> None:
        """In the project that is shown; where those of all are, in one of them or in a new one."""
        roots = set(self._bridge.state.projects) | {
            machine.key.project for machine in self._bridge.state.machines.values()
        }
        root = self._bench.lists.project
        if not root and roots:
            places = Palette(
                offered(project_titles(self._bridge.state, roots)), "place", title="Where?", about="folder"
            )
            chosen = await self._app.push_screen_wait(places)
            if not chosen:
                return
            root = "" if chosen == _NEW else chosen
        await self.described_in(root)

    async def described_in(self, root: str) -> None:
        """``root``: a project's folder; "" begins a new project."""
        from tui.wizard.machine import MachineWizard

        written = await MachineWizard(self._app, self._bridge).ask(root)
        if written is None:
            return
        self.show(written.root)
        self._bench.memory.go_to(str(MachineKey(written.root, written.machine)))
        self._bench.say(
            f"{self._app.look.signs.done} {written.machine} is in the project; u starts it.", "good"
        )

    def show(self, root: str) -> None:
        """What was written just now."""
        self._bridge.project = root
        self._bench.lists.everywhere = False
        self._bridge.want_project(root)


def offered(titles: dict[str, str]) -> list[Entry]:
    """The folder in which the workbench was started comes first."""
    here = Path.cwd()
    taken = (here / PROJECT_FILE).exists()
    if taken:
        titles = {str(here): here.name, **titles}
    known = sorted(titles, key=lambda root: (root != str(here), titles[root], root))
    found = [Entry(root, titles[root], titles[root], "", root) for root in known]
    where = "in another folder" if taken else f"in {here}, or in another folder"
    found.insert(1 if taken else 0, Entry(_NEW, "a new project", "a new project", "", where))
    return found
