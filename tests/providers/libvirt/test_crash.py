"""The engine killed at any instant: the next one puts it in order, and nothing of ours stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from core.model.machine import MachineState
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import Machine
from tests.providers.crashing import die
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.qemu.test_crash import (
    machine_with_snapshot,
    memory_is_kept,
    no_machine,
    running_machine,
    stopped_machine,
    suspended_machine,
    undo_written,
)
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

STRIDE = 1 if os.environ.get("BOXWRIGHT_EVERY_POINT") else 4

Step = Callable[[Machine], Awaitable[None]]


@pytest.fixture
async def bench(
    session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    made = LibvirtBench(short_folder, session_daemon.uri)
    yield made
    await made.close()


async def unchanged(machine: Machine) -> None:
    assert await machine.bench.traces(machine.plan) == []


async def stopped(machine: Machine) -> None:
    assert await machine.state() is MachineState.STOPPED
    await machine.start()
    assert await machine.bench.count(machine.plan) == 1


async def can_be_stopped(machine: Machine) -> None:
    await stopped_machine(machine)
    await machine.start()


async def can_be_destroyed(machine: Machine) -> None:
    await machine.destroy()
    assert await machine.bench.traces(machine.plan) == []


async def no_snapshot(machine: Machine) -> None:
    assert await machine.state() is MachineState.RUNNING
    assert await machine.provider.snapshots(machine.plan) == ()
    assert await machine.bench.count(machine.plan) == 2


async def can_be_restored(machine: Machine) -> None:
    assert await machine.state() is not MachineState.BROKEN
    assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
    assert await machine.bench.count(machine.plan) == 2


async def can_be_deleted(machine: Machine) -> None:
    assert await machine.state() is MachineState.RUNNING
    if await machine.provider.snapshots(machine.plan):
        await machine.provider.delete_snapshot(machine.plan, "one", machine.work())
    await machine.provider.save_snapshot(machine.plan, "one", machine.work())


@pytest.mark.parametrize(
    ("action", "prepare", "check", "points"),
    [
        ("create", no_machine, unchanged, 6),
        ("start", stopped_machine, stopped, 4),
        ("suspend", running_machine, memory_is_kept, 3),
        ("resume", suspended_machine, memory_is_kept, 3),
        ("stop", running_machine, can_be_stopped, 3),
        ("destroy", running_machine, can_be_destroyed, 2),
        ("save", running_machine, no_snapshot, 3),
        ("restore", machine_with_snapshot, can_be_restored, 3),
        ("delete", machine_with_snapshot, can_be_deleted, 2),
    ],
)
async def test_killed_in_the_middle(
    bench: LibvirtBench, short_folder: Path, action: str, prepare: Step, check: Step, points: int
) -> None:
    machine = Machine(bench, bench.plans.make())
    try:
        for point in range(1, 1000, STRIDE):
            await prepare(machine)
            await bench.hang_up(machine.plan)
            await bench.close()
            journal = short_folder / f"journal{point}"
            died = await asyncio.to_thread(die, "libvirt", machine, action, point, short_folder, journal)
            machine.provider = bench.again()
            if not died:
                break
            await undo_written(journal, machine.provider.undo)
            await check(machine)
        assert point > points
    finally:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []
