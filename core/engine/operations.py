"""An operation that runs: its tree of steps, its log, and the events that tell of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.engine.journal import Journal
from core.engine.log import OperationLog
from core.engine.problems import leaves
from core.engine.root import RootWork
from core.engine.steps import StepWork
from core.engine.throttle import Throttle
from core.engine.undoing import Ledger
from core.errors import BoxwrightError
from core.model.event import Change, LogGrew, OperationChanged, StepChanged
from core.model.operation import Operation, Step, StepState
from core.model.problem import Problem
from core.model.work import Intent

LOG_INTERVAL = 0.06
"""Seconds between two events that say that a log grew."""


class RunningOperation:
    """From submission to its end. On the loop, apart from ``write_log``."""

    def __init__(
        self,
        operation: Operation,
        *,
        folder: Path,
        journal: Journal,
        ledger: Ledger,
        publish: Callable[[Change], None],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.id = operation.id
        self.ended = asyncio.Event()
        self._operation = operation
        self._journal = journal
        self._ledger = ledger
        self._publish = publish
        self._steps: dict[int, StepWork] = {}
        self._unsaved: set[int] = set()
        self._blamed: BaseException | None = None
        self._log = OperationLog(folder, operation.id)
        self._log_throttle = Throttle(self.loop, LOG_INTERVAL, self._log_grew)
        self.work = RootWork(self)

    @property
    def log_path(self) -> Path:
        return self._log.path

    @property
    def log_trouble(self) -> str:
        """What to say of output that could not be kept; "" where all was."""
        return f"log not complete: {self._log.trouble}" if self._log.lost else ""

    def view(self) -> Operation:
        if self._operation.log_size == self._log.size:
            return self._operation
        return msgspec.structs.replace(self._operation, log_size=self._log.size)

    def steps(self) -> tuple[Step, ...]:
        return tuple(step.view() for step in self._steps.values())

    # The operation as a whole.

    def announce(self) -> None:
        """It was submitted: write it down, tell of it."""
        self._journal.save_operation(self._operation)
        self._publish(OperationChanged(self._operation))

    def start(self) -> None:
        self._update(state=StepState.RUNNING, started=time.time(), detail="")
        self._journal.save_operation(self._operation)

    def describe(self, detail: str) -> None:
        """The short text beside the title."""
        if detail != self._operation.detail and not self._operation.state.ended:
            self._update(detail=detail)

    def end(self, state: StepState, *, problem: Problem | None = None, result: Any = None) -> None:
        """Ends what is left of the tree, writes all of it down, and tells of it last."""
        leftover = StepState.DONE if state.good else StepState.CANCELLED
        for step in self._steps.values():
            step.end(leftover)
        self._log_throttle.stop()
        self._log.close()
        outcome = self.work.outcome if state is StepState.DONE and self.work.outcome else state
        operation = msgspec.structs.replace(
            self._operation,
            state=outcome,
            ended=time.time(),
            problem=problem,
            result=result,
            log_size=self._log.size,
            detail=self.work.detail,
        )
        unsaved = tuple(self._steps[number].view() for number in sorted(self._unsaved))
        self._operation = operation
        try:
            self._journal.end_operation(operation, unsaved)
        finally:
            if self._log.size:
                self._publish(LogGrew(self.id, self._log.size))
            self._publish(OperationChanged(operation))
            self.ended.set()

    def _update(self, **fields: Any) -> None:
        self._operation = msgspec.structs.replace(self._operation, log_size=self._log.size, **fields)
        self._publish(OperationChanged(self._operation))

    # For its steps.

    def add_step(self, parent: int, name: str, detail: str = "") -> StepWork:
        step = StepWork(self, len(self._steps) + 1, parent, name, detail)
        self._steps[step.number] = step
        self._unsaved.add(step.number)
        self._save(step)
        self._publish(StepChanged(step.view()))
        return step

    def step_changed(self, step: Step) -> None:
        self._publish(StepChanged(step))

    def step_ended(self, step: StepWork) -> None:
        if self._save(step):
            self._unsaved.discard(step.number)

    def _save(self, step: StepWork) -> bool:
        """As it is now, for who looks after the engine has died. A full disk must not hide how the step
        ended: the end of the operation tries again."""
        if not self._operation.state.ended:
            with contextlib.suppress(BoxwrightError):
                self._journal.save_step(step.view())
                return True
        return False

    def blame(self, error: BaseException) -> bool:
        """Whether nobody has told of this error yet; from now on somebody has."""
        first = leaves(error)[0]
        if first is self._blamed:
            return False
        self._blamed = first
        return True

    def write_log(self, step: int, data: bytes) -> bool:
        complete = self._log.write(step, data)
        self._log_throttle.ask()
        return complete

    def _log_grew(self) -> None:
        self._publish(LogGrew(self.id, self._log.size))

    def intend(self, kind: str, facts: Mapping[str, Any]) -> Intent:
        return self._ledger.intend(self.id, kind, facts)

    def commit(self) -> None:
        self._ledger.settle_all(self.id)
