"""The engine killed in the middle of what involves more than one machine's own files: clones, moves
between two libvirts, external snapshots, and volumes in storage pools."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from core.model.machine import ExtraDisk, MachineState
from core.providers.libvirt.address import URI_VARIABLE
from core.providers.libvirt.layout import Layout
from tests.providers.bench import Machine
from tests.providers.crashing import die
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.providers.qemu.test_crash import undo_written
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

EVERY = bool(os.environ.get("BOXWRIGHT_EVERY_POINT"))

Step = Callable[[], Awaitable[None]]


@pytest.fixture
async def bench(
    session_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    made = LibvirtBench(short_folder, session_daemon.uri)
    before = objects(session_daemon.uri)
    yield made
    await made.close()
    assert objects(session_daemon.uri) == before


async def nothing_to_prepare() -> None: ...


async def killed_at_spread_points(
    machine: Machine, action: str, stride: int, *, prepare: Step, check: Step, target: str = ""
) -> None:
    """The action, killed at its first point and each ``stride``-th after it, until it ends before; then
    what it had written down is undone by the next engine, and ``check`` looks."""
    bench = machine.bench
    assert isinstance(bench, LibvirtBench)
    deaths = 0
    for point in range(1, 1000, 1 if EVERY else stride):
        await prepare()
        await bench.hang_up(machine.plan)
        await bench.close()
        journal = bench.plans.root / f"{action}{point}.journal"
        folder = bench.plans.root
        died = await asyncio.to_thread(die, "libvirt", machine, action, point, folder, journal, target)
        machine.provider = bench.again()
        if not died:
            break
        deaths += 1
        await undo_written(journal, machine.provider.undo)
        await check()
    assert deaths >= 2, "the points are spread over the whole action"


async def test_a_clone_that_was_killed_is_none_and_its_source_runs_on(
    bench: LibvirtBench, short_folder: Path
) -> None:
    source, copy = Machine(bench, bench.plans.make()), Machine(bench, bench.plans.make())
    plan = short_folder / "copy.json"
    plan.write_bytes(msgspec.json.encode(copy.plan))
    count = 0

    async def check() -> None:
        nonlocal count
        count += 1
        copy.provider = source.provider
        assert await bench.traces(copy.plan) == []
        assert await source.state() is MachineState.RUNNING
        assert await bench.count(source.plan) == count, "it does not stand still"

    try:
        await (await source.create()).start()
        await killed_at_spread_points(
            source, "clone", 11, prepare=nothing_to_prepare, check=check, target=str(plan)
        )
        copy.provider = source.provider
        await copy.start()
        assert await bench.count(copy.plan) == 1
    finally:
        copy.provider = source.provider
        for machine in (copy, source):
            await machine.destroy()
            assert await bench.traces(machine.plan) == []


async def test_a_move_that_was_killed_leaves_the_machine_running_in_one_place(
    bench: LibvirtBench, session_daemon: Libvirtd, other_daemon: Libvirtd
) -> None:
    before = objects(other_daemon.uri)
    machine = Machine(bench, bench.plans.make())
    count = 0

    async def check() -> None:
        nonlocal count
        count += 1
        assert await machine.state() is MachineState.RUNNING
        assert await bench.count(machine.plan) == count
        places = [daemon for daemon in (session_daemon, other_daemon) if objects(daemon.uri)["domains"]]
        assert len(places) == 1
        if places == [other_daemon]:
            await bench.hang_up(machine.plan)
            await machine.provider.migrate(machine.plan, session_daemon.uri, machine.work())

    try:
        await (await machine.create()).start()
        await killed_at_spread_points(
            machine, "migrate", 12, prepare=nothing_to_prepare, check=check, target=other_daemon.uri
        )
        await check()
    finally:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []
    assert objects(other_daemon.uri) == before


def kept(machine: Machine) -> set[str]:
    return {path.name for path in Layout.of(machine.plan).home.iterdir() if path.suffix != ".log"}


async def test_an_external_snapshot_that_was_killed_is_whole_or_none(bench: LibvirtBench) -> None:
    machine = Machine(bench, bench.plans.make(options={"snapshots": "external"}))
    count = 0

    async def delete() -> None:
        for point in await machine.provider.snapshots(machine.plan):
            await machine.provider.delete_snapshot(machine.plan, point.name, machine.work())

    async def saved_or_not() -> None:
        nonlocal count
        count += 1
        assert await machine.state() is MachineState.RUNNING
        assert await bench.count(machine.plan) == count
        assert await machine.provider.snapshots(machine.plan) == ()
        assert not [name for name in kept(machine) if name.startswith("memory-")]

    async def restorable() -> None:
        assert await machine.state() in (MachineState.RUNNING, MachineState.STOPPED)
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await bench.count(machine.plan) == count + 1

    try:
        await (await machine.create()).start()
        await killed_at_spread_points(machine, "save", 12, prepare=delete, check=saved_or_not)
        assert [point.name for point in await machine.provider.snapshots(machine.plan)] == ["one"]
        await killed_at_spread_points(machine, "restore", 19, prepare=nothing_to_prepare, check=restorable)
        await delete()
        assert not [name for name in kept(machine) if name.startswith("memory-")]
    finally:
        await machine.destroy()
        assert await bench.traces(machine.plan) == []


async def test_volumes_and_pools_of_a_killed_creation_and_destruction_are_gone(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    before = objects(system_daemon.uri)
    bench = LibvirtBench(short_folder, system_daemon.uri)
    table = {"storage_pool_name": "bwkilled", "storage_pool_path": str(short_folder / "pool")}
    extra = (ExtraDisk(name="data", size=1 << 20),)
    machine = Machine(
        bench, bench.plans.make(options=table, box_name="acme/killed", box_version="1", extra_disks=extra)
    )

    async def nothing_there() -> None:
        assert await bench.traces(machine.plan) == []
        assert objects(system_daemon.uri) == before
        assert not (short_folder / "pool").exists()

    async def absent() -> None:
        await machine.destroy()

    async def present() -> None:
        if await machine.state() is MachineState.ABSENT:
            await machine.create()

    async def can_be_destroyed() -> None:
        await machine.destroy()
        await nothing_there()

    try:
        await killed_at_spread_points(machine, "create", 6, prepare=absent, check=nothing_there)
        await killed_at_spread_points(machine, "destroy", 6, prepare=present, check=can_be_destroyed)
    finally:
        await machine.destroy()
        await bench.close()
    await nothing_there()
