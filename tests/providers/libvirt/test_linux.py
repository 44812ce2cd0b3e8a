"""A real Linux guest on libvirt: it answers on its forwarded port, goes on after a suspension, powers off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.model.machine import Disk, MachineState
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.qemu.test_linux import banner
from tests.support.libvirtd import Libvirtd
from tests.support.tiny import tiny_image  # noqa: F401

pytestmark = pytest.mark.real


@pytest.fixture
async def machine(
    system_daemon: Libvirtd,
    short_folder: Path,
    tiny_image: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Machine]:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    bench = LibvirtBench(short_folder, system_daemon.uri)
    disks = (Disk(path=str(tiny_image)),)
    made = await Machine(bench, bench.plans.make(disks=disks, memory=256 << 20)).create()
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []
    await bench.close()


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
