"""An action, cancelled at each of its points."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from core.model.work import Work
from tests.providers.bench import Machine
from tests.support.interrupt import Interrupted

Action = Callable[[Machine, Work], Coroutine[Any, Any, object]]

LONG = 150.0
"""Seconds: more than the longest time limit of a provider's call that needs no copying."""


async def cancel_everywhere(
    machines: Callable[[], Machine],
    action: Action,
    *,
    prepare: Callable[[Machine], Awaitable[None]] | None,
    check: Callable[[Machine], Awaitable[None]],
) -> None:
    """Do ``action``, cancelled at its first, second, ... point, until it ends before being cancelled.

    After each cancellation what it began is undone, as the engine does, and ``check`` looks.
    """
    for point in range(1, 1000):
        machine = machines()
        if prepare:
            await _bounded(prepare(machine), f"what comes before point {point}")
        work = machine.work()
        interrupted: Interrupted[object] = Interrupted(action(machine, work), point)

        async def run(interrupted: Interrupted[object] = interrupted) -> None:
            await interrupted

        try:
            await _bounded(run(), f"the action, to be cancelled at point {point},")
        except asyncio.CancelledError:
            await _bounded(work.undo(), f"undoing after point {point}")
            await _bounded(check(machine), f"the look after point {point}")
            continue
        if not interrupted.reached:
            return
    raise AssertionError("it never ended")


async def _bounded(action: Awaitable[object], what: str) -> None:
    """Where it hangs, the failure says what hung, and at which places its tasks waited."""
    running = asyncio.ensure_future(action)
    await asyncio.wait([running], timeout=LONG)
    if not running.done():
        waits = [f"{task.get_name()}: {task.get_stack()}" for task in asyncio.all_tasks()]
        running.cancel()
        raise AssertionError("\n".join([f"{what} took more than {LONG:g} s", *waits]))
    await running
