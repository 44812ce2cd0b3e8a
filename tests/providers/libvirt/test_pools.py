"""Disks as volumes in storage pools: shared boxes, and nothing that stays."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from core.errors import ProviderError
from core.model.machine import ExtraDisk, MachineState
from core.providers.libvirt import volumes
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import Machine
from tests.providers.cancelling import cancel_everywhere
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

BASE = "acme-VAGRANTSLASH-tiny_vagrant_box_image_1.2_box.img"


class Pool:
    """A bench whose machines have their disks in a pool of the system's libvirt."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = folder / "pool"
        self.bench = LibvirtBench(folder, uri)
        self.handle = libvirt.open(uri)

    def machine(self, **options: Any) -> Machine:
        table = {"storage_pool_name": "bwpool", "storage_pool_path": str(self.folder), **options}
        plan = self.bench.plans.make(
            options=table,
            box_name="acme/tiny",
            box_version="1.2",
            extra_disks=(ExtraDisk(name="data", size=1 << 20),),
        )
        return Machine(self.bench, plan)

    def names(self) -> set[str]:
        return set(self.handle.storagePoolLookupByName("bwpool").listVolumes())


@pytest.fixture
async def pool(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pool]:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    before = objects(system_daemon.uri)
    made = Pool(short_folder, system_daemon.uri)
    yield made
    await made.bench.close()
    assert objects(system_daemon.uri) == before
    made.handle.close()


async def test_machines_of_one_box_share_its_volume(pool: Pool) -> None:
    one, other = pool.machine(), pool.machine()
    await one.create()
    assert BASE in pool.names()
    assert len(pool.names()) == 3
    await other.create()
    assert len(pool.names()) == 5
    await asyncio.gather(one.start(), other.start())
    for machine, count in ((one, 1), (other, 2)):
        for _ in range(count):
            await pool.bench.count(machine.plan)
        await pool.bench.store(machine.plan)
    assert (await pool.bench.stored(one.plan), await pool.bench.stored(other.plan)) == (1, 2)
    await one.provider.save_snapshot(one.plan, "s", one.work())
    assert [point.name for point in await one.provider.snapshots(one.plan)] == ["s"]
    await one.destroy()
    assert BASE in pool.names()
    assert await pool.bench.stored(other.plan) == 2
    await other.destroy()
    assert not pool.folder.exists(), "the pool was made for these two"


async def test_a_volume_that_vagrant_has_made_is_used_and_stays(pool: Pool) -> None:
    pool.folder.mkdir()
    volumes.needed_pool(pool.handle, "bwpool", str(pool.folder))
    theirs = pool.folder / BASE
    theirs.write_bytes(Path(pool.bench.plans.image).read_bytes())
    machine = pool.machine()
    await (await machine.create()).start()
    assert await pool.bench.count(machine.plan) == 1
    await machine.destroy()
    assert pool.names() == {BASE}
    volumes.remove(pool.handle, "bwpool", BASE)
    volumes.drop_pool(pool.handle, "bwpool")


async def test_a_cancelled_create_leaves_no_volume(pool: Pool) -> None:
    async def check(machine: Machine) -> None:
        assert await machine.state() is MachineState.ABSENT
        assert await pool.bench.traces(machine.plan) == []
        assert "bwpool" not in objects(pool.bench.uri)["pools"]

    made: list[Machine] = []

    def make() -> Machine:
        made.append(pool.machine())
        return made[-1]

    await cancel_everywhere(make, lambda m, w: m.provider.create(m.plan, w), prepare=None, check=check)
    for machine in made:
        await machine.destroy()


async def test_a_clone_has_volumes_of_its_own_on_the_same_box(pool: Pool) -> None:
    source = await pool.machine().create()
    await source.start()
    await pool.bench.count(source.plan)
    await pool.bench.store(source.plan)
    await source.provider.save_snapshot(source.plan, "one", source.work())
    copy = await source.clone(pool.machine())
    assert await pool.bench.count(source.plan) == 2, "it runs on"
    assert len(pool.names()) == 5
    await source.destroy()
    await copy.start()
    assert await copy.provider.snapshots(copy.plan) == ()
    assert await pool.bench.stored(copy.plan) == 1
    await copy.destroy()


async def test_a_deleted_volume_is_said_and_removed_with_the_rest(pool: Pool) -> None:
    machine = pool.machine()
    await machine.create()
    (own,) = [name for name in pool.names() if name.startswith("boxwright-") and name.endswith(".img")]
    volumes.remove(pool.handle, "bwpool", own)
    seen = await machine.seen()
    assert seen.state is MachineState.BROKEN
    assert own in seen.trouble and "boxwright destroy" in seen.trouble
    await machine.destroy()


async def test_a_pool_that_is_not_there_is_named_with_the_others(pool: Pool) -> None:
    machine = pool.machine(storage_pool_path="")
    machine.plan.options.pop("storage_pool_path")
    work = machine.work()
    with pytest.raises(ProviderError, match="no storage pool 'bwpool'") as raised:
        await machine.provider.create(machine.plan, work)
    assert "storage_pool_path" in raised.value.problem.remedy
    await work.undo()


async def test_a_full_pool_is_said_and_left_as_it_was(pool: Pool, system_daemon: Libvirtd) -> None:
    pool.folder.mkdir()
    inside = ["nsenter", "--target", str(system_daemon.pid), "--mount"]
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(pool.folder)]
    subprocess.run([*inside, *mount], check=True)
    try:
        machine = pool.machine()
        Path(machine.plan.disks[0].path).write_bytes(b"x" * (4 << 20))
        work = machine.work()
        with pytest.raises(ProviderError) as raised:
            await machine.provider.create(machine.plan, work)
        assert "free some space" in raised.value.problem.remedy
        await work.undo()
    finally:
        subprocess.run([*inside, "umount", str(pool.folder)], check=True)
