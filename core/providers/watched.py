"""Machines that an engine has had to do with: what it does to them itself is no news, all else is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from core.errors import BoxwrightError
from core.model.machine import MachinePlan, MachineState
from core.providers.base import Seen


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

    def learn(self, seen: Seen | None) -> MachineState | None:
        """Take in what was found when something happened. Returns the state that it was in until now where
        that is news, None where it is not, or where it has to be looked at again."""
        if seen is None or self.busy:
            self.happened = self.busy > 0
            return None
        before, self.known = self.known, seen.state
        trouble, self.trouble = self.trouble, seen.trouble
        return None if before is seen.state and trouble == seen.trouble else before


W = TypeVar("W", bound=Watched)


class WatchList(Generic[W]):
    """``kind``: makes one of its entries. ``review``: called for a machine to which something happened that
    nobody here did. ``name``: what the hypervisor calls a machine in its news, by the machine's id."""

    def __init__(
        self,
        kind: Callable[[MachinePlan], W],
        review: Callable[[W], Awaitable[None]],
        *,
        name: Callable[[str], str] = str,
    ) -> None:
        self._kind = kind
        self._review = review
        self._name = name
        self._watched: dict[str, W] = {}
        self._reviews: set[asyncio.Task[None]] = set()

    def of(self, plan: MachinePlan) -> W:
        name = self._name(plan.id)
        watched = self._watched.get(name)
        if watched is None:
            watched = self._watched[name] = self._kind(plan)
        watched.plan = plan
        return watched

    def named(self, name: str) -> W | None:
        return self._watched.get(name)

    def all(self) -> Iterable[W]:
        return tuple(self._watched.values())

    def forget(self, plan: MachinePlan) -> None:
        self._watched.pop(self._name(plan.id), None)

    @contextlib.asynccontextmanager
    async def changing(self, plan: MachinePlan) -> AsyncIterator[W]:
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

    def happened(self, watched: W) -> None:
        watched.changed.set()
        if watched.busy:
            watched.happened = True
        else:
            self._soon(watched)

    def _soon(self, watched: W) -> None:
        task = asyncio.get_running_loop().create_task(self._reviewed(watched))
        self._reviews.add(task)
        task.add_done_callback(self._reviews.discard)

    async def _reviewed(self, watched: W) -> None:
        # A hypervisor that goes away is noticed elsewhere, and looked at again when it is back.
        with contextlib.suppress(BoxwrightError):
            await self._review(watched)

    async def close(self) -> None:
        for task in tuple(self._reviews):
            task.cancel()
        await asyncio.gather(*self._reviews, return_exceptions=True)
        self._watched.clear()
