"""A step of an operation: what code that works is given to say what it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.engine.problems import problem_of, was_cancelled
from core.engine.progress import RateMeter
from core.engine.throttle import Throttle
from core.model.operation import Progress, Step, StepState
from core.model.problem import Problem
from core.model.work import Intent, Work

if TYPE_CHECKING:
    from core.engine.operations import RunningOperation

INTERVAL = 0.1
"""Seconds between two events of one step that tell of progress alone."""

STALL = 1.0
"""Seconds without progress after which the rate is looked at again."""


class StepWork:
    """Implements :class:`core.model.work.Work` for one step."""

    def __init__(self, run: RunningOperation, number: int, parent: int, name: str, detail: str) -> None:
        self._run = run
        self._parent = parent
        self._name = name
        self._detail = detail
        self._outcome: StepState | None = None
        self._problem: Problem | None = None
        self._reading: tuple[float, float | None, str] | None = None
        self._meter: RateMeter | None = None
        self._lines = 0
        self._lost = False
        self._started = time.time()
        self._ended = 0.0
        self._published: Step | None = None
        self._throttle = Throttle(run.loop, INTERVAL, self._publish)
        self.number = number
        self.state = StepState.RUNNING

    @property
    def operation(self) -> str:
        """Id of the operation that this is a step of."""
        return self._run.id

    # Work.

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[Work]:
        child = self._run.add_step(self.number, name, detail)
        try:
            yield child
        except BaseException as error:
            child.end_with(error)
            raise
        child.end(StepState.DONE)

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None:
        self._reading = (current, total, unit)
        self._throttle.ask()

    def note(self, text: str) -> None:
        self._detail = text
        self._throttle.ask()

    def write(self, data: bytes) -> None:
        lines = data.count(b"\n")
        self._lines += lines
        if not self._run.write_log(self.number, data):
            self._lost = True
        if lines or self._lost:
            self._throttle.ask()

    def cached(self, why: str = "") -> None:
        self._outcome = StepState.CACHED
        self._detail = why or self._detail

    def skipped(self, why: str) -> None:
        self._outcome = StepState.SKIPPED
        self._detail = why

    def intend(self, kind: str, **facts: Any) -> Intent:
        return self._run.intend(kind, facts)

    def commit(self) -> None:
        self._run.commit()

    # What the engine does with it.

    def end(self, state: StepState, problem: Problem | None = None) -> None:
        """The step has ended; without effect where it had before."""
        if self.state.ended:
            return
        self.state = self._outcome if state is StepState.DONE and self._outcome else state
        self._problem = problem
        self._ended = time.time()
        self._throttle.stop()
        self._publish()
        self._run.step_ended(self)

    def end_with(self, error: BaseException) -> None:
        """The step's block raised ``error``."""
        if was_cancelled(error):
            self.end(StepState.CANCELLED)
        elif self._run.blame(error):
            self.end(StepState.FAILED, problem_of(error))
        else:
            # A step further down has told of it already.
            self.end(StepState.FAILED)

    def view(self) -> Step:
        detail = self._detail
        if self._lost:
            detail = f"{detail}; {self._run.log_trouble}" if detail else self._run.log_trouble
        return Step(
            operation=self._run.id,
            id=self.number,
            parent=self._parent,
            name=self._name,
            state=self.state,
            detail=detail,
            started=self._started,
            ended=self._ended,
            progress=self._progress(),
            problem=self._problem,
            lines=self._lines,
        )

    def _progress(self) -> Progress | None:
        if self._reading is None or not (self._reading[0] or self._reading[1]):
            return None
        rate = self._meter.rate if self._meter else 0.0
        return Progress(*self._reading, rate=0.0 if self._ended else round(rate, 3))

    def _publish(self) -> None:
        if self._reading is not None:
            self._meter = self._meter or RateMeter()
            rate = self._meter.update(self._reading[0], asyncio.get_running_loop().time())
            if rate > 0 and not self._ended:
                self._throttle.ask_in(STALL)
        view = self.view()
        if view != self._published:
            self._published = view
            self._run.step_changed(view)
