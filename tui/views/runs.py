"""Which of the operations on a thing is looked at, the latest or one before it; how the last time went."""

from __future__ import annotations

from collections.abc import Mapping

from core.model.operation import Operation, StepState
from tui.choice import Choice
from tui.store import State


class Runs:
    def __init__(self) -> None:
        self._picked: dict[str, tuple[str, str]] = {}
        """By thing: the operation that is looked at, and which one was the latest then."""

    def operation(self, choice: Choice, state: State) -> Operation | None:
        """A new operation takes the place of an old one that was looked at."""
        latest = choice.operation
        picked, then = self._picked.get(choice.key, ("", ""))
        if latest is None or not picked or then != latest.id:
            return latest
        return state.operations.get(picked, latest)

    def turn(self, choice: Choice, state: State, way: int) -> str:
        """To the run before or after the one that is looked at; why not, "" where it was possible."""
        here = self.operation(choice, state)
        if here is None or choice.operation is None:
            return f"Nothing was done with {choice.title} yet." if choice.title else "Nothing is selected."
        runs = of_subject(here.subject, state)
        number = [run.id for run in runs].index(here.id) + way
        if not 0 <= number < len(runs):
            return "There is no earlier run." if way < 0 else "This is the latest run."
        self._picked[choice.key] = runs[number].id, choice.operation.id
        return ""

    def place(self, choice: Choice, state: State) -> str:
        """``run 2 of 5`` where there are several."""
        here = self.operation(choice, state)
        runs = of_subject(here.subject, state) if here is not None else []
        if here is None or len(runs) < 2:
            return ""
        number = [run.id for run in runs].index(here.id) + 1
        return f"run {number} of {len(runs)}"


def of_subject(subject: str, state: State) -> list[Operation]:
    """All that is known of what was done with a thing, oldest first."""
    found = [operation for operation in state.operations.values() if operation.subject == subject]
    return sorted(found, key=lambda operation: operation.id)


def last_time(operation: Operation, state: State) -> Operation | None:
    """The same command on the same thing, the last time before that it went well."""
    before = [
        run
        for run in of_subject(operation.subject, state)
        if run.id < operation.id and run.command == operation.command and run.state is StepState.DONE
    ]
    return before[-1] if before and operation.subject else None


def durations(operation: Operation, state: State) -> Mapping[str, float]:
    """Seconds that each step took, by name."""
    return {
        step.name: max(0.0, step.ended - step.started)
        for step in state.steps_of(operation.id)
        if step.ended and step.started and step.state is StepState.DONE
    }
