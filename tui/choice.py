"""What is selected: a machine, a box, a build or nothing."""

from __future__ import annotations

import msgspec

from core.commands import Subject
from core.model.box import Box
from core.model.machine import Machine
from core.model.operation import Operation
from core.model.provider import Probe
from core.model.query import BuildView
from tui.store import State


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as it stands now. ``key`` stays the same while the thing changes."""

    kind: Subject = Subject.NONE
    key: str = ""
    machine: Machine | None = None
    box: Box | None = None
    build: BuildView | None = None
    project: str = ""
    operation: Operation | None = None
    """What runs on it, else what ran on it last."""
    probe: Probe | None = None
    """Of the machine's provider."""

    @property
    def title(self) -> str:
        if self.machine:
            return self.machine.name
        if self.box:
            return f"{self.box.name} {self.box.version}"
        if self.build:
            return self.build.name
        if self.kind is Subject.BOX and self.operation:
            return self.operation.title
        return ""


NOTHING = Choice()


def machine_choice(state: State, key: str) -> Choice:
    machine = state.machines.get(key)
    if machine is None:
        return NOTHING
    return Choice(
        kind=Subject.MACHINE,
        key=key,
        machine=machine,
        project=machine.key.project,
        operation=state.operation_of(key),
        probe=state.probes.get(machine.provider),
    )


def box_choice(state: State, key: str) -> Choice:
    """``key``: str(BoxKey), or ``operation:ID`` for a box that is on its way."""
    if key.startswith("operation:"):
        operation = state.operations.get(key.partition(":")[2])
        return Choice(kind=Subject.BOX, key=key, operation=operation) if operation else NOTHING
    box = state.boxes.get(key)
    if box is None:
        return NOTHING
    return Choice(kind=Subject.BOX, key=key, box=box, operation=state.operation_of(f"box:{box.name}"))


def build_choice(state: State, project: str, name: str) -> Choice:
    view = state.projects.get(project)
    build = next((build for build in view.builds if build.name == name), None) if view else None
    if build is None:
        return NOTHING
    return Choice(
        kind=Subject.BUILD,
        key=f"build:{project}:{name}",
        build=build,
        project=project,
        operation=state.operation_of(f"build:{project}:{name}") or state.operations.get(build.operation),
    )
