"""A daemon of LXD that dies in the middle of what is done to a machine; containers outlive it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from core.errors import BoxwrightError
from core.model.machine import MachineState
from core.providers.lxd.connection import Connection
from core.providers.lxd.instances import default_name
from core.providers.lxd.troubles import LxdError
from tests.providers.bench import Machine
from tests.providers.lxd.bench import LxdBench
from tests.support.lxd import Lxd
from tests.support.moments import SOON, answered, reach
from tests.support.work import RecordingWork

pytestmark = pytest.mark.real

Action = Callable[[Machine, Machine, RecordingWork], Awaitable[object]]

ACTIONS: dict[str, Action] = {
    "stop": lambda machine, _, work: machine.provider.stop(machine.plan, work, force=True),
    "suspend": lambda machine, _, work: machine.provider.suspend(machine.plan, work),
    "resume": lambda machine, _, work: machine.provider.resume(machine.plan, work),
    "restore": lambda machine, _, work: machine.provider.restore_snapshot(machine.plan, "one", work),
    "clone": lambda machine, copy, work: machine.provider.clone(machine.plan, copy.plan, work),
    "destroy": lambda machine, _, work: machine.provider.destroy(machine.plan, work),
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_daemon_that_dies_in_the_middle_harms_nothing(
    bench: LxdBench, machine: Machine, daemon: Lxd, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """It dies as soon as it has taken the first call that changes something."""
    copy = Machine(bench, bench.plans.make())
    await machine.create()
    if action == "restore":
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    if action != "clone":
        await machine.start()
        assert await bench.count(machine.plan) == 1
    if action == "resume":
        await machine.provider.suspend(machine.plan, machine.work())
    work = machine.work()
    taken = answered(monkeypatch, Connection, "_send", lambda method, *_: method != "GET")
    task = asyncio.ensure_future(ACTIONS[action](machine, copy, work))
    await reach(taken, task)
    with daemon.gone():
        (ended,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SOON)
    if isinstance(ended, BaseException):
        assert isinstance(ended, BoxwrightError), ended
        assert ended.problem.what
        await work.undo()
    await _is_whole(machine, action)
    await copy.destroy()
    assert await bench.traces(copy.plan) == []


async def test_what_may_stand_still_is_not_called_running(
    bench: LxdBench, machine: Machine, daemon: Lxd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a resumption that was cut off the server may say that the container runs, while it stands still."""
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    await machine.provider.suspend(machine.plan, machine.work())

    async def cut_off(*_given: object, **_rest: object) -> None:
        raise LxdError("The server is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "operate", cut_off)
        with pytest.raises(LxdError):
            await machine.provider.resume(machine.plan, machine.work())
    await daemon.aside.lxc("start", default_name(machine.plan))
    assert await machine.state() is MachineState.SUSPENDED
    await machine.provider.resume(machine.plan, machine.work())
    assert await machine.state() is MachineState.RUNNING
    assert await bench.count(machine.plan) == 2


async def _is_whole(machine: Machine, action: str) -> None:
    """What was in its memory is kept where it may be; and it can be used."""
    if action == "destroy":
        return
    state = await _settled(machine)
    if action in ("suspend", "resume"):
        if state is MachineState.SUSPENDED:
            await machine.provider.resume(machine.plan, machine.work())
        assert await machine.bench.count(machine.plan) == 2
        return
    if action == "restore":
        assert [point.name for point in await machine.provider.snapshots(machine.plan)] == ["one"]
    if action == "stop":
        # Before LXD kills a container it freezes it, or forbids it new processes: half ended is not usable.
        await machine.provider.stop(machine.plan, machine.work(), force=True)
    async with asyncio.timeout(2 * SOON):
        while not await _answers(machine):
            pass


async def _answers(machine: Machine) -> bool:
    """Whether it runs, or could be started, and its guest counts."""
    if await _settled(machine) is not MachineState.RUNNING:
        # A daemon that comes back starts what ran when it died, and may be faster than this.
        with contextlib.suppress(BoxwrightError):
            await machine.start()
    # What the one that died had begun to end may come to its end in the middle of the question.
    with contextlib.suppress(AssertionError):
        return await machine.bench.count(machine.plan) >= 1
    return False


async def _settled(machine: Machine) -> MachineState:
    """Once the server is through with what it had begun."""
    lasting = (MachineState.RUNNING, MachineState.SUSPENDED, MachineState.STOPPED)
    async with asyncio.timeout(SOON):
        while (state := await machine.state()) not in lasting:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.1)
    return state
