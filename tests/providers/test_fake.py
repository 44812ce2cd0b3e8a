"""The fake keeps the contract: what is tested with it holds for real providers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.model.machine import MachinePlan
from core.providers.base import Provider
from tests.providers.bench import Plans
from tests.providers.contract import ProviderContract, machines  # noqa: F401
from tests.support.fake_provider import FakeHypervisor, FakeMachine, FakeProvider


class FakeBench:
    def __init__(self, root: Path) -> None:
        self.hypervisor = FakeHypervisor()
        self.provider: Provider = FakeProvider(self.hypervisor)
        self.plans = Plans(root)

    def _machine(self, plan: MachinePlan) -> FakeMachine:
        return self.hypervisor.machines[plan.id]

    def again(self) -> Provider:
        return FakeProvider(self.hypervisor)

    async def kill(self, plan: MachinePlan) -> None:
        self.hypervisor.kill(plan.id)

    async def power_off(self, plan: MachinePlan) -> None:
        self.hypervisor.power_off(plan.id)

    async def deafen(self, plan: MachinePlan) -> None:
        self._machine(plan).deaf = True

    def lose_disk(self, plan: MachinePlan) -> None:
        self._machine(plan).disks[0].unlink()

    def traces(self, plan: MachinePlan) -> list[str]:
        files = [str(path) for path in Path(plan.folder).iterdir()]
        return files + ([plan.id] if plan.id in self.hypervisor.machines else [])

    async def count(self, plan: MachinePlan) -> int:
        self._machine(plan).memory += 1
        return self._machine(plan).memory

    async def store(self, plan: MachinePlan) -> None:
        self._machine(plan).disk = self._machine(plan).memory

    async def stored(self, plan: MachinePlan) -> int:
        return self._machine(plan).disk


@pytest.fixture
def bench(tmp_path: Path) -> FakeBench:
    return FakeBench(tmp_path)


class TestFake(ProviderContract):
    pass
