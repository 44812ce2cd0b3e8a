"""Events: each carries the whole new state of one subject, so that the latest one is enough.

That is what lets a slow reader be given merged updates: of several events with the same
``key`` only the newest has to arrive.
"""

from __future__ import annotations

import msgspec

from core.model.box import Box
from core.model.machine import Machine, MachineKey
from core.model.operation import Operation, Step
from core.model.provider import Probe


class MachineChanged(msgspec.Struct, frozen=True, tag="machine"):
    machine: Machine

    @property
    def key(self) -> str:
        return f"machine:{self.machine.key}"


class MachineGone(msgspec.Struct, frozen=True, tag="machine-gone"):
    """The machine is no longer in its project, and nothing of it is left."""

    machine: MachineKey

    @property
    def key(self) -> str:
        return f"machine:{self.machine}"


class BoxChanged(msgspec.Struct, frozen=True, tag="box"):
    box: Box

    @property
    def key(self) -> str:
        return f"box:{self.box.key}"


class BoxGone(msgspec.Struct, frozen=True, tag="box-gone"):
    box: str
    """str(BoxKey)."""

    @property
    def key(self) -> str:
        return f"box:{self.box}"


class OperationChanged(msgspec.Struct, frozen=True, tag="operation"):
    operation: Operation

    @property
    def key(self) -> str:
        return f"operation:{self.operation.id}"


class StepChanged(msgspec.Struct, frozen=True, tag="step"):
    step: Step

    @property
    def key(self) -> str:
        return f"step:{self.step.operation}:{self.step.id}"


class LogGrew(msgspec.Struct, frozen=True, tag="log"):
    """The log of an operation now ends at ``offset``; read it with a query."""

    operation: str
    offset: int

    @property
    def key(self) -> str:
        return f"log:{self.operation}"


class ProviderProbed(msgspec.Struct, frozen=True, tag="provider"):
    probe: Probe

    @property
    def key(self) -> str:
        return f"provider:{self.probe.provider}"


class ProjectChanged(msgspec.Struct, frozen=True, tag="project"):
    """A project's file was read again: query it for its builds and its problem, if any."""

    root: str

    @property
    def key(self) -> str:
        return f"project:{self.root}"


Change = (
    MachineChanged
    | MachineGone
    | BoxChanged
    | BoxGone
    | OperationChanged
    | StepChanged
    | LogGrew
    | ProviderProbed
    | ProjectChanged
)


class Event(msgspec.Struct, frozen=True):
    """A change with its number. Numbers grow; merging leaves gaps."""

    seq: int
    change: Change


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything as it stands at ``seq``; events after it bring it up to date."""

    seq: int
    machines: tuple[Machine, ...] = ()
    boxes: tuple[Box, ...] = ()
    operations: tuple[Operation, ...] = ()
    """Those that run or wait, and the most recent ended ones."""
    steps: tuple[Step, ...] = ()
    """Of the operations above that have not ended."""
    providers: tuple[Probe, ...] = ()
