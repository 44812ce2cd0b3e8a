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
from tests.providers.libvirt.test_crash import (
    can_be_destroyed,
    can_be_stopped,
    no_snapshot,
    stopped,
    unchanged,
)
from tests.providers.lxd.bench import LxdBench
from tests.providers.networks import Wiring
from tests.providers.qemu.test_crash import no_machine, running_machine, stopped_machine, undo_written
from tests.support.lxd import Lxd

pytestmark = pytest.mark.real

EVERY = bool(os.environ.get("BOXWRIGHT_EVERY_POINT"))
"""Each call has a dozen points, most of which are the same to the server: usually some are tried."""

Step = Callable[[Machine], Awaitable[None]]


@pytest.mark.parametrize(
    ("action", "prepare", "check", "points", "stride"),
    [
        ("create", no_machine, unchanged, 40, 43),
        ("start", stopped_machine, stopped, 30, 31),
        pytest.param("stop", running_machine, can_be_stopped, 20, 31, marks=pytest.mark.slow),
        ("destroy", running_machine, can_be_destroyed, 40, 43),
        pytest.param("save", running_machine, no_snapshot, 20, 31, marks=pytest.mark.slow),
    ],
)
async def test_killed_in_the_middle(
    bench: LxdBench,
    daemon: Lxd,
    short_folder: Path,
    action: str,
    prepare: Step,
    check: Step,
    points: int,
    stride: int,
) -> None:
    before = daemon.objects()
    machine = Machine(bench, bench.plans.make(networks=(Wiring().place(10),)))
    try:
        for point in range(1, 2000, 1 if EVERY else stride):
            await prepare(machine)
            await bench.close()
            journal = short_folder / f"journal{point}"
            died = await asyncio.to_thread(die, "lxd", machine, action, point, short_folder, journal)
            machine.provider = bench.again()
            if not died:
                break
            await undo_written(journal, machine.provider.undo)
            await check(machine)
            assert await machine.state() is not MachineState.BROKEN
        assert point > points
    finally:
        await machine.destroy()
        assert bench.traces(machine.plan) == []
    assert daemon.objects() == before
