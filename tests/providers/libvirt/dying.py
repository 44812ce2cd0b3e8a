"""A libvirt that dies in the middle of what is done to a machine, and comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from core.errors import ProviderError
from core.model.machine import MachineState
from core.providers.libvirt import connection
from tests.providers.bench import Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON, reach, under_way
from tests.support.work import RecordingWork

Action = Callable[[Machine, Machine, RecordingWork], Awaitable[object]]

ACTIONS: dict[str, Action] = {
    "create": lambda machine, _, work: machine.provider.create(machine.plan, work),
    "start": lambda machine, _, work: machine.provider.start(machine.plan, work),
    "stop": lambda machine, _, work: machine.provider.stop(machine.plan, work),
    "force": lambda machine, _, work: machine.provider.stop(machine.plan, work, force=True),
    "suspend": lambda machine, _, work: machine.provider.suspend(machine.plan, work),
    "resume": lambda machine, _, work: machine.provider.resume(machine.plan, work),
    "save": lambda machine, _, work: machine.provider.save_snapshot(machine.plan, "one", work),
    "restore": lambda machine, _, work: machine.provider.restore_snapshot(machine.plan, "one", work),
    "delete": lambda machine, _, work: machine.provider.delete_snapshot(machine.plan, "one", work),
    "clone": lambda machine, copy, work: machine.provider.clone(machine.plan, copy.plan, work),
    "destroy": lambda machine, _, work: machine.provider.destroy(machine.plan, work),
}


async def dies_in_the_middle(
    machine: Machine, daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch, action: str, call: str
) -> None:
    """``call``: the function in a thread in which the daemon dies. What was begun is undone, the machine is
    whole, and nothing of it stays."""
    before = objects(daemon.uri)
    copy = Machine(machine.bench, machine.bench.plans.make())
    await _prepare(machine, action)
    work = machine.work()
    begun = under_way(monkeypatch, connection.Connection, "run", call)
    task = asyncio.ensure_future(ACTIONS[action](machine, copy, work))
    await reach(begun, task)
    with daemon.gone():
        (ended,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SOON)
    if isinstance(ended, BaseException):
        assert isinstance(ended, ProviderError), ended
        await asyncio.wait_for(work.undo(), 2 * SOON)
    async with asyncio.timeout(SOON):
        while True:
            with contextlib.suppress(ProviderError):
                assert await machine.state() is not MachineState.BROKEN
                break
            await asyncio.sleep(0.1)
    for each in (copy, machine):
        await each.destroy()
        assert await machine.bench.traces(each.plan) == []
    assert objects(daemon.uri) == before


async def _prepare(machine: Machine, action: str) -> None:
    if action == "create":
        return
    await machine.create()
    if action != "start":
        await machine.start()
        assert await machine.bench.count(machine.plan) == 1
    if action in ("restore", "delete"):
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    if action == "resume":
        await machine.provider.suspend(machine.plan, machine.work())
    if isinstance(machine.bench, LibvirtBench):
        await machine.bench.hang_up(machine.plan)
