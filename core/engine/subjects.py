"""Who holds what: operations on one subject queue behind each other, in order of arrival."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from core.model.machine import Holder

Changed = Callable[[str, Holder | None, tuple[Holder, ...]], None]
Told = Callable[[Holder | None], None]


class _Waiter:
    def __init__(self, ticket: Holder, told: Told) -> None:
        self.ticket = ticket
        self.told = told
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Queue:
    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.depth = 1
        self.waiting: list[_Waiter] = []


class Subjects:
    """``changed(subject, holder, waiting)`` is called whenever one of them changes."""

    def __init__(self, changed: Changed) -> None:
        self._changed = changed
        self._queues: dict[str, _Queue] = {}

    def holder(self, subject: str) -> Holder | None:
        queue = self._queues.get(subject)
        return queue.holder if queue else None

    def held(self) -> dict[str, Holder]:
        """All subjects that are held now."""
        return {subject: queue.holder for subject, queue in self._queues.items()}

    async def acquire(self, subject: str, ticket: Holder, told: Told) -> None:
        """Hold ``subject`` as ``ticket`` says, once it is free.

        While waiting, ``told`` hears who holds it, again with each new holder, and None at the end.
        An operation that holds it already holds it once more.
        """
        if not subject:
            return
        queue = self._queues.get(subject)
        if queue is None:
            self._queues[subject] = _Queue(_now(ticket))
            self._tell(subject)
            return
        if queue.holder.operation == ticket.operation:
            queue.depth += 1
            return
        waiter = _Waiter(ticket, told)
        queue.waiting.append(waiter)
        self._tell(subject)
        told(queue.holder)
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter in queue.waiting:
                queue.waiting.remove(waiter)
                self._tell(subject)
            elif waiter.turn.done() and not waiter.turn.cancelled():
                # Its turn came in the same instant: pass it on.
                self.release(subject, ticket.operation)
            raise
        finally:
            told(None)

    def release(self, subject: str, operation: str) -> None:
        """Let go of it once; the next in the queue gets it."""
        queue = self._queues.get(subject)
        if queue is None or queue.holder.operation != operation:
            return
        queue.depth -= 1
        if queue.depth:
            return
        # One that was cancelled in this instant has not yet taken itself out of the queue.
        queue.waiting = [waiter for waiter in queue.waiting if not waiter.turn.done()]
        if queue.waiting:
            following = queue.waiting.pop(0)
            queue.holder = _now(following.ticket)
            queue.depth = 1
            following.turn.set_result(None)
            for waiter in queue.waiting:
                waiter.told(queue.holder)
        else:
            del self._queues[subject]
        self._tell(subject)

    def _tell(self, subject: str) -> None:
        queue = self._queues.get(subject)
        if queue is None:
            self._changed(subject, None, ())
        else:
            self._changed(subject, queue.holder, tuple(waiter.ticket for waiter in queue.waiting))


def _now(ticket: Holder) -> Holder:
    return Holder(ticket.operation, ticket.action, time.time())


def waiting_text(holder: Holder | None) -> str:
    """``waiting for 'up web' (operation 000017, since 12:03:04)``; "" for nobody."""
    if holder is None:
        return ""
    since = time.strftime("%H:%M:%S", time.localtime(holder.since))
    return f"waiting for '{holder.action}' (operation {holder.operation}, since {since})"
