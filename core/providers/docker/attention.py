"""Which machines this engine has had to do with, who is changing them, and what it takes them to be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState


class Subject:
    """A machine, for as long as the engine lives."""

    def __init__(self, plan: MachinePlan) -> None:
        self.plan = plan
        self.busy = 0
        """Actions of ours that are changing it: what happens meanwhile is no news."""
        self.missed = False
        """Something happened while it was busy."""
        self.known: MachineState | None = None
        """The state that whoever watches takes it to be in."""
        self.trouble = ""
        self.reviewing = asyncio.Lock()
        """One look at a time: what is seen last is known last."""
        self.news = asyncio.Event()
        """Set with each event of its container."""


Review = Callable[[Subject], Awaitable[None]]


class Attention:
    """Calls ``review`` for a machine to which something happened that nobody here did."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self._subjects: dict[str, Subject] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def to(self, plan: MachinePlan) -> Subject:
        subject = self._subjects.setdefault(plan.id, Subject(plan))
        subject.plan = plan
        return subject

    def forget(self, plan: MachinePlan) -> None:
        self._subjects.pop(plan.id, None)

    def subjects(self) -> Iterable[Subject]:
        return tuple(self._subjects.values())

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[Subject]:
        """Within the block the machine is ours to change; the block says in ``known`` what it becomes."""
        subject = self.to(plan)
        before = subject.known
        subject.busy += 1
        subject.trouble = ""
        try:
            yield subject
        except BaseException:
            # Whoever watches has been told nothing new, so whatever it has become is news.
            subject.known = before
            raise
        finally:
            subject.busy -= 1
            if subject.missed and not subject.busy:
                self._look(subject)

    def happened(self, machine_id: str) -> None:
        subject = self._subjects.get(machine_id)
        if subject is not None:
            subject.news.set()
            self._look(subject)

    def _look(self, subject: Subject) -> None:
        subject.missed = subject.busy > 0
        if not subject.busy:
            task = asyncio.create_task(self._reviewed(subject))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reviewed(self, subject: Subject) -> None:
        # A daemon that goes away is noticed by who listens to it, and looked at when it is back.
        async with subject.reviewing:
            with contextlib.suppress(BoxwrightError):
                await self._review(subject)

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._subjects.clear()
