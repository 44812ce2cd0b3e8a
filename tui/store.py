"""What the workbench knows of the engine: one immutable value, replaced as events arrive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from core.model import event as happened
from core.model.box import Box
from core.model.event import Event, Snapshot
from core.model.machine import Machine, MachineKey
from core.model.operation import LogSegment, Operation, Step, StepState
from core.model.provider import Probe
from core.model.query import OperationView, ProjectView

KEPT_OPERATIONS = 400
"""Ended operations that are remembered; older ones are asked for when somebody looks at them."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything by its key. Never changed in place: whoever holds one may compare it with the next."""

    seq: int = 0
    machines: Mapping[str, Machine] = {}
    """By ``str(MachineKey)``."""
    boxes: Mapping[str, Box] = {}
    """By ``str(BoxKey)``."""
    operations: Mapping[str, Operation] = {}
    steps: Mapping[str, Mapping[int, Step]] = {}
    """By operation, then by number of the step."""
    log_paths: Mapping[str, str] = {}
    """Files of the logs of operations that were looked at."""
    segments: Mapping[str, tuple[LogSegment, ...]] = {}
    """Of those logs: which step wrote which part, as far as that was asked for."""
    probes: Mapping[str, Probe] = {}
    projects: Mapping[str, ProjectView] = {}

    def operation_of(self, subject: str) -> Operation | None:
        """What runs on ``subject``, else what waits for it, else what ran last."""
        best: Operation | None = None
        for operation in self.operations.values():
            if operation.subject == subject and (best is None or _rank(operation) > _rank(best)):
                best = operation
        return best

    def steps_of(self, operation: str) -> tuple[Step, ...]:
        """In order of appearance; empty while they are not known."""
        return tuple(step for _, step in sorted(self.steps.get(operation, {}).items()))

    def known(self, operation: str) -> bool:
        """All of its steps and the place of its log are here."""
        return operation in self.log_paths and operation in self.steps

    @property
    def busy(self) -> int:
        """Operations that run or wait."""
        return sum(not operation.state.ended for operation in self.operations.values())

    def machine(self, key: MachineKey) -> Machine | None:
        return self.machines.get(str(key))


def unattributed(operation: Operation, state: State) -> int:
    """Bytes at the end of its log of which the writer was not asked for."""
    segments = state.segments.get(operation.id, ())
    return operation.log_size - (segments[-1].offset + segments[-1].length if segments else 0)


def _rank(operation: Operation) -> tuple[int, str]:
    order = {"running": 2, "waiting": 1}
    return order.get(operation.state.value, 0), operation.id


def _later(known: Any, answer: Any) -> Any:
    """Of two accounts of one operation or step the later one; ``known`` came with events, or is None."""
    if known is None:
        return answer
    return answer if _age(answer) > _age(known) else known


def _age(account: Operation | Step) -> tuple[bool, bool, int]:
    size = account.log_size if isinstance(account, Operation) else account.lines
    return account.state.ended, account.state is not StepState.WAITING, size


class Draft:
    """A state in the making: takes changes, copies each table at most once, and says what changed."""

    def __init__(self, state: State) -> None:
        self._base = state
        self._seq = state.seq
        self._tables: dict[str, dict[str, object]] = {}
        self.changed: set[str] = set()
        """Keys as events have them (``machine:...``), and ``*`` where everything may be new."""

    def take(self, items: Iterable[Snapshot | Event]) -> None:
        for item in items:
            if isinstance(item, Snapshot):
                self._restart(item)
            else:
                self._seq = item.seq
                self._apply(item.change)
                self.changed.add(item.change.key)

    def take_operation(self, view: OperationView) -> None:
        """What a query said of one operation: its steps and where its log lies.

        Events may have overtaken the answer: it adds what is unknown, and never leads back.
        """
        name = view.operation.id
        operations = self._table("operations")
        operations[name] = _later(operations.get(name), view.operation)
        steps: Any = dict(self._table("steps").get(name, {}))  # type: ignore[call-overload]
        for step in view.steps:
            steps[step.id] = _later(steps.get(step.id), step)
        self._table("steps")[name] = steps
        self._table("log_paths")[name] = view.log
        self._table("segments")[name] = view.segments
        self.changed |= {f"operation:{name}", f"log:{name}"}

    def take_project(self, view: ProjectView) -> None:
        self._table("projects")[view.root] = view
        self.changed.add(f"project:{view.root}")

    def done(self) -> State:
        if not self._tables and self._seq == self._base.seq:
            return self._base
        self._forget_old()
        return msgspec.structs.replace(self._base, seq=self._seq, **self._tables)

    def _table(self, name: str) -> dict[str, object]:
        if name not in self._tables:
            self._tables[name] = dict(getattr(self._base, name))
        return self._tables[name]

    def _restart(self, snapshot: Snapshot) -> None:
        self._seq = snapshot.seq
        self._tables["machines"] = {str(machine.key): machine for machine in snapshot.machines}
        self._tables["boxes"] = {str(box.key): box for box in snapshot.boxes}
        self._tables["probes"] = {probe.provider: probe for probe in snapshot.providers}
        self._tables["operations"] = {operation.id: operation for operation in snapshot.operations}
        # A snapshot has the steps of what still runs; those of what had ended stay as they are.
        steps: dict[str, dict[int, Step]] = {
            operation.id: dict(self._base.steps[operation.id])
            for operation in snapshot.operations
            if operation.id in self._base.steps and self._had_ended(operation)
        }
        for step in snapshot.steps:
            steps.setdefault(step.operation, {})[step.id] = step
        self._tables["steps"] = dict(steps)
        self.changed.add("*")

    def _had_ended(self, operation: Operation) -> bool:
        known = self._base.operations.get(operation.id)
        return known is not None and known.state.ended and known.submitted == operation.submitted

    def _apply(self, change: happened.Change) -> None:
        match change:
            case happened.MachineChanged(machine=machine):
                self._table("machines")[str(machine.key)] = machine
            case happened.MachineGone(machine=key):
                self._table("machines").pop(str(key), None)
            case happened.BoxChanged(box=box):
                self._table("boxes")[str(box.key)] = box
            case happened.BoxGone(box=name):
                self._table("boxes").pop(name, None)
            case happened.OperationChanged(operation=operation):
                self._table("operations")[operation.id] = operation
            case happened.StepChanged(step=step):
                self._take_step(step)
            case happened.LogGrew(operation=name, offset=offset):
                self._log_grew(name, offset)
            case happened.ProviderProbed(probe=probe):
                self._table("probes")[probe.provider] = probe
            case happened.ProjectChanged():
                pass  # The bridge asks for the project again.

    def _take_step(self, step: Step) -> None:
        table = self._table("steps")
        known: Any = table.get(step.operation, {})
        if step.operation in self._base.steps and known is self._base.steps[step.operation]:
            known = dict(self._base.steps[step.operation])
        known[step.id] = step
        table[step.operation] = known

    def _log_grew(self, name: str, offset: int) -> None:
        operation = self._table("operations").get(name)
        if isinstance(operation, Operation) and operation.log_size < offset:
            self._table("operations")[name] = msgspec.structs.replace(operation, log_size=offset)

    def _forget_old(self) -> None:
        operations = self._tables.get("operations")
        if operations is None or len(operations) <= KEPT_OPERATIONS:
            return
        for name in sorted(operations)[: len(operations) - KEPT_OPERATIONS]:
            operation = operations[name]
            if isinstance(operation, Operation) and operation.state.ended:
                for table in ("operations", "steps", "log_paths", "segments"):
                    self._table(table).pop(name, None)
