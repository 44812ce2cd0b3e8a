"""Machines that an engine has had to do with: what it does to them itself is no news, all else is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState


class Watched:
    """One machine."""

    def __init__(self, plan: MachinePlan) -> None:
        self.plan = plan
        self.busy = 0
        """Actions of ours that are changing it."""
        self.happened = False
        """Something happened while it was busy."""
        self.known: MachineState | None = None
        """The state that whoever watches takes it to be in."""
        self.trouble = ""
        self.changed = asyncio.Event()
        """Set when the hypervisor says that something happened to it."""


Review = Callable[[Watched], Awaitable[None]]


class WatchList:
    """``review``: called for a machine to which something happened that nobody here did."""

    def __init__(self, review: Review) -> None:
        self._review = review
        self._watched: dict[str, Watched] = {}
        self._reviews: set[asyncio.Task[None]] = set()

    def of(self, plan: MachinePlan) -> Watched:
        watched = self._watched.get(plan.id)
        if watched is None:
            watched = self._watched[plan.id] = Watched(plan)
        watched.plan = plan
        return watched

    def get(self, machine_id: str) -> Watched | None:
        return self._watched.get(machine_id)

    def all(self) -> Iterable[Watched]:
        return tuple(self._watched.values())

    def forget(self, plan: MachinePlan) -> None:
        self._watched.pop(plan.id, None)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[Watched]:
        """Within the block the machine is ours to change; the block says in ``known`` what it becomes."""
        watched = self.of(plan)
        watched.busy += 1
        watched.trouble = ""
        try:
            yield watched
        except BaseException:
            watched.known = None
            raise
        finally:
            watched.busy -= 1
            if watched.happened and not watched.busy:
                watched.happened = False
                self._soon(watched)

    def happened(self, watched: Watched) -> None:
        watched.changed.set()
        if watched.busy:
            watched.happened = True
        else:
            self._soon(watched)

    def _soon(self, watched: Watched) -> None:
        task = asyncio.get_running_loop().create_task(self._reviewed(watched))
        self._reviews.add(task)
        task.add_done_callback(self._reviews.discard)

    async def _reviewed(self, watched: Watched) -> None:
        # A hypervisor that goes away is noticed elsewhere, and looked at again when it is back.
        with contextlib.suppress(BoxwrightError):
            await self._review(watched)

    async def close(self) -> None:
        for task in tuple(self._reviews):
            task.cancel()
        await asyncio.gather(*self._reviews, return_exceptions=True)
        self._watched.clear()
