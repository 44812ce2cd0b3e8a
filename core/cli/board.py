"""What is known of operations and their steps, folded from the engine's events."""

from __future__ import annotations

import msgspec

from core.model.event import Event, OperationChanged, Snapshot, StepChanged
from core.model.operation import Operation, Step, StepState


class Board:
    """Operations and their steps as they stand; only those that are watched are kept."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self.steps: dict[str, dict[int, Step]] = {}
        self.writing: dict[str, int] = {}
        """By operation: the step whose output grew last."""

    def apply(self, item: Snapshot | Event) -> None:
        """Take a snapshot or one event in."""
        if isinstance(item, Snapshot):
            for operation in item.operations:
                self.put(operation)
            for step in item.steps:
                self.put_step(step)
        elif isinstance(item.change, OperationChanged):
            self.put(item.change.operation)
        elif isinstance(item.change, StepChanged):
            self.put_step(item.change.step)

    def put(self, operation: Operation) -> None:
        """An operation that has ended does not begin again, in whatever order news arrive."""
        known = self.operations.get(operation.id)
        if known is None or not known.state.ended or operation.state.ended:
            self.operations[operation.id] = operation

    def put_step(self, step: Step) -> None:
        steps = self.steps.setdefault(step.operation, {})
        known = steps.get(step.id)
        if known is not None and known.state.ended and not step.state.ended:
            return
        if step.lines > (known.lines if known else 0):
            self.writing[step.operation] = step.id
        steps[step.id] = step

    def children(self, operation: str, parent: int) -> list[Step]:
        """The steps below ``parent`` (0: the top), in order of appearance."""
        steps = self.shown(operation)
        return [steps[number] for number in sorted(steps) if steps[number].parent == parent]

    def shown(self, operation: str) -> dict[int, Step]:
        """The steps of an operation by their ids. Once it has ended nothing of it runs any more: steps
        whose ends nobody told of (the engine was killed) failed with it, or never began."""
        steps = self.steps.get(operation, {})
        over = self.operations.get(operation)
        if over is None or not over.state.ended:
            return steps
        return {id: step if step.state.ended else _cut_off(step, over) for id, step in steps.items()}

    def ended(self, ids: list[str]) -> bool:
        """Have all of these ended?"""
        return all(id in self.operations and self.operations[id].state.ended for id in ids)

    def writer(self, operation: str) -> int:
        """The running step to show output below: the one that wrote last, else the newest running leaf."""
        steps = self.shown(operation)
        last = steps.get(self.writing.get(operation, 0))
        if last is not None and last.state is StepState.RUNNING:
            return last.id
        parents = {step.parent for step in steps.values()}
        running = [s.id for s in steps.values() if s.state is StepState.RUNNING and s.id not in parents]
        return max(running, default=0)


def _cut_off(step: Step, operation: Operation) -> Step:
    if step.state is StepState.WAITING:
        return msgspec.structs.replace(step, state=StepState.SKIPPED)
    state = StepState.CANCELLED if operation.state is StepState.CANCELLED else StepState.FAILED
    return msgspec.structs.replace(step, state=state, ended=operation.ended, detail="cut off")
