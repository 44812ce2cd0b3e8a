"""The engine killed at any instant: the next one puts it in order, and nothing of ours stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from core.model.machine import MachineState
from tests.providers.bench import Machine
from tests.providers.crashing import die
from tests.providers.qemu.test_crash import no_machine, stopped_machine, undo_written
from tests.providers.virtualbox.bench import VirtualBoxBench

pytestmark = pytest.mark.real

STRIDE = 1 if os.environ.get("BOXWRIGHT_EVERY_POINT") else 13

Step = Callable[[Machine], Awaitable[None]]


async def with_snapshot(machine: Machine) -> None:
    await stopped_machine(machine)
    if not await machine.provider.snapshots(machine.plan):
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())


async def nothing_there(machine: Machine) -> None:
    assert await machine.bench.traces(machine.plan) == []


async def no_snapshot(machine: Machine) -> None:
    assert await machine.state() is MachineState.STOPPED
    assert await machine.provider.snapshots(machine.plan) == ()


async def can_be_restored(machine: Machine) -> None:
    assert await machine.state() is MachineState.STOPPED
    assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work()) is None


async def can_be_made_again(machine: Machine) -> None:
    await machine.destroy()
    assert await machine.bench.traces(machine.plan) == []


@pytest.mark.parametrize(
    ("action", "prepare", "check", "points"),
    [
        ("create", no_machine, nothing_there, 10),
        ("save", stopped_machine, no_snapshot, 5),
        ("restore", with_snapshot, can_be_restored, 5),
        ("destroy", stopped_machine, can_be_made_again, 5),
    ],
)
async def test_killed_in_the_middle(
    bench: VirtualBoxBench, short_folder: Path, action: str, prepare: Step, check: Step, points: int
) -> None:
    machine = Machine(bench, bench.plans.make())
    try:
        for point in range(1, 1000, STRIDE):
            await prepare(machine)
            await bench.close()
            journal = short_folder / f"journal{point}"
            died = await asyncio.to_thread(die, "virtualbox", machine, action, point, short_folder, journal)
            machine.provider = bench.again()
            if not died:
                break
            await undo_written(journal, machine.provider.undo)
            await check(machine)
        assert point > points
    finally:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []
