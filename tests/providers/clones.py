"""What every provider does that can clone: mixed into the contract of those that claim it.

:class:`StoppedClones` is for providers whose guests cannot run here, :class:`Clones` for all others.
"""

from __future__ import annotations

import pytest

from core.errors import BoxwrightError, ProviderError
from core.model.machine import ExtraDisk, MachineState
from core.model.provider import Capability
from tests.providers.bench import Bench, Machine, NewMachine
from tests.providers.cancelling import cancel_everywhere


class StoppedClones:
    """Clones of machines that do not run."""

    async def test_a_clone_is_a_stopped_machine_of_its_own(self, bench: Bench, machines: NewMachine) -> None:
        source = await machines().create()
        copy = await source.clone(machines())
        assert await source.state() is MachineState.STOPPED
        assert await copy.state() is MachineState.STOPPED
        await source.destroy()
        assert await bench.traces(source.plan) == []
        assert await copy.state() is MachineState.STOPPED
        await copy.destroy()
        assert await bench.traces(copy.plan) == []

    async def test_a_clone_has_no_snapshots_and_its_source_keeps_them(self, machines: NewMachine) -> None:
        source = await machines().create()
        await source.provider.save_snapshot(source.plan, "one", source.work())
        copy = await source.clone(machines())
        assert await copy.provider.snapshots(copy.plan) == ()
        assert [point.name for point in await source.provider.snapshots(source.plan)] == ["one"]
        await copy.provider.save_snapshot(copy.plan, "one", copy.work())
        await copy.provider.restore_snapshot(copy.plan, "one", copy.work())
        await source.provider.restore_snapshot(source.plan, "one", source.work())
        await source.provider.delete_snapshot(source.plan, "one", source.work())
        assert [point.name for point in await copy.provider.snapshots(copy.plan)] == ["one"]

    async def test_clones_can_be_cloned(self, machines: NewMachine) -> None:
        first = await machines().create()
        second = await first.clone(machines())
        third = await second.clone(machines())
        await second.destroy()
        for machine in (first, third):
            assert await machine.state() is MachineState.STOPPED

    async def test_what_does_not_exist_is_not_cloned(self, bench: Bench, machines: NewMachine) -> None:
        source, copy = machines(), machines()
        with pytest.raises(BoxwrightError):
            await source.clone(copy)
        assert await bench.traces(copy.plan) == []

    async def test_a_machine_that_exists_is_not_overwritten_by_a_clone(self, machines: NewMachine) -> None:
        source, other = [await machines().create() for _ in range(2)]
        with pytest.raises(ProviderError, match="exists already"):
            await source.clone(other)
        assert await other.state() is MachineState.STOPPED

    async def test_a_broken_machine_is_not_cloned(self, bench: Bench, machines: NewMachine) -> None:
        source, copy = await machines().create(), machines()
        await bench.lose_disk(source.plan)
        work = copy.work()
        with pytest.raises(ProviderError):
            await copy.provider.clone(source.plan, copy.plan, work)
        await work.undo()
        assert await bench.traces(copy.plan) == []

    async def test_a_cancelled_clone_leaves_nothing_and_its_source_whole(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        source = await machines().create()

        async def check(copy: Machine) -> None:
            assert await copy.state() is MachineState.ABSENT
            assert await bench.traces(copy.plan) == []
            assert await source.state() is MachineState.STOPPED

        await cancel_everywhere(
            machines, lambda m, w: m.provider.clone(source.plan, m.plan, w), prepare=None, check=check
        )
        assert await (await source.clone(machines())).state() is MachineState.STOPPED


class Clones(StoppedClones):
    """Clones of machines that run, and clones that run."""

    async def test_a_clone_has_the_disks_of_its_source_and_writes_to_its_own(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        can = bench.provider.capabilities
        disks = (ExtraDisk(name="data", size=10 << 20),) if Capability.EXTRA_DISKS in can else ()
        source = await (await machines(extra_disks=disks).create()).start()
        await store(bench, source, 3)
        await source.provider.stop(source.plan, source.work())
        copy = await source.clone(machines(extra_disks=disks))
        for machine in (source, copy):
            await machine.start()
            assert await bench.stored(machine.plan) == 3
        assert await bench.count(copy.plan) == 1, "a clone has no memory of its source"
        await bench.store(copy.plan)
        assert await bench.stored(source.plan) == 3
        await store(bench, source, 5)
        assert await bench.stored(copy.plan) == 1

    async def test_a_running_machine_runs_on_while_it_is_cloned(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        source = await (await machines().create()).start()
        await store(bench, source, 2)
        copy = await (await source.clone(machines())).start()
        assert await bench.stored(copy.plan) == 2
        await store(bench, source, 4)
        assert await bench.stored(copy.plan) == 2
        await source.provider.stop(source.plan, source.work())
        await source.start()
        assert await bench.stored(source.plan) == 4
        await source.destroy()
        assert await bench.stored(copy.plan) == 2

    async def test_a_clone_outlives_its_source(self, bench: Bench, machines: NewMachine) -> None:
        source = await (await machines().create()).start()
        await store(bench, source, 2)
        copy = await source.clone(machines())
        await source.destroy()
        assert await bench.traces(source.plan) == []
        await copy.start()
        assert await bench.stored(copy.plan) == 2

    async def test_a_suspended_machine_goes_on_after_it_was_cloned(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        source = await (await machines().create()).start()
        await store(bench, source, 2)
        await source.provider.suspend(source.plan, source.work())
        copy = await source.clone(machines())
        await source.provider.resume(source.plan, source.work())
        assert await bench.count(source.plan) == 3
        await copy.start()
        assert await bench.stored(copy.plan) == 2

    async def test_a_cancelled_clone_of_a_running_machine_harms_nothing(
        self, bench: Bench, machines: NewMachine
    ) -> None:
        for snapshot in (False, True)[: 1 + (Capability.SNAPSHOT in bench.provider.capabilities)]:
            source = await (await machines().create()).start()
            await store(bench, source, 2)
            if snapshot:
                await source.provider.save_snapshot(source.plan, "one", source.work())
            await self._cancel(bench, machines, source)
            copy = await (await source.clone(machines())).start()
            assert await bench.stored(copy.plan) == 2
            await source.provider.stop(source.plan, source.work())
            await source.start()
            assert await bench.stored(source.plan) == 2

    async def _cancel(self, bench: Bench, machines: NewMachine, source: Machine) -> None:
        async def check(copy: Machine) -> None:
            assert await bench.traces(copy.plan) == []
            assert await bench.stored(source.plan) == 2

        await cancel_everywhere(
            machines, lambda m, w: m.provider.clone(source.plan, m.plan, w), prepare=None, check=check
        )


class MemoryClones(Clones):
    """Clones of machines whose snapshots have memory."""

    async def test_snapshots_with_memory_outlive_a_clone(self, bench: Bench, machines: NewMachine) -> None:
        source = await (await machines().create()).start()
        await store(bench, source, 1)
        await source.provider.save_snapshot(source.plan, "one", source.work())
        await store(bench, source, 2)
        copy = await source.clone(machines())
        await source.provider.save_snapshot(source.plan, "two", source.work())
        await source.provider.restore_snapshot(source.plan, "one", source.work())
        assert await bench.stored(source.plan) == 1
        assert await bench.count(source.plan) == 2
        await source.provider.restore_snapshot(source.plan, "two", source.work())
        assert await bench.stored(source.plan) == 2
        await copy.start()
        assert await bench.stored(copy.plan) == 2


async def store(bench: Bench, machine: Machine, number: int) -> None:
    """Count up to ``number``, and write it to the machine's disk."""
    while await bench.count(machine.plan) < number:
        pass
    await bench.store(machine.plan)
