"""External snapshots: the same as the contract says of others, with files beside the images."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from core.errors import NotFoundError, ProviderError
from core.model.machine import ExtraDisk, MachineState
from core.providers.libvirt.address import URI_VARIABLE
from core.providers.libvirt.layout import Layout
from tests.providers.bench import Machine
from tests.providers.cancelling import cancel_everywhere
from tests.providers.libvirt.bench import LibvirtBench
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real


@pytest.fixture
async def bench(
    session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    made = LibvirtBench(short_folder, session_daemon.uri)
    yield made
    await made.close()


@pytest.fixture
async def machine(bench: LibvirtBench) -> AsyncIterator[Machine]:
    disks = (ExtraDisk(name="data", size=1 << 20),)
    made = Machine(bench, bench.plans.make(options={"snapshots": "external"}, extra_disks=disks))
    await made.create()
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []


def kept(machine: Machine) -> set[str]:
    return {path.name for path in Layout.of(machine.plan).home.iterdir() if path.suffix != ".log"}


async def save(machine: Machine, name: str) -> None:
    await machine.provider.save_snapshot(machine.plan, name, machine.work())


async def test_a_tree_of_snapshots_with_memory_and_without(bench: LibvirtBench, machine: Machine) -> None:
    provider, plan = machine.provider, machine.plan
    await save(machine, "empty")
    await machine.start()
    for _ in range(2):
        await bench.count(plan)
    await bench.store(plan)
    await save(machine, "two")
    assert await bench.count(plan) == 3, "the guest goes on"
    await bench.store(plan)
    assert await provider.restore_snapshot(plan, "two", machine.work())
    assert await bench.count(plan) == 3, "its memory is that of the snapshot"
    assert await bench.stored(plan) == 2
    points = {point.name: point for point in await provider.snapshots(plan)}
    assert [points[name].has_memory for name in ("empty", "two")] == [False, True]
    assert (points["two"].parent, points["two"].current) == ("empty", True)
    await provider.stop(plan, machine.work())
    assert await provider.restore_snapshot(plan, "empty", machine.work()) is None
    await machine.start()
    assert await bench.stored(plan) != 2
    assert await provider.restore_snapshot(plan, "two", machine.work())
    assert await bench.stored(plan) == 2
    copy = await machine.clone(Machine(bench, bench.plans.make(extra_disks=plan.extra_disks)))
    await provider.delete_snapshot(plan, "empty", machine.work())
    assert [point.parent for point in await provider.snapshots(plan)] == [""]
    await provider.delete_snapshot(plan, "two", machine.work())
    assert await provider.snapshots(plan) == ()
    assert not [name for name in kept(machine) if name.startswith("memory-")]
    assert await bench.stored(plan) == 2
    await copy.start()
    assert await bench.stored(copy.plan) == 2
    await copy.destroy()


async def test_uefi_variables_belong_to_a_snapshot(bench: LibvirtBench) -> None:
    made = Machine(bench, bench.plans.make(options={"snapshots": "external"}, firmware="uefi"))
    variables = Layout.of(made.plan).variables
    try:
        await (await made.create()).start()
        await save(made, "one")
        await made.provider.stop(made.plan, made.work(), force=True)
        before = [path.read_bytes() for path in variables.parent.glob("nvram-*.fd")]
        variables.write_bytes(bytes(variables.stat().st_size))
        assert await made.provider.restore_snapshot(made.plan, "one", made.work())
        assert await made.state() is MachineState.RUNNING
        assert len(before) == 1 and any(variables.read_bytes()[:4096])
    finally:
        await made.destroy()
        assert await bench.traces(made.plan) == []


async def test_both_kinds_do_not_mix(machine: Machine) -> None:
    await save(machine, "one")
    machine.plan = msgspec.structs.replace(machine.plan, options={})
    with pytest.raises(ProviderError, match="external") as raised:
        await save(machine, "two")
    assert "external" in raised.value.problem.remedy
    with pytest.raises(NotFoundError, match="'one'"):
        await machine.provider.delete_snapshot(machine.plan, "three", machine.work())


async def test_a_cancelled_snapshot_is_none_and_leaves_no_file(bench: LibvirtBench, machine: Machine) -> None:
    for running in (False, True):
        if running:
            await machine.start()

        async def check(machine: Machine, running: bool = running) -> None:
            assert await machine.provider.snapshots(machine.plan) == ()
            assert await machine.state() is (MachineState.RUNNING if running else MachineState.STOPPED)
            assert not [name for name in kept(machine) if name.startswith("memory-")]
            if running:
                await bench.count(machine.plan)

        await cancel_everywhere(
            itertools.repeat(machine).__next__,
            lambda m, w: m.provider.save_snapshot(m.plan, "one", w),
            prepare=None,
            check=check,
        )
        assert await machine.provider.snapshots(machine.plan)
        await machine.provider.delete_snapshot(machine.plan, "one", machine.work())


async def test_a_cancelled_restoration_can_be_done_again(bench: LibvirtBench, machine: Machine) -> None:
    await machine.start()
    await bench.count(machine.plan)
    await save(machine, "one")

    async def check(machine: Machine) -> None:
        assert await machine.state() in (MachineState.RUNNING, MachineState.STOPPED)
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.count(machine.plan) == 2

    await asyncio.wait_for(
        cancel_everywhere(
            lambda: machine,
            lambda m, w: m.provider.restore_snapshot(m.plan, "one", w),
            prepare=None,
            check=check,
        ),
        300,
    )
