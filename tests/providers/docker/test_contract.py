# ruff: noqa: F811
"""Real Docker keeps the contract. What differs for a container stands here, under the contract's names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ProviderError
from core.model.machine import ExtraDisk, MachineState
from core.model.provider import Capability
from tests.providers.bench import Bench, NewMachine
from tests.providers.cancelling import cancel_everywhere
from tests.providers.clones import Clones
from tests.providers.contract import ProviderContract, machines  # noqa: F401
from tests.providers.docker.bench import COUNTER, DockerBench
from tests.providers.networks import Networks


@pytest.mark.real
class TestDocker(Clones, Networks, ProviderContract):
    linked = False

    async def test_a_machine_without_its_box_is_not_made(self, bench: Bench, machines: NewMachine) -> None:
        options = {"image": "nobody/has:this", "pull": "never"}
        lost = {"rootfs.tar.gz": "/nowhere/rootfs.tar.gz"}
        for fields in ({"options": options}, {"options": {"image": ""}, "box_files": lost}):
            machine = machines(**fields)
            work = machine.work()
            with pytest.raises(ProviderError, match="missing"):
                await machine.provider.create(machine.plan, work)
            await work.undo()
            assert await bench.traces(machine.plan) == []

    async def test_a_stopped_machine_without_its_box_is_broken_where_it_is_linked_to_it(  # type: ignore[override]
        self,
        bench: DockerBench,
        machines: NewMachine,
    ) -> None:
        """It is not: Docker itself keeps what a container is made of."""
        bench.daemon.load("passing:1", {"/bin/counter": COUNTER}, changes=('CMD ["/bin/counter"]',))
        machine = await machines(options={"image": "passing:1"}).create()
        with bench.daemon.client() as client:
            client.images.remove("passing:1", force=True)
        assert await machine.state() is MachineState.STOPPED
        await machine.start()
        assert await bench.count(machine.plan) == 1

    async def test_creating_a_machine_writes_next_to_nothing(self, machines: NewMachine) -> None:
        machine = await machines().create()
        files = [path for path in Path(machine.plan.folder).rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) < 10_000

    async def test_a_running_machine_without_its_disk_says_so(
        self,
        bench: Bench,
        machines: NewMachine,
    ) -> None:
        """A container without its files is none."""
        machine = await (await machines().create()).start()
        await bench.lose_disk(machine.plan)
        seen = await machine.seen()
        assert seen.state is MachineState.BROKEN
        assert "gone" in seen.trouble

    async def test_extra_disks_come_with_the_machine(self, bench: Bench, machines: NewMachine) -> None:
        machine = machines(extra_disks=(ExtraDisk(name="data", size=1 << 20),))
        with pytest.raises(ProviderError, match="volumes"):
            await machine.create()
        assert Capability.EXTRA_DISKS not in bench.provider.capabilities

    async def test_a_snapshot_of_a_running_machine_has_its_memory(
        self,
        bench: Bench,
        machines: NewMachine,
    ) -> None:
        """It has its files."""
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        (point,) = await machine.provider.snapshots(machine.plan)
        assert (point.name, point.has_memory, point.current, point.parent) == ("one", False, True, "")
        assert await bench.count(machine.plan) == 2, "it goes on"
        await bench.store(machine.plan)
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work()) is not None
        assert await bench.stored(machine.plan) == 1
        assert await bench.count(machine.plan) == 1
        assert Capability.SNAPSHOT_MEMORY not in bench.provider.capabilities

    async def test_memory_comes_back_into_a_stopped_and_a_suspended_machine(
        self,
        bench: Bench,
        machines: NewMachine,
    ) -> None:
        """Files do."""
        machine = await (await machines().create()).start()
        await bench.store(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        await machine.provider.suspend(machine.plan, machine.work())
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.stored(machine.plan) == 0
        await machine.provider.stop(machine.plan, machine.work(), force=True)
        await machine.provider.start(machine.plan, machine.work(), snapshot="one")
        assert await bench.stored(machine.plan) == 0

    async def test_a_cancelled_restoration_can_be_done_again(
        self,
        bench: Bench,
        machines: NewMachine,
    ) -> None:
        machine = await (await machines().create()).start()
        await bench.count(machine.plan)
        await bench.store(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())

        async def check(_machine: object) -> None:
            seen = await machine.seen()
            assert seen.state in (MachineState.RUNNING, MachineState.STOPPED), seen
            await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
            if seen.state is MachineState.STOPPED:
                await machine.start()
            assert await bench.stored(machine.plan) == 1

        await cancel_everywhere(
            lambda: machine,
            lambda m, w: m.provider.restore_snapshot(m.plan, "one", w),
            prepare=None,
            check=check,
        )

    async def test_a_clone_has_the_disks_of_its_source_and_writes_to_its_own(
        self,
        bench: Bench,
        machines: NewMachine,
    ) -> None:
        source = await (await machines().create()).start()
        await bench.count(source.plan)
        await bench.store(source.plan)
        copy = await (await source.clone(machines())).start()
        assert await bench.stored(copy.plan) == 1
        assert await bench.count(copy.plan) == 1, "a clone has no memory of its source"
        assert await bench.count(copy.plan) == 2
        await bench.store(copy.plan)
        assert await bench.stored(source.plan) == 1

    async def test_snapshots_with_memory_outlive_a_clone(self, bench: Bench, machines: NewMachine) -> None:
        source = await (await machines().create()).start()
        await bench.store(source.plan)
        await source.provider.save_snapshot(source.plan, "one", source.work())
        copy = await source.clone(machines())
        await bench.count(source.plan)
        await bench.store(source.plan)
        assert await source.provider.restore_snapshot(source.plan, "one", source.work())
        assert await bench.stored(source.plan) == 0
        await copy.start()
        assert await bench.stored(copy.plan) == 0
