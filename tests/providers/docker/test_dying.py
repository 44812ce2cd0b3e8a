"""A daemon that dies, or has no room or no right for us, in the middle of things."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachineState
from core.providers.docker import DockerProvider
from tests.providers.bench import Machine
from tests.providers.docker.bench import DockerBench
from tests.support.dockerd import Dockerd, root_file_system
from tests.support.work import RecordingWork

pytestmark = pytest.mark.real

SOON = 60.0

Action = Callable[[Machine, Machine, RecordingWork], Awaitable[object]]

ACTIONS: dict[str, Action] = {
    "create": lambda machine, _, work: machine.provider.create(machine.plan, work),
    "start": lambda machine, _, work: machine.provider.start(machine.plan, work),
    "stop": lambda machine, _, work: machine.provider.stop(machine.plan, work),
    "suspend": lambda machine, _, work: machine.provider.suspend(machine.plan, work),
    "resume": lambda machine, _, work: machine.provider.resume(machine.plan, work),
    "save": lambda machine, _, work: machine.provider.save_snapshot(machine.plan, "one", work),
    "restore": lambda machine, _, work: machine.provider.restore_snapshot(machine.plan, "one", work),
    "clone": lambda machine, copy, work: machine.provider.clone(machine.plan, copy.plan, work),
    "destroy": lambda machine, _, work: machine.provider.destroy(machine.plan, work),
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_daemon_that_dies_in_the_middle_harms_nothing(bench: DockerBench, action: str) -> None:
    """Its containers end with its return, so what they held in memory is lost; nothing else is."""
    machine, copy = [Machine(bench, bench.plans.make()) for _ in range(2)]
    await _prepared(machine, action)
    work = machine.work()
    task = asyncio.ensure_future(ACTIONS[action](machine, copy, work))
    await asyncio.sleep(0.02)
    with bench.daemon.gone():
        (ended,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SOON)
    if isinstance(ended, BaseException):
        assert isinstance(ended, BoxwrightError), ended
        assert ended.problem.what
        await work.undo()
    await _is_whole(machine, action)
    for one in (copy, machine):
        await one.destroy()
        assert bench.traces(one.plan) == []


async def _prepared(machine: Machine, action: str) -> None:
    if action == "create":
        return
    await machine.create()
    if action == "restore":
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    if action in ("stop", "suspend", "resume", "destroy"):
        await machine.start()
        assert await machine.bench.count(machine.plan) == 1
    if action == "resume":
        await machine.provider.suspend(machine.plan, machine.work())


async def _is_whole(machine: Machine, action: str) -> None:
    """It is there, or is not, and can be used either way."""
    state = await machine.state()
    if state is MachineState.ABSENT:
        assert action in ("create", "destroy")
        return
    if action == "destroy":
        return
    if state is MachineState.SUSPENDED:
        await machine.provider.stop(machine.plan, machine.work(), force=True)
    if await machine.state() is not MachineState.RUNNING:
        await machine.start()
    assert await machine.bench.count(machine.plan) == 1
    if action == "restore":
        assert [point.name for point in await machine.provider.snapshots(machine.plan)] == ["one"]


async def test_what_others_removed_between_two_starts_is_made_again(bench: DockerBench) -> None:
    machine = await Machine(bench, bench.plans.make()).create()
    with bench.daemon.client() as client:
        for network in client.networks.list(filters={"driver": "bridge"}):
            network.remove()
    await machine.start()
    assert await bench.count(machine.plan) == 1
    with bench.daemon.client() as client:
        bench._find(client, machine.plan).remove(force=True)
    with pytest.raises(ProviderError, match="broken") as raised:
        await machine.start()
    assert "destroy" in raised.value.problem.remedy
    await machine.destroy()
    assert bench.traces(machine.plan) == []


@pytest.fixture
def nobody() -> Iterator[None]:
    """The tests are somebody without rights for a while."""
    os.seteuid(65534)
    yield
    os.seteuid(0)


async def test_a_socket_that_may_not_be_used_names_the_group(bench: DockerBench, nobody: None) -> None:
    probe = await DockerProvider().probe()
    assert not probe.usable
    assert "You may not use Docker's socket" in probe.why
    assert "usermod -aG docker" in probe.remedy


async def test_a_full_disk_is_said_and_leaves_nothing(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon of its own, whose images lie on 16 MB."""
    full = Dockerd(short_folder / "full")
    (full.folder / "data").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(full.folder / "data")]
    subprocess.run(mount, check=True)
    try:
        full.start()
        monkeypatch.setenv("DOCKER_HOST", full.url)
        bench = DockerBench(short_folder, full)
        before = full.objects()
        path = bench.plans.root / "rootfs.tar"
        path.write_bytes(root_file_system({"large": "x" * (32 << 20)}))
        box = {"options": {"image": ""}, "box_files": {"rootfs.tar": str(path)}}
        machine = Machine(bench, bench.plans.make(**box))
        work = machine.work()
        with pytest.raises(ProviderError) as raised:
            await machine.provider.create(machine.plan, work)
        assert "no space left" in raised.value.problem.why
        assert "prune" in raised.value.problem.remedy
        await work.undo()
        assert bench.traces(machine.plan) == []
        assert full.objects() == before
        await bench.close()
    finally:
        full.stop()
        subprocess.run(["umount", str(full.folder / "data")], check=True)
