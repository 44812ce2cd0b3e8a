"""One action on one machine, in a process that ends itself at the action's N-th suspension point.

``python -m tests.providers.dying PROVIDER ACTION POINT PLAN JOURNAL [TARGET]``: threads and workers of a
provider do not survive a fork, so this is a process of its own. TARGET: the file with the plan of a clone, or
where a machine moves to. Status 137: it died before it was through.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

from core.model.machine import MachinePlan
from core.model.work import Work
from core.providers.base import Migrating, Provider
from tests.providers.qemu.test_crash import KILLED, JournalledWork
from tests.support.interrupt import call_at

Action = Callable[[Provider, MachinePlan, Work], Awaitable[object]]


ACTIONS: dict[str, Action] = {
    "create": lambda provider, plan, work: provider.create(plan, work),
    "start": lambda provider, plan, work: provider.start(plan, work),
    "stop": lambda provider, plan, work: provider.stop(plan, work),
    "suspend": lambda provider, plan, work: provider.suspend(plan, work),
    "resume": lambda provider, plan, work: provider.resume(plan, work),
    "destroy": lambda provider, plan, work: provider.destroy(plan, work),
    "save": lambda provider, plan, work: provider.save_snapshot(plan, "one", work),
    "restore": lambda provider, plan, work: provider.restore_snapshot(plan, "one", work),
    "delete": lambda provider, plan, work: provider.delete_snapshot(plan, "one", work),
}


def _action(name: str, target: str) -> Action:
    if name == "clone":
        copy = msgspec.json.decode(Path(target).read_bytes(), type=MachinePlan)
        return lambda provider, plan, work: provider.clone(plan, copy, work)
    if name == "migrate":
        return lambda provider, plan, work: _migrate(provider, plan, target, work)
    return ACTIONS[name]


async def _migrate(provider: Provider, plan: MachinePlan, target: str, work: Work) -> None:
    assert isinstance(provider, Migrating)
    await provider.migrate(plan, target, work)


async def main(name: str, action: str, point: int, plan_file: Path, journal: Path, target: str = "") -> None:
    plan = msgspec.json.decode(plan_file.read_bytes(), type=MachinePlan)
    (found,) = entry_points(group="boxwright.providers", name=name)
    provider: Provider = found.load()()
    work = JournalledWork(provider.undo, journal)

    async def act() -> None:
        await _action(action, target)(provider, plan, work)

    await call_at(point, lambda: os._exit(KILLED), act())
    # What is left to the threads must not delay the end.
    os._exit(0)


if __name__ == "__main__":
    _, name, action, point, plan, journal, *target = sys.argv
    asyncio.run(main(name, action, int(point), Path(plan), Path(journal), *target))
