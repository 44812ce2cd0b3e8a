"""The names of what is there, for completion: asked of an engine that runs, else read from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BoxwrightError

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.model.box import Box
    from core.model.machine import Machine
    from core.model.project import Project

Found = list[tuple[str, str]]
"""A name, and what it is."""


class Names:
    """Each method answers with what can be had at once; [] where that is nothing."""

    def __init__(self, project: str = "") -> None:
        self._folder = Path(project).expanduser() if project else Path()
        self._session: Session | None = None
        self._asked = False

    def machines(self) -> Found:
        found = self._machines()
        if found is not None:
            return [(machine.name, str(machine.state)) for machine in found]
        project = self._project()
        return [(name, "") for name in project.machines] if project else []

    def snapshots(self) -> Found:
        found: dict[str, str] = {}
        for machine in self._machines() or ():
            for snapshot in machine.snapshots:
                found.setdefault(snapshot.name, f"snapshot of {machine.name}")
        return list(found.items())

    def builds(self) -> Found:
        project = self._project()
        return [(name, build.description) for name, build in project.builds.items()] if project else []

    def provisioners(self, machines: Sequence[str]) -> Found:
        project = self._project()
        if project is None:
            return []
        found: dict[str, str] = {}
        for name, machine in project.machines.items():
            if machines and name not in machines:
                continue
            for step in machine.provision:
                if step.name:
                    found.setdefault(step.name, f"{step.kind} of {name}")
        return list(found.items())

    def boxes(self) -> Found:
        found: dict[str, str] = {}
        for box in self._boxes():
            found.setdefault(box.name, f"{box.version} ({box.key.provider})")
        return list(found.items())

    def versions(self, name: str) -> Found:
        return [(box.version, box.key.provider) for box in self._boxes() if name in ("", box.name)]

    def operations(self, *, running: bool) -> Found:
        session = self._engine()
        if session is None:
            return []
        from core.model.query import GetOperations, Operations

        answer = session.query(GetOperations(running=running, limit=20))
        assert isinstance(answer, Operations)
        return [(one.id, f"{one.title}: {one.state}") for one in answer.operations]

    def providers(self) -> Found:
        from importlib.metadata import entry_points

        return [(entry.name, "") for entry in entry_points(group="boxwright.providers")]

    def templates(self) -> Found:
        from core.projects.init import templates

        return [("list", "name all templates"), *((one.name, one.description) for one in templates())]

    def _engine(self) -> Session | None:
        if not self._asked:
            from core.cli.session import connect_running

            self._asked = True
            self._session = connect_running()
        return self._session

    def _machines(self) -> tuple[Machine, ...] | None:
        """None where no engine runs, or the folder is no project."""
        session = self._engine()
        if session is None:
            return None
        from core.cli.project_root import find
        from core.model.query import GetMachines, Machines

        try:
            answer = session.query(GetMachines(project=str(find(self._folder))))
        except BoxwrightError:
            return None
        assert isinstance(answer, Machines)
        return answer.machines

    def _boxes(self) -> tuple[Box, ...]:
        session = self._engine()
        if session is not None:
            from core.model.query import Boxes, GetBoxes

            answer = session.query(GetBoxes())
            assert isinstance(answer, Boxes)
            return tuple(use.box for use in answer.boxes)
        from core.boxes.store import BoxStore
        from core.paths import locations

        folder = locations().boxes
        return tuple(BoxStore(folder).list()) if folder.is_dir() else ()

    def _project(self) -> Project | None:
        from core.cli.project_root import find
        from core.projects import load

        try:
            return load(find(self._folder))
        except BoxwrightError:
            return None
