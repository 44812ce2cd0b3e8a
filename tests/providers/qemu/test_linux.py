"""A real Linux guest: it answers on its forwarded port, goes on after a suspension, powers off when asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.model.machine import Disk, MachineState
from core.providers.base import Started
from tests.providers.bench import Machine
from tests.providers.qemu.test_contract import QemuBench
from tests.support.tiny import tiny_image  # noqa: F401

pytestmark = pytest.mark.real

BOOT = 60.0


@pytest.fixture
async def machine(short_folder: Path, tiny_image: Path) -> AsyncIterator[Machine]:  # noqa: F811
    bench = QemuBench(short_folder)
    disks = (Disk(path=str(tiny_image)),)
    made = await Machine(bench, bench.plans.make(disks=disks, memory=256 << 20)).create()
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []
    await bench.provider.close()


async def banner(began: Started) -> bytes:
    """What the guest's SSH server says first.

    QEMU takes connections from its start on. One that comes before the guest's network is up hangs there for
    many seconds, so none is waited for longer than one.
    """
    async with asyncio.timeout(BOOT):
        while True:
            reader, writer = await asyncio.open_connection(began.ssh_host, began.ssh_port)
            try:
                said = await asyncio.wait_for(reader.read(4), 1.0)
            except (ConnectionError, TimeoutError):
                said = b""
            finally:
                writer.close()
            if said:
                return said
            await asyncio.sleep(0.1)


async def test_a_linux_guest_answers_suspends_and_powers_off(machine: Machine) -> None:
    provider, plan = machine.provider, machine.plan
    began = await provider.start(plan, machine.work())
    assert await banner(began) == b"SSH-"
    used = await provider.stats(plan)
    assert used.cpu_seconds > 0.1
    assert used.memory > 32 << 20
    assert used.disk_read > 1 << 20
    await provider.save_snapshot(plan, "up", machine.work())
    await provider.suspend(plan, machine.work())
    began = await provider.resume(plan, machine.work())
    assert await banner(began) == b"SSH-"
    began = await provider.restore_snapshot(plan, "up", machine.work()) or began
    assert await banner(began) == b"SSH-"
    work = machine.work()
    await provider.stop(plan, work)
    assert not any("by force" in note for note in work.notes)
    assert await machine.state() is MachineState.STOPPED
