"""What others do to containers, networks and the daemon, on a real LXD."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import msgspec
import pytest

from core.errors import ProviderError
from core.model.machine import ExtraDisk, MachineState
from core.providers.base import Fetching
from core.providers.lxd import LxdProvider, connection, probing
from core.providers.lxd.connection import Connection
from core.providers.lxd.instances import default_name
from core.providers.lxd.place import Place
from tests.providers.bench import Machine
from tests.providers.lxd.bench import LxdBench
from tests.providers.networks import Wiring
from tests.support.lxd import Lxd
from tests.support.moments import SOON, answered, reach

pytestmark = pytest.mark.real


async def test_what_a_console_said_while_nobody_looked_is_fetched_for_its_log(
    bench: LxdBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    provider = machine.provider
    assert isinstance(provider, Fetching)
    await provider.fetch_console(machine.plan)
    await provider.fetch_console(machine.plan)
    log = Path(provider.serial_log(machine.plan) or "").read_bytes()
    assert log.count(b"ready") == 1, "each part of it once"


async def test_nothing_stays_at_the_daemon(bench: LxdBench, daemon: Lxd) -> None:
    wiring = Wiring()
    disks = (ExtraDisk(name="data", size=1 << 20),)
    before = await daemon.aside.objects()
    one, two = [
        Machine(bench, bench.plans.make(networks=(wiring.place(last),), extra_disks=disks))
        for last in (10, 11)
    ]
    for machine in (one, two):
        await machine.create()
        await machine.start()
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    there = await daemon.aside.objects()
    assert len(there["images"]) == len(before["images"]) + 1, "equal boxes are one image"
    assert len(there["networks"]) == len(before["networks"]) + 1, "one network for both"
    await one.destroy()
    assert await two.state() is MachineState.RUNNING
    assert (await daemon.aside.objects())["images"] == there["images"], "the other machine is made of it"
    await one.create()
    await asyncio.gather(one.destroy(), two.destroy())
    assert await daemon.aside.objects() == before


async def test_a_deleted_container_says_so_at_once(bench: LxdBench, machine: Machine) -> None:
    await (await machine.create()).start()
    changes = machine.provider.watch()
    await bench.lose_disk(machine.plan)
    change = await asyncio.wait_for(anext(changes), SOON)
    while change.seen.state is not MachineState.BROKEN:
        change = await asyncio.wait_for(anext(changes), SOON)
    assert "gone" in change.seen.trouble


async def test_a_renamed_container_is_found_and_keeps_its_new_name(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    await machine.create()
    await daemon.aside.lxc("rename", default_name(machine.plan), "somebody-likes-this")
    assert await machine.state() is MachineState.STOPPED
    began = await machine.provider.start(machine.plan, machine.work())
    assert began.target == "default/somebody-likes-this"
    changes = machine.provider.watch()
    await daemon.aside.lxc("stop", "--force", "somebody-likes-this")
    assert (await asyncio.wait_for(anext(changes), SOON)).seen.state is MachineState.STOPPED


async def test_a_copy_that_somebody_made_is_never_touched(machine: Machine, daemon: Lxd) -> None:
    await machine.create()
    await daemon.aside.lxc("copy", default_name(machine.plan), "theirs")
    try:
        await machine.start()
        assert await machine.state() is MachineState.RUNNING
        await machine.destroy()
        assert await machine.state() is MachineState.ABSENT
        assert await daemon.aside.named("theirs")
    finally:
        await daemon.aside.lxc("delete", "--force", "theirs")


async def test_somebody_elses_container_of_that_name_is_never_touched(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    name = default_name(machine.plan)
    await daemon.aside.lxc("init", "--empty", name)
    try:
        work = machine.work()
        with pytest.raises(ProviderError, match="somebody else's") as raised:
            await machine.provider.create(machine.plan, work)
        assert "rename" in raised.value.problem.remedy
        await work.undo()
        await machine.destroy()
        assert await daemon.aside.named(name)
    finally:
        await daemon.aside.lxc("delete", name)


async def test_somebody_elses_network_and_range_are_never_touched(bench: LxdBench, daemon: Lxd) -> None:
    place = Wiring().place(10)
    named = Machine(bench, bench.plans.make(networks=(place,)))
    ranged = Machine(bench, bench.plans.make(networks=(msgspec.structs.replace(place, name="bwtranged"),)))
    address = place.subnet.replace(".0/24", ".1/24")
    await daemon.aside.lxc(
        "network", "create", place.name, f"ipv4.address={address}", "ipv4.nat=false", "ipv6.address=none"
    )
    before = await daemon.aside.objects()
    try:
        for machine, said in ((named, "somebody else's"), (ranged, "in use")):
            work = machine.work()
            with pytest.raises(ProviderError, match=said) as raised:
                await machine.provider.create(machine.plan, work)
            assert raised.value.problem.remedy
            await work.undo()
            await machine.destroy()
        assert await daemon.aside.objects() == before
    finally:
        await daemon.aside.lxc("network", "delete", place.name)


async def test_started_paused_and_stopped_from_outside(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    await machine.create()
    name = default_name(machine.plan)
    changes = machine.provider.watch()
    for action, state in (
        ("start", MachineState.RUNNING),
        ("pause", MachineState.SUSPENDED),
        ("start", MachineState.RUNNING),
    ):
        await daemon.aside.lxc(action, name)
        assert (await asyncio.wait_for(anext(changes), SOON)).seen.state is state
    assert await bench.count(machine.plan) == 1
    await daemon.aside.lxc("stop", "--force", name)
    change = await asyncio.wait_for(anext(changes), SOON)
    assert "somebody else" in change.seen.trouble


async def test_what_somebody_has_set_stays_and_what_the_project_drops_goes(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    machine.plan = msgspec.structs.replace(
        machine.plan, options={"config": {"security.nesting": True, "user.mine": 7}}
    )
    await machine.create()
    name = default_name(machine.plan)
    await daemon.aside.lxc("config", "set", name, "user.theirs=1")
    assert (await daemon.aside.lxc("config", "get", name, "security.nesting")).strip() == "true"
    machine.plan = msgspec.structs.replace(
        machine.plan, options={"config": {"user.mine": 8}}, cpus=2, memory=96 << 20
    )
    await machine.start()
    config = (await daemon.aside.query(f"/1.0/instances/{name}"))["config"]
    assert config["user.theirs"] == "1"
    assert config["user.mine"] == "8"
    assert "security.nesting" not in config
    assert (config["limits.cpu"], config["limits.memory"]) == ("2", f"{96 << 20}B")


# Images


async def test_a_machine_from_an_image_needs_no_box(bench: LxdBench, machine: Machine, daemon: Lxd) -> None:
    other = await Machine(bench, bench.plans.make()).create()
    await daemon.aside.lxc("publish", default_name(other.plan), "--alias", "theirs")
    await other.destroy()
    before = await daemon.aside.objects()
    try:
        machine.plan = msgspec.structs.replace(machine.plan, options={"image": "theirs"}, box_files={})
        assert not machine.provider.needs_box(machine.plan.options)
        await (await machine.create()).start()
        assert await bench.count(machine.plan) == 1
        await machine.destroy()
        assert await daemon.aside.objects() == before, "images that are not ours stay"
    finally:
        await daemon.aside.lxc("image", "delete", "theirs")
    with pytest.raises(ProviderError, match="no image") as raised:
        await machine.create()
    assert raised.value.problem.remedy


async def test_a_box_for_another_architecture_is_refused_before_it_is_sent(
    machine: Machine, daemon: Lxd
) -> None:
    before = await daemon.aside.objects()
    machine.plan = msgspec.structs.replace(machine.plan, architecture="aarch64")
    with pytest.raises(ProviderError, match="aarch64") as raised:
        await machine.create()
    assert "x86_64" in raised.value.problem.why
    assert await daemon.aside.objects() == before


# The daemon


async def test_a_daemon_that_comes_back_is_followed_again(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    changes = machine.provider.watch()
    with daemon.gone():
        with pytest.raises(ProviderError) as raised:
            await machine.seen()
        assert raised.value.problem.remedy
        probe = await machine.provider.probe()
        assert not probe.usable
        assert probe.remedy
    seen = await machine.seen()
    assert (seen.state, seen.started) == (MachineState.RUNNING, began), "containers outlive their daemon"
    assert await bench.count(machine.plan) == 2
    await bench.kill(machine.plan)
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.seen.state is MachineState.STOPPED


@pytest.mark.parametrize("action", ["create", "start", "save"])
async def test_what_was_begun_is_undone_when_the_daemon_dies_in_it(
    bench: LxdBench, machine: Machine, daemon: Lxd, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    if action != "create":
        await machine.create()
    work = machine.work()
    provider, plan = machine.provider, machine.plan
    asked, doing = {
        "create": ("/1.0/instances", lambda: provider.create(plan, work)),
        "start": (f"/1.0/instances/{default_name(plan)}/state", lambda: provider.start(plan, work)),
        "save": (
            f"/1.0/instances/{default_name(plan)}/snapshots",
            lambda: provider.save_snapshot(plan, "one", work),
        ),
    }[action]
    taken = answered(
        monkeypatch, Connection, "_send", lambda method, path, *_: method != "GET" and path == asked
    )
    running = asyncio.create_task(doing())
    await reach(taken, running)
    with daemon.gone():
        try:
            await asyncio.wait_for(running, SOON)
        except ProviderError as error:
            assert error.problem.what
        refused = answered(monkeypatch, Connection, "_send", lambda *_: True)
        undoing = asyncio.create_task(work.undo())
        await reach(refused, undoing)
    await asyncio.wait_for(undoing, SOON)
    if action == "create":
        assert await bench.traces(plan) == []
        await machine.create()
    assert await machine.state() is MachineState.STOPPED
    assert not await provider.snapshots(plan)
    await machine.start()
    assert await bench.count(plan) == 1


async def test_a_daemon_that_hangs_is_given_up_and_the_loop_stays_live(
    bench: LxdBench, machine: Machine, daemon: Lxd
) -> None:
    await machine.create()
    os.kill(daemon.pid, signal.SIGSTOP)
    # With no patience left, what comes afterwards would depend on how busy this computer is.
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(connection, "PATIENCE", 1.0)
        impatient.setattr(probing, "PATIENCE", 0.5)
        try:
            await _is_given_up(machine)
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
    assert await machine.state() is MachineState.STOPPED


async def _is_given_up(machine: Machine) -> None:
    ticks = 0
    looking = asyncio.create_task(machine.seen())
    while not looking.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 3
    with pytest.raises(ProviderError, match="does not answer"):
        await looking
    probe = await machine.provider.probe()
    assert not probe.usable
    assert "does not answer" in probe.why


async def test_a_socket_that_may_not_be_used_names_the_group(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_rest: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(asyncio.BaseEventLoop, "sock_connect", refuse)
    monkeypatch.setenv("LXD_DIR", str(short_folder))
    monkeypatch.setattr(asyncio.get_running_loop(), "create_unix_connection", refuse, raising=False)
    probe = await LxdProvider().probe()
    assert not probe.usable
    assert "ermission denied" in probe.why
    assert "usermod -aG lxd" in probe.remedy


async def test_a_probe_without_a_daemon_says_what_mends_it(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LXD_DIR", str(short_folder))
    probe = await LxdProvider().probe()
    assert not probe.usable
    assert "No such file" in probe.why
    assert "lxd" in probe.remedy


async def test_a_bulk_look_is_one_call(
    bench: LxdBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.create()
    others = [Machine(bench, bench.plans.make()) for _ in range(60)]
    await bench.provider.states([machine.plan])
    calls: list[str] = []
    send = Connection._send

    async def counted(self: Connection, method: str, path: str, *rest: object, **more: object) -> object:
        calls.append(f"{method} {path}")
        return await send(self, method, path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "_send", counted)
    seen = await bench.provider.states([machine.plan, *(other.plan for other in others)])
    assert seen[machine.plan.id].state is MachineState.STOPPED
    assert {seen[other.plan.id].state for other in others} == {MachineState.ABSENT}
    assert calls == ["GET /1.0/instances"]


async def test_a_full_pool_says_so(
    bench: LxdBench, machine: Machine, daemon: Lxd, short_folder: Path
) -> None:
    small = short_folder / "small"
    small.mkdir()
    await _run(*daemon.within, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small))
    try:
        await daemon.aside.lxc("storage", "create", "small", "dir", f"source={small}")
        try:
            machine.plan = msgspec.structs.replace(machine.plan, options={"pool": "small"})
            work = machine.work()
            with pytest.raises(ProviderError) as raised:
                await machine.provider.create(machine.plan, work)
            assert "pool" in raised.value.problem.remedy
            await work.undo()
            assert await bench.traces(machine.plan) == []
        finally:
            await daemon.aside.lxc("storage", "delete", "small")
    finally:
        await _run(*daemon.within, "umount", str(small))


async def _run(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(*arguments)
    assert await process.wait() == 0


async def test_the_server_of_another_kind_is_recognised() -> None:
    good = {
        "environment": {"server": "incus", "server_version": "6.0.4", "driver": "lxc"},
        "api_extensions": list(probing.NEEDED),
        "auth": "trusted",
    }
    place = Place("/var/lib/incus/unix.socket")
    assert probing.judge(place, good, ["p"], subordinate=True).why.startswith("Incus 6.0.4")
    old = probing.judge(place, {**good, "api_extensions": []}, ["p"], subordinate=True)
    assert not old.usable and "too old" in old.why and "newer Incus" in old.remedy
    bare = probing.judge(place, {**good, "environment": {"driver": "qemu"}}, ["p"], subordinate=True)
    assert not bare.usable and "no containers" in bare.why and bare.remedy
    untrusted = probing.judge(place, {**good, "auth": "untrusted"}, ["p"], subordinate=True)
    assert "incus-admin" in untrusted.remedy
    empty = probing.judge(place, good, [], subordinate=True)
    assert "storage create" in empty.remedy
    unmapped = probing.judge(place, good, ["p"], subordinate=False)
    assert "subuid" in unmapped.remedy
