"""Carries out commands: queues them per subject, runs them side by side, cancels and undoes them."""

from __future__ import annotations

import asyncio
import enum
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from core.engine.commands import Handlers
from core.engine.context import Context
from core.engine.journal import Journal
from core.engine.operations import RunningOperation
from core.engine.problems import cancelled_problem, is_bug, problem_of, report_bug, was_cancelled
from core.engine.root import RootWork
from core.engine.secrets import hide
from core.engine.steps import StepWork
from core.engine.subjects import Subjects, waiting_text
from core.engine.undoing import Ledger
from core.errors import BoxwrightError, BusyError, NotFoundError
from core.model.command import Command
from core.model.machine import Holder
from core.model.operation import Operation, StepState
from core.model.problem import Problem
from core.model.work import Work

RECENT = 50
"""Ended operations that are kept in memory for snapshots."""


_NOT_UNDONE = "Not everything could be undone"


class _Phase(enum.Enum):
    WAITING = 1
    RUNNING = 2
    ENDING = 3


class _Job:
    """An operation that has not ended, and the task that carries it out."""

    def __init__(self, run: RunningOperation, command: Command, operation: Operation) -> None:
        self.run = run
        self.command = command
        self.subject = operation.subject
        self.title = operation.title
        self.submitted = operation.submitted
        self.phase = _Phase.WAITING
        self.cancelled = False
        self.begun = False
        self.task: asyncio.Task[None] | None = None


class Scheduler:
    """``ended(operation)`` is awaited after each operation, before its subject is let go."""

    def __init__(
        self,
        *,
        handlers: Handlers,
        journal: Journal,
        ledger: Ledger,
        subjects: Subjects,
        publish: Callable[[Any], None],
        ended: Callable[[Operation], Awaitable[None]],
        recent: Iterable[Operation] = (),
    ) -> None:
        self._handlers = handlers
        self._journal = journal
        self._ledger = ledger
        self._subjects = subjects
        self._publish = publish
        self._ended = ended
        self._jobs: dict[str, _Job] = {}
        self._recent: deque[Operation] = deque(recent, maxlen=RECENT)
        self._closing = ""
        self._context: Context | None = None

    def attach(self, context: Context) -> None:
        """The context that handlers get; it needs ``hold`` of this scheduler, so it comes later."""
        self._context = context

    @property
    def context(self) -> Context:
        assert self._context is not None
        return self._context

    # What is there.

    @property
    def busy(self) -> int:
        """Operations that run or wait."""
        return len(self._jobs)

    def running(self) -> tuple[RunningOperation, ...]:
        """Those that run or wait, oldest first."""
        return tuple(job.run for job in self._jobs.values())

    def find(self, operation: str) -> RunningOperation | None:
        job = self._jobs.get(operation)
        return job.run if job else None

    def recent(self) -> tuple[Operation, ...]:
        """The most recent ended ones, oldest first."""
        return tuple(self._recent)

    def busy_error(self, what: str, remedy: str) -> BusyError:
        """Says what the engine is busy with."""
        titles = [f"'{run.view().title}' (operation {run.id})" for run in self.running()]
        return BusyError(f"The engine is busy. {what}", why=f"It runs {', '.join(titles)}.", remedy=remedy)

    # Submitting and cancelling.

    def submit(self, command: Command) -> str:
        """Begin, or queue. Raises BoxwrightError where the command is refused outright."""
        if self._closing:
            raise BusyError(
                "The engine takes no new work.", why=self._closing, remedy="Try again in a moment."
            )
        self._handlers.check(self.context, command)
        operation = self._handlers.describe(command, self._journal.next_operation())
        run = RunningOperation(
            operation,
            folder=self.context.locations.operations,
            journal=self._journal,
            ledger=self._ledger,
            publish=self._publish,
        )
        run.announce()
        job = _Job(run, command, operation)
        self._jobs[run.id] = job
        job.task = asyncio.create_task(self._carry_out(job), name=f"operation {run.id}")
        return run.id

    def cancel(self, operation: str) -> None:
        """Ask for the end of an operation; one that has ended already, or is ending, is left alone.
        Raises NotFoundError for one that nobody knows."""
        job = self._jobs.get(operation)
        if job is None:
            if self._journal.operation(operation) is None:
                raise NotFoundError(f"There is no operation {operation}.", remedy="boxwright ops")
            return
        if job.phase is _Phase.ENDING or job.cancelled:
            return
        job.cancelled = True
        # A task that is cancelled before its first step would never run, nor tell of its end.
        if job.begun and job.task is not None:
            job.task.cancel()

    async def wait(self, operation: str) -> None:
        """Until it has ended."""
        job = self._jobs.get(operation)
        if job is not None and job.task is not None:
            await asyncio.wait([job.task])

    def close(self, why: str) -> None:
        """Refuse new commands from now on."""
        self._closing = why

    async def drain(self) -> None:
        """Until nothing runs or waits any more."""
        while self._jobs:
            await asyncio.wait([job.task for job in self._jobs.values() if job.task is not None])

    async def cancel_all(self) -> None:
        """Cancel everything and wait until all of it is undone."""
        for operation in list(self._jobs):
            self.cancel(operation)
        await self.drain()

    @asynccontextmanager
    async def hold(self, subject: str, action: str, work: Work) -> AsyncIterator[None]:
        """See ``Context.hold``."""
        # As in Handlers.describe, so that both mean the same by it.
        subject = hide(subject)
        owner = work.operation if isinstance(work, StepWork | RootWork) else f"work-{id(work)}"
        ticket = Holder(owner, action, time.time())
        await self._subjects.acquire(subject, ticket, lambda holder: work.note(waiting_text(holder)))
        try:
            yield
        finally:
            self._subjects.release(subject, owner)

    # Carrying out.

    async def _carry_out(self, job: _Job) -> None:
        run = job.run
        job.begun = True
        try:
            try:
                if job.cancelled:
                    raise asyncio.CancelledError
                ticket = Holder(run.id, job.title, job.submitted)
                await self._subjects.acquire(
                    job.subject, ticket, lambda holder: run.describe(waiting_text(holder))
                )
                await self._work(job)
            except asyncio.CancelledError:
                # While waiting, or before the first step: nothing was begun.
                await self._finish(job, StepState.CANCELLED, problem=cancelled_problem(job.title))
        except BoxwrightError:
            # The journal could not be written: the operation has ended for everybody who looks, and
            # the next engine finds it open in the journal and undoes it.
            pass
        finally:
            self._subjects.release(job.subject, run.id)
            self._jobs.pop(run.id, None)
            self._recent.append(run.view())

    async def _work(self, job: _Job) -> None:
        job.phase = _Phase.RUNNING
        try:
            job.run.start()
            handler = self._handlers.find(job.command)
            result = msgspec.to_builtins(await handler(self.context, job.command, job.run.work))
            msgspec.json.encode(result)
            self._ledger.settle_all(job.run.id)
        except BaseException as error:
            job.phase = _Phase.ENDING
            await self._failed(job, error)
            if not isinstance(error, Exception | asyncio.CancelledError):
                raise
        else:
            job.phase = _Phase.ENDING
            await self._finish(job, StepState.DONE, result=result)

    async def _failed(self, job: _Job, error: BaseException) -> None:
        cancelled = was_cancelled(error) or (job.cancelled and not is_bug(error))
        if cancelled:
            problem = cancelled_problem(job.title)
        elif is_bug(error):
            problem = report_bug(self.context.locations.reports, error, job.title)
        else:
            problem = problem_of(error)
        troubles = await self._undo(job.run)
        if troubles:
            said = f"{_NOT_UNDONE} ({'; '.join(troubles)}). The engine's next start tries again."
            problem = msgspec.structs.replace(problem, why=f"{problem.why} {said}".strip())
        state = StepState.CANCELLED if cancelled else StepState.FAILED
        await self._finish(job, state, problem=problem)

    async def _undo(self, run: RunningOperation) -> list[str]:
        """Undo what the operation began, newest first; show it as a step of its own."""
        intents = self._ledger.unsettled(run.id)
        if not intents:
            return []
        troubles = []
        step = run.add_step(0, "Undo what was begun")
        for number, intent in enumerate(intents):
            step.progress(number, len(intents))
            trouble = await self._ledger.undo(intent)
            if trouble:
                troubles.append(trouble)
        step.progress(len(intents), len(intents))
        if troubles:
            step.end(
                StepState.FAILED, Problem(what="Not everything could be undone.", why="; ".join(troubles))
            )
        else:
            step.end(StepState.DONE)
        return troubles

    def _what_stays(self, subject: str) -> str:
        """What cancelling left of a machine: work that was finished before is not taken back."""
        key = self.context.machines.key_of(subject)
        return f"{key.name} is {self.context.machines.view(key).state}." if key is not None else ""

    async def _finish(
        self, job: _Job, state: StepState, *, problem: Problem | None = None, result: Any = None
    ) -> None:
        job.phase = _Phase.ENDING
        await self._ended(msgspec.structs.replace(job.run.view(), state=state, problem=problem))
        if problem is not None and state is StepState.CANCELLED:
            stays = self._what_stays(job.subject)
            problem = msgspec.structs.replace(problem, why=f"{problem.why} {stays}".strip())
        job.run.end(state, problem=problem, result=result)
