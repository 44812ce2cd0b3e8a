"""An action, cancelled at each of its points."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from core.model.work import Work
from tests.providers.bench import Machine
from tests.support.interrupt import Interrupted

Action = Callable[[Machine, Work], Coroutine[Any, Any, object]]


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
            await prepare(machine)
        work = machine.work()
        interrupted: Interrupted[object] = Interrupted(action(machine, work), point)

        async def run(interrupted: Interrupted[object] = interrupted) -> None:
            await interrupted

        try:
            await asyncio.wait_for(asyncio.ensure_future(run()), 60)
        except asyncio.CancelledError:
            await work.undo()
            await check(machine)
            continue
        if not interrupted.reached:
            return
    raise AssertionError("it never ended")
