"""The daemon dies in the middle of anything, and comes back."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import ProviderError
from core.model.machine import MachineState
from core.providers.base import Migrating
from core.providers.libvirt import connection
from tests.providers.bench import Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.dying import dies_in_the_middle
from tests.providers.libvirt.test_faults import bench, machine, objects
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON, reach, under_way

__all__ = ["bench", "machine"]

pytestmark = pytest.mark.real

CALLS = {
    "create": "define",
    "stop": "press_button",
    "suspend": "_managed_save",
    "save": "_save",
    "restore": "_revert",
    "delete": "_delete",
    "clone": "pause",
    "destroy": "remove",
}
"""Each action with the call of libvirt's in which the daemon dies."""


@pytest.mark.parametrize("action", CALLS)
async def test_the_daemon_may_die_in_the_middle_of_anything(
    machine: Machine, session_daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    await dies_in_the_middle(machine, session_daemon, monkeypatch, action, CALLS[action])


@pytest.mark.parametrize("which", ["source", "target"])
async def test_a_move_in_which_a_daemon_dies_leaves_the_machine_running_in_one_place(
    bench: LibvirtBench,
    machine: Machine,
    session_daemon: Libvirtd,
    other_daemon: Libvirtd,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
) -> None:
    provider, plan, work = machine.provider, machine.plan, machine.work()
    await (await machine.create()).start()
    assert await bench.count(plan) == 1
    await bench.hang_up(plan)
    assert isinstance(provider, Migrating)
    begun = under_way(monkeypatch, connection.Connection, "run", "_migrate")
    task = asyncio.ensure_future(provider.migrate(plan, other_daemon.uri, work))
    await reach(begun, task)
    with (session_daemon if which == "source" else other_daemon).gone():
        (ended,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 2 * SOON)
    if isinstance(ended, BaseException):
        assert isinstance(ended, ProviderError), ended
        await asyncio.wait_for(work.undo(), 4 * SOON)
    assert await machine.state() is MachineState.RUNNING
    assert await bench.count(plan) == 2
    places = [daemon for daemon in (session_daemon, other_daemon) if objects(daemon.uri)["domains"]]
    assert len(places) == 1
