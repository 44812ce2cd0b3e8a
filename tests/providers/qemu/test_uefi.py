"""A machine with UEFI firmware: its variables are its own, and part of its snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import ProviderError
from core.providers import firmware
from core.providers.base import Console
from core.providers.qemu.layout import Layout
from tests.providers.bench import Machine
from tests.providers.qemu.test_contract import QemuBench

pytestmark = pytest.mark.real


@pytest.fixture
async def machine(short_folder: Path) -> AsyncIterator[Machine]:
    bench = QemuBench(short_folder)
    made = Machine(bench, bench.plans.make(firmware="uefi"))
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []
    await bench.provider.close()


def installed() -> bool:
    try:
        return firmware.find("x86_64") is not None
    except ProviderError:
        return False


async def firmware_speaks(console: Console) -> None:
    """The disk's boot sector means nothing to UEFI: it says so, and goes on to look elsewhere."""
    said = b""
    async with asyncio.timeout(60):
        while b"BdsDxe" not in said:
            said += await console.read()


async def test_uefi_machines_start_snapshot_suspend_and_come_back(machine: Machine) -> None:
    if not installed():
        with pytest.raises(ProviderError) as raised:
            await machine.create()
        assert "install" in raised.value.problem.remedy
        return
    provider, plan = machine.provider, machine.plan
    await (await machine.create()).start()
    await firmware_speaks(await provider.console(plan))
    await provider.save_snapshot(plan, "one", machine.work())
    await provider.suspend(plan, machine.work())
    await provider.resume(plan, machine.work())
    await provider.restore_snapshot(plan, "one", machine.work())
    await provider.stop(plan, machine.work(), force=True)
    await provider.restore_snapshot(plan, "one", machine.work())
    await provider.delete_snapshot(plan, "one", machine.work())
    assert (Layout.of(plan).home / "nvram.qcow2").stat().st_size > 0
