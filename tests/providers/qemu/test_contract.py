"""Real QEMU keeps the contract."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.model.machine import MachinePlan
from core.providers.base import Provider
from core.providers.qemu import QemuProvider, processes
from core.providers.qemu.layout import Layout
from tests.providers.bench import Plans
from tests.providers.clones import MemoryClones
from tests.providers.contract import ProviderContract, machines  # noqa: F401
from tests.support.bootsector import READY
from tests.support.moments import SOON


class QemuBench:
    """Machines run the guest of the boot sector, which is spoken to over the serial console."""

    def __init__(self, root: Path) -> None:
        self.provider: Provider = QemuProvider()
        self.plans = Plans(root)
        self.later: list[Provider] = []

    def again(self) -> Provider:
        self.later.append(QemuProvider())
        self.provider = self.later[-1]
        return self.provider

    async def kill(self, plan: MachinePlan) -> None:
        pid = processes.find(Layout.of(plan).pid_file)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await processes.ended(pid, SOON)

    async def power_off(self, plan: MachinePlan) -> None:
        await self._tell(plan, b"q", 0)

    async def deafen(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, b"i") == b"i"

    async def lose_disk(self, plan: MachinePlan) -> None:
        (Layout.of(plan).home / "disk0.qcow2").unlink()

    async def traces(self, plan: MachinePlan) -> list[str]:
        layout = Layout.of(plan)
        found = [str(path) for path in Path(plan.folder).iterdir()]
        found += [f"process {pid}" for pid in processes.find_all(layout.pid_file)]
        return found + ([str(layout.runtime)] if layout.runtime.exists() else [])

    async def count(self, plan: MachinePlan) -> int:
        return ord(await self._tell(plan, b"+")) - ord("0")

    async def store(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, b"w") == b"w"

    async def stored(self, plan: MachinePlan) -> int:
        return ord(await self._tell(plan, b"r")) - ord("0")

    async def _tell(self, plan: MachinePlan, letter: bytes, answer: int = 1) -> bytes:
        """Wait until the guest listens, say one letter, return its answer of so many bytes."""
        console = await self.provider.console(plan)
        try:
            async with asyncio.timeout(SOON):
                said = b""
                log = Path(self.provider.serial_log(plan) or "")
                while READY not in said:
                    said += await console.read()
                while len(said) < log.stat().st_size:
                    said += await console.read()
                await console.write(letter)
                before = len(said)
                while len(said) < before + answer:
                    data = await console.read()
                    assert data, f"the console ended after {said!r}"
                    said += data
                return said[before:]
        finally:
            await console.close()


@pytest.fixture
async def bench(short_folder: Path) -> AsyncIterator[QemuBench]:
    made = QemuBench(short_folder)
    yield made
    for provider in (made.provider, *made.later):
        await provider.close()


@pytest.mark.real
class TestQemu(MemoryClones, ProviderContract):
    pass
