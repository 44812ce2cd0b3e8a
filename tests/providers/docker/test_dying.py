"""A daemon that dies, or has no room or no right for us, in the middle of things."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachineState
from core.providers import http
from core.providers.docker import DockerProvider, containers
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import refused
from tests.providers.bench import Machine
from tests.providers.docker.bench import DockerBench
from tests.support.dockerd import Dockerd, root_file_system
from tests.support.work import RecordingWork

pytestmark = pytest.mark.real

SOON = 60.0

Action = Callable[[Machine, Machine, RecordingWork], Awaitable[object]]

ACTIONS: dict[str, tuple[str, Action]] = {
    "create": ("/containers/create", lambda one, _, work: one.provider.create(one.plan, work)),
    "start": ("/start", lambda one, _, work: one.provider.start(one.plan, work)),
    "stop": ("/kill", lambda one, _, work: one.provider.stop(one.plan, work)),
    "suspend": ("/pause", lambda one, _, work: one.provider.suspend(one.plan, work)),
    "resume": ("/unpause", lambda one, _, work: one.provider.resume(one.plan, work)),
    "save": ("/commit", lambda one, _, work: one.provider.save_snapshot(one.plan, "one", work)),
    "restore": (
        "/containers/create",
        lambda one, _, work: one.provider.restore_snapshot(one.plan, "one", work),
    ),
    "clone": ("/commit", lambda one, copy, work: one.provider.clone(one.plan, copy.plan, work)),
    "destroy": ("/containers/", lambda one, _, work: one.provider.destroy(one.plan, work)),
}
"""Each with the call in which the daemon dies. None makes or removes a network: with what is left of a
network that was half removed, dockerd 20.10 cannot be started."""


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_daemon_that_dies_in_the_middle_harms_nothing(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Its containers end with its return, so what they held in memory is lost; nothing else is."""
    machine, copy = [Machine(bench, bench.plans.make()) for _ in range(2)]
    await _prepared(machine, action)
    path, act = ACTIONS[action]
    sent = _sent(monkeypatch, path)
    work = machine.work()
    task = asyncio.ensure_future(act(machine, copy, work))
    async with asyncio.timeout(SOON):
        await sent.wait()
    with bench.daemon.gone():
        (ended,) = await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), SOON)
    if isinstance(ended, BaseException):
        assert isinstance(ended, BoxwrightError), ended
        assert ended.problem.what
        await work.undo()
    await _is_whole(machine, action)
    for one in (copy, machine):
        await one.destroy()
        assert await bench.traces(one.plan) == []


def _sent(monkeypatch: pytest.MonkeyPatch, path: str) -> asyncio.Event:
    """Set as soon as the daemon has been sent a call to change something at such a path."""
    sent = asyncio.Event()
    send = http.send

    async def noticed(writer: asyncio.StreamWriter, request: http.Request) -> None:
        await send(writer, request)
        if request.method != "GET" and path in request.path:
            sent.set()

    monkeypatch.setattr(http, "send", noticed)
    return sent


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


async def test_a_container_whose_last_run_containerd_never_forgets_is_replaced(
    bench: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a daemon leaves it that dies while it clears a run away: only another container can be started."""
    machine = await Machine(bench, bench.plans.make()).create()
    await machine.start()
    assert await bench.count(machine.plan) == 1
    await bench.store(machine.plan)
    await machine.provider.stop(machine.plan, machine.work())
    ask, haunted = Daemon.ask, bench.containers(machine.plan)[0]

    async def refusing(daemon: Daemon, method: str, path: str, **more: Any) -> Any:
        if path == f"/containers/{haunted}/start":
            raise refused(500, f"task {haunted}: already exists")
        return await ask(daemon, method, path, **more)

    monkeypatch.setattr(Daemon, "ask", refusing)
    monkeypatch.setattr(containers, "ENDING", 0.0)
    await machine.start()
    assert await bench.stored(machine.plan) == 1
    assert haunted not in bench.containers(machine.plan)
    assert len(bench.containers(machine.plan)) == 1
    await machine.destroy()
    assert await bench.traces(machine.plan) == []


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
    assert await bench.traces(machine.plan) == []


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
        assert await bench.traces(machine.plan) == []
        assert full.objects() == before
        await bench.close()
    finally:
        full.stop()
        subprocess.run(["umount", str(full.folder / "data")], check=True)
