"""What every provider does with machines that do not run: the part of the contract that needs no guest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import BoxwrightError, NotFoundError, ProviderError, UsageError
from core.model.machine import ExtraDisk, MachineState
from core.model.provider import Capability
from tests.providers.bench import Bench, Machine, NewMachine
from tests.providers.cancelling import cancel_everywhere
from tests.providers.clones import Clones, MemoryClones, StoppedClones


@pytest.fixture
async def machines(bench: Bench) -> AsyncIterator[NewMachine]:
    """Makes machines, and removes them all after the test."""
    made: list[Machine] = []

    def make(**changes: object) -> Machine:
        machine = Machine(bench, bench.plans.make(**changes))
        made.append(machine)
        return machine

    yield make
    for machine in made:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []


class StoppedContract:
    """Creating, destroying, snapshots of disks, refusals."""

    linked = True
    """Machines need the files of their box as long as they live."""

    def test_unknown_options_are_refused_with_the_known_ones(self, bench: Bench) -> None:
        bench.provider.check({})
        with pytest.raises(UsageError) as raised:
            bench.provider.check({"no_such_option": 1})
        assert "no_such_option" in raised.value.problem.what
        assert "Known are" in raised.value.problem.why

    async def test_a_machine_that_exists_is_not_made_again(self, machines: NewMachine) -> None:
        machine = await machines().create()
        with pytest.raises(ProviderError, match="exists already"):
            await machine.create()
        assert await machine.state() is MachineState.STOPPED

    async def test_a_machine_without_its_box_is_not_made(self, bench: Bench, machines: NewMachine) -> None:
        machine = machines()
        bench.plans.lose_box(machine.plan)
        work = machine.work()
        with pytest.raises(ProviderError, match="missing"):
            await machine.provider.create(machine.plan, work)
        await work.undo()
        assert await bench.traces(machine.plan) == []

    async def test_what_does_not_exist_cannot_be_started(self, machines: NewMachine) -> None:
        with pytest.raises(BoxwrightError) as raised:
            await machines().start()
        assert raised.value.problem.remedy

    async def test_stopping_what_is_stopped_is_no_error(self, machines: NewMachine) -> None:
        machine = await machines().create()
        await machine.provider.stop(machine.plan, machine.work())
        await machine.provider.stop(machine.plan, machine.work(), force=True)
        assert await machine.state() is MachineState.STOPPED

    async def test_destroy_of_nothing_is_no_error(self, bench: Bench, machines: NewMachine) -> None:
        machine = machines()
        await machine.destroy()
        await machine.destroy()
        assert await bench.traces(machine.plan) == []

    async def test_a_stopped_machine_without_its_disk_is_broken(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        await bench.lose_disk(machine.plan)
        seen = await machine.seen()
        assert seen.state is MachineState.BROKEN
        assert "gone" in seen.trouble
        assert "boxwright destroy" in seen.trouble
        with pytest.raises(ProviderError):
            await machine.start()

    async def test_a_stopped_machine_without_its_box_is_broken_where_it_is_linked_to_it(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        bench.plans.lose_box(machine.plan)
        assert await machine.state() is (MachineState.BROKEN if self.linked else MachineState.STOPPED)

    async def test_only_what_runs_can_be_suspended_and_what_is_suspended_resumed(
        self, machines: NewMachine
    ) -> None:
        machine = await machines().create()
        with pytest.raises(ProviderError):
            await machine.provider.suspend(machine.plan, machine.work())
        with pytest.raises(ProviderError):
            await machine.provider.resume(machine.plan, machine.work())

    @pytest.mark.parametrize("name", ["before the upgrade", "a/../b", "Größe, 'x' \"y\" 100%", "-d", "7"])
    async def test_any_reasonable_name_will_do(self, machines: NewMachine, name: str) -> None:
        machine = await machines().create()
        await machine.provider.save_snapshot(machine.plan, name, machine.work())
        assert [point.name for point in await machine.provider.snapshots(machine.plan)] == [name]
        await machine.provider.restore_snapshot(machine.plan, name, machine.work())
        await machine.provider.delete_snapshot(machine.plan, name, machine.work())
        assert await machine.provider.snapshots(machine.plan) == ()

    async def test_snapshots_of_a_stopped_machine_are_a_tree(self, machines: NewMachine) -> None:
        machine = await machines().create()
        provider, plan = machine.provider, machine.plan
        for name in ("a", "b"):
            await provider.save_snapshot(plan, name, machine.work())
        assert await provider.restore_snapshot(plan, "a", machine.work()) is None
        await provider.save_snapshot(plan, "c", machine.work())
        found = {point.name: point for point in await provider.snapshots(plan)}
        assert {name: point.parent for name, point in found.items()} == {"a": "", "b": "a", "c": "a"}
        assert [point.name for point in found.values() if point.current] == ["c"]
        assert not any(point.has_memory for point in found.values())
        for name in ("c", "b"):
            await provider.delete_snapshot(plan, name, machine.work())
        (left,) = await provider.snapshots(plan)
        assert (left.name, left.current) == ("a", True)
        assert await machine.state() is MachineState.STOPPED

    async def test_names_must_be_new_and_known(self, machines: NewMachine) -> None:
        machine = await machines().create()
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        with pytest.raises(UsageError, match="already"):
            await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        with pytest.raises(UsageError):
            await machine.provider.save_snapshot(machine.plan, "  ", machine.work())
        for action in (machine.provider.restore_snapshot, machine.provider.delete_snapshot):
            with pytest.raises(NotFoundError, match="no snapshot"):
                await action(machine.plan, "two", machine.work())

    async def test_a_stopped_machine_has_no_console_and_no_statistics(self, machines: NewMachine) -> None:
        machine = await machines().create()
        with pytest.raises(ProviderError):
            await machine.provider.console(machine.plan)
        with pytest.raises(ProviderError):
            await machine.provider.stats(machine.plan)

    async def test_creating_a_machine_writes_next_to_nothing(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        can = bench.provider.capabilities
        disks = (ExtraDisk(name="data", size=10 << 30),) if Capability.EXTRA_DISKS in can else ()
        machine = await machines(extra_disks=disks).create()
        written = sum(
            path.stat().st_blocks * 512 for path in Path(machine.plan.folder).rglob("*") if path.is_file()
        )
        assert written < 5_000_000

    async def test_a_cancelled_create_leaves_nothing(self, bench: Bench, machines: NewMachine) -> None:
        async def check(machine: Machine) -> None:
            assert await machine.state() is MachineState.ABSENT
            assert await bench.traces(machine.plan) == []

        await cancel_everywhere(
            machines, lambda m, w: m.provider.create(m.plan, w), prepare=None, check=check
        )

    def test_what_it_claims_is_tested(self, bench: Bench) -> None:
        claimed = bench.provider.capabilities
        assert (Capability.CLONE in claimed) == isinstance(self, StoppedClones)
        if isinstance(self, Clones):
            assert (Capability.SNAPSHOT_MEMORY in claimed) == isinstance(self, MemoryClones)
