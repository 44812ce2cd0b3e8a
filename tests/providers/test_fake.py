"""The fake keeps the contract: what is tested with it holds for real providers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import ProviderError
from core.model.machine import MachinePlan, MachineState
from core.model.provider import Capability
from core.providers.base import Provider
from tests.providers.bench import Machine, Plans
from tests.providers.clones import MemoryClones
from tests.providers.contract import ProviderContract, machines  # noqa: F401
from tests.providers.networks import Networks
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

    async def lose_disk(self, plan: MachinePlan) -> None:
        self._machine(plan).disks[0].unlink()

    async def traces(self, plan: MachinePlan) -> list[str]:
        files = [str(path) for path in Path(plan.folder).iterdir()]
        return files + ([plan.id] if plan.id in self.hypervisor.machines else [])

    async def count(self, plan: MachinePlan) -> int:
        self._machine(plan).memory += 1
        return self._machine(plan).memory

    async def store(self, plan: MachinePlan) -> None:
        self._machine(plan).disk = self._machine(plan).memory

    async def stored(self, plan: MachinePlan) -> int:
        return self._machine(plan).disk

    async def reaches(self, plan: MachinePlan, address: str) -> bool:
        mine = {network.name for network in plan.networks}
        return any(
            network.name in mine and network.address == address and machine.state is MachineState.RUNNING
            for machine in self.hypervisor.machines.values()
            for network in machine.plan.networks
        )


@pytest.fixture
def bench(tmp_path: Path) -> FakeBench:
    return FakeBench(tmp_path)


class TestFake(MemoryClones, Networks, ProviderContract):
    pass


@pytest.fixture
def machine(bench: FakeBench) -> Machine:
    return Machine(bench, bench.plans.make())


async def test_an_action_can_be_held_in_its_middle(bench: FakeBench, machine: Machine) -> None:
    await machine.create()
    gate = bench.hypervisor.hold("start")
    starting = asyncio.ensure_future(machine.start())
    await asyncio.wait_for(gate.reached.wait(), 5)
    assert await machine.state() is MachineState.STARTING
    gate.release()
    await starting
    assert await machine.state() is MachineState.RUNNING


async def test_an_action_can_be_made_to_fail_once(bench: FakeBench, machine: Machine) -> None:
    bench.hypervisor.fail("create", ProviderError("no room"))
    work = machine.work()
    with pytest.raises(ProviderError, match="no room"):
        await machine.provider.create(machine.plan, work)
    await work.undo()
    assert await bench.traces(machine.plan) == []
    await machine.create()
    assert bench.hypervisor.calls == [("create", machine.plan.id)] * 2


async def test_gates_and_failures_can_be_meant_for_one_machine(bench: FakeBench, machine: Machine) -> None:
    other = await Machine(bench, bench.plans.make()).create()
    await machine.create()
    bench.hypervisor.fail("start", ProviderError("not this one"), machine.plan.id)
    await other.start()
    with pytest.raises(ProviderError, match="not this one"):
        await machine.start()


async def test_what_a_guest_says_reaches_consoles_and_log(bench: FakeBench, machine: Machine) -> None:
    await (await machine.create()).start()
    console = await machine.provider.console(machine.plan)
    assert await console.read() == bench.hypervisor.greeting
    bench.hypervisor.say(machine.plan.id, b"login: ")
    assert await console.read() == b"login: "
    log = machine.provider.serial_log(machine.plan)
    assert log and Path(log).read_bytes() == bench.hypervisor.greeting + b"login: "


async def test_it_can_be_unusable_or_able_to_do_less() -> None:
    probe = await FakeProvider(unusable="It is not installed.", remedy="install it").probe()
    assert (probe.usable, probe.why, probe.remedy) == (False, "It is not installed.", "install it")
    probe = await FakeProvider(capabilities=[Capability.SERIAL]).probe()
    assert probe.capabilities == (Capability.SERIAL,)
