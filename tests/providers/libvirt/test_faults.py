"""What others do to machines and to the daemon, on a real libvirt."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from core.errors import ProviderError
from core.model.machine import MachineState
from core.providers.libvirt import LibvirtProvider, connection, domains, library, probing
from core.providers.libvirt.address import URI_VARIABLE
from core.providers.libvirt.definition import domain_name
from core.providers.libvirt.layout import Layout, domain_uuid
from core.providers.libvirt.options import Options
from tests.providers.bench import Machine, refuses_another_architecture
from tests.providers.libvirt.bench import LibvirtBench
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON, reach, under_way

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
    made = Machine(bench, bench.plans.make())
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []


def objects(uri: str) -> dict[str, list[str]]:
    """All that a libvirt knows of."""
    handle = libvirt.open(uri)
    try:
        pools = handle.listAllStoragePools()
        return {
            "domains": sorted(domain.name() for domain in handle.listAllDomains()),
            "networks": sorted(network.name() for network in handle.listAllNetworks()),
            "pools": sorted(pool.name() for pool in pools),
            "volumes": sorted(volume.key() for pool in pools for volume in pool.listAllVolumes()),
        }
    finally:
        handle.close()


def files(daemon: Libvirtd) -> set[str]:
    """What the daemon keeps on its disk. Its logs of guests stay: libvirt has no call that removes them."""
    found = {str(path) for path in daemon.folder.rglob("*") if path.is_file() and path.suffix != ".log"}
    return {path for path in found if "/cache/" not in path and "virtlogd" not in path}


async def test_nothing_stays_at_the_daemon(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd
) -> None:
    await machine.provider.states([machine.plan])
    before, kept = objects(bench.uri), files(session_daemon)
    await (await machine.create()).start()
    await machine.provider.save_snapshot(machine.plan, "one", machine.work())
    await machine.provider.suspend(machine.plan, machine.work())
    assert objects(bench.uri) != before
    await machine.destroy()
    assert objects(bench.uri) == before
    assert files(session_daemon) == kept


async def test_an_undefined_machine_is_defined_again(bench: LibvirtBench, machine: Machine) -> None:
    await (await machine.create()).start()
    await bench.count(machine.plan)
    await bench.store(machine.plan)
    await machine.provider.stop(machine.plan, machine.work())
    changes = machine.provider.watch()
    bench.domain(machine.plan).undefine()
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.seen.state is MachineState.STOPPED
    assert "undefined" in change.seen.trouble
    assert "undefined" in (await machine.seen()).trouble
    await machine.start()
    assert await bench.stored(machine.plan) == 1


async def test_a_renamed_machine_is_found_and_keeps_its_new_name(
    bench: LibvirtBench, machine: Machine
) -> None:
    await machine.create()
    bench.domain(machine.plan).rename("somebody likes this better")
    assert await machine.state() is MachineState.STOPPED
    await machine.start()
    assert bench.domain(machine.plan).name() == "somebody likes this better"


async def test_a_machine_that_is_switched_off_from_outside(bench: LibvirtBench, machine: Machine) -> None:
    await (await machine.create()).start()
    changes = machine.provider.watch()
    bench.domain(machine.plan).destroy()
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.seen.state is MachineState.STOPPED
    assert "somebody else" in change.seen.trouble


async def test_a_machine_that_is_started_from_outside_is_reachable(
    bench: LibvirtBench, machine: Machine
) -> None:
    await machine.create()
    changes = machine.provider.watch()
    assert await machine.state() is MachineState.STOPPED
    bench.domain(machine.plan).create()
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.seen.state is MachineState.RUNNING
    assert change.seen.started
    _, writer = await asyncio.open_connection("127.0.0.1", change.seen.started.ssh_port)
    writer.close()
    assert await bench.count(machine.plan) == 1


async def test_paused_from_outside_and_resumed_here(bench: LibvirtBench, machine: Machine) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    changes = machine.provider.watch()
    bench.domain(machine.plan).suspend()
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.seen.state is MachineState.SUSPENDED
    assert "boxwright resume" in change.seen.trouble
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 2


async def test_somebody_elses_domain_of_that_name_is_never_touched(
    bench: LibvirtBench, machine: Machine
) -> None:
    handle = libvirt.open(bench.uri)
    xml = "<domain type='qemu'><name>{}</name><memory>1024</memory><os><type>hvm</type></os></domain>"
    theirs = handle.defineXML(xml.format(domain_name(machine.plan, Options())))
    try:
        work = machine.work()
        with pytest.raises(ProviderError, match="somebody else's") as raised:
            await machine.provider.create(machine.plan, work)
        assert "domrename" in raised.value.problem.remedy
        await work.undo()
        await machine.destroy()
        assert handle.lookupByUUIDString(theirs.UUIDString()).name() == domain_name(machine.plan, Options())
    finally:
        theirs.undefine()


async def test_a_domain_without_our_mark_is_never_touched(bench: LibvirtBench, machine: Machine) -> None:
    handle = libvirt.open(bench.uri)
    xml = (
        "<domain type='qemu'><name>theirs</name><uuid>{}</uuid><memory>1024</memory>"
        "<os><type>hvm</type></os></domain>"
    )
    theirs = handle.defineXML(xml.format(domain_uuid(machine.plan.id)))
    try:
        with pytest.raises(ProviderError, match="left alone"):
            await machine.destroy()
        with pytest.raises(ProviderError, match="left alone"):
            await machine.create()
        assert handle.lookupByName("theirs").UUIDString() == domain_uuid(machine.plan.id)
    finally:
        theirs.undefine()
        shutil.rmtree(Layout.of(machine.plan).home)


async def test_what_a_user_has_edited_stays(bench: LibvirtBench, machine: Machine) -> None:
    await machine.create()
    domain = bench.domain(machine.plan)
    domain.connect().defineXML(
        domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).replace("</name>", "</name><title>T</title>")
    )
    await machine.start()
    assert "<title>T</title>" in bench.domain(machine.plan).XMLDesc()


# The daemon


async def test_a_daemon_that_comes_back_is_followed_again(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd
) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    changes = machine.provider.watch()
    with session_daemon.gone():
        with pytest.raises(ProviderError) as raised:
            await machine.seen()
        assert raised.value.problem.remedy
        assert bench.pid(machine.plan), "the guest runs on"
        await bench.kill(machine.plan)
    change = await asyncio.wait_for(anext(changes), SOON)
    assert change.id == machine.plan.id
    assert change.seen.state is MachineState.STOPPED
    await machine.start()
    assert await bench.count(machine.plan) == 1


async def test_a_machine_outlives_its_daemon(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd
) -> None:
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    await bench.hang_up(machine.plan)
    with session_daemon.gone():
        pass
    async with asyncio.timeout(SOON):
        while True:
            try:
                seen = await machine.seen()
                break
            except ProviderError:
                await asyncio.sleep(0.1)
    assert (seen.state, seen.started) == (MachineState.RUNNING, began)
    assert await bench.count(machine.plan) == 2


async def test_a_start_is_undone_when_the_daemon_dies_in_it(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.create()
    work = machine.work()
    begun = under_way(monkeypatch, connection.Connection, "run", "create")
    starting = asyncio.create_task(machine.provider.start(machine.plan, work))
    await reach(begun, starting)
    with session_daemon.gone():
        with pytest.raises(ProviderError):
            await asyncio.wait_for(starting, SOON)
        undoing = asyncio.create_task(work.undo())
    await asyncio.wait_for(undoing, SOON)
    assert await machine.state() is MachineState.STOPPED
    await machine.start()
    assert await bench.count(machine.plan) == 1


async def test_a_resumption_is_undone_when_the_daemon_dies_in_it(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd
) -> None:
    """A guest that stands still keeps the daemon that comes back busy: it holds the lock of the domain."""
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    await bench.hang_up(machine.plan)
    await machine.provider.suspend(machine.plan, machine.work())
    work = machine.work()
    resuming = asyncio.create_task(machine.provider.resume(machine.plan, work))
    async with asyncio.timeout(SOON):
        while not (pid := bench.pid(machine.plan)):  # noqa: ASYNC110 - nobody tells of a process
            await asyncio.sleep(0.005)
    os.kill(pid, signal.SIGSTOP)
    with session_daemon.gone(), pytest.raises(ProviderError):
        await asyncio.wait_for(resuming, SOON)
    await asyncio.wait_for(work.undo(), 6 * SOON)
    assert await machine.state() is MachineState.SUSPENDED
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 2, "nothing of its memory is lost"


async def test_an_idle_engine_asks_nothing(
    bench: LibvirtBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await machine.create()).start()
    await bench.provider.states([machine.plan])
    changes = bench.provider.watch()
    waiting = asyncio.ensure_future(anext(changes))
    calls: list[object] = []
    call = library.call

    async def counted(function: object, *rest: object, **more: object) -> object:
        calls.append(function)
        return await call(function, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "call", counted)
    assert not (await asyncio.wait({waiting}, timeout=1.0))[0]
    assert calls == [], "what changes is pushed"
    await bench.kill(machine.plan)
    assert (await asyncio.wait_for(waiting, SOON)).seen.state is MachineState.STOPPED
    assert calls


async def test_a_daemon_that_hangs_is_given_up_and_the_loop_stays_live(
    bench: LibvirtBench, machine: Machine, session_daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.create()
    monkeypatch.setattr(library, "PATIENCE", 2.0)
    monkeypatch.setattr(probing, "PATIENCE", 1.0)
    pid = session_daemon.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        ticks = 0
        looking = asyncio.create_task(machine.seen())
        async with asyncio.timeout(SOON):
            while not looking.done():
                await asyncio.sleep(0.01)
                ticks += 1
        assert ticks >= 3
        with pytest.raises(ProviderError) as raised:
            await looking
        assert raised.value.problem.remedy
        probe = await machine.provider.probe()
        assert not probe.usable
        assert "does not answer" in probe.why
    finally:
        os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    monkeypatch.setenv(URI_VARIABLE, bench.uri)
    assert await machine.state() is MachineState.STOPPED
    assert (await machine.provider.probe()).usable


async def test_a_libvirt_that_is_too_old_is_named_with_the_remedy(
    bench: LibvirtBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "library_version", lambda _: (6, 9, 0))
    probe = await bench.provider.probe()
    assert not probe.usable and "6.9.0 is too old" in probe.why and probe.remedy


async def test_a_box_for_another_architecture_is_refused(machine: Machine) -> None:
    await refuses_another_architecture(machine)


async def test_a_probe_without_a_daemon_says_what_mends_it(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, f"qemu+unix:///system?socket={short_folder}/none")
    probe = await LibvirtProvider().probe()
    assert not probe.usable
    assert "No such file" in probe.why
    assert "libvirtd" in probe.remedy


async def test_a_network_that_is_not_active_is_no_secret(
    system_daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    handle = libvirt.open(system_daemon.uri)
    default = handle.networkDefineXML("<network><name>default</name></network>")
    monkeypatch.setattr(probing, "_kvm_is_roots", lambda: False)
    try:
        probe = await LibvirtProvider().probe()
        assert probe.usable
        assert "default is not active" in probe.why
        assert "net-start default" in probe.remedy
        monkeypatch.setattr(probing, "_kvm_is_roots", lambda: True)
        assert "chmod" in (await LibvirtProvider().probe()).remedy
        monkeypatch.setattr(probing.troubles, "found", lambda _name: "")
        probe = await LibvirtProvider().probe()
        assert "dnsmasq" in probe.why
        assert probe.usable
    finally:
        default.undefine()
        handle.close()


async def test_bulk_looks_are_few_calls(
    bench: LibvirtBench, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.create()
    others = [Machine(bench, bench.plans.make()) for _ in range(20)]
    await bench.provider.states([machine.plan])
    calls: list[object] = []
    run = connection.Connection.run

    async def counted(self: connection.Connection, function: object, *rest: object, **more: object) -> object:
        calls.append(function)
        return await run(self, function, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(connection.Connection, "run", counted)
    seen = await bench.provider.states([machine.plan, *(other.plan for other in others)])
    assert seen[machine.plan.id].state is MachineState.STOPPED
    assert {seen[other.plan.id].state for other in others} == {MachineState.ABSENT}
    assert calls.count(domains.all_rows) == 1
    assert len(calls) <= 2, "one more may be for the event of what was just made"


# The system's daemon


async def test_guests_of_the_system_run_as_the_owner_of_their_files(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    bench = LibvirtBench(short_folder, system_daemon.uri)
    machine = Machine(bench, bench.plans.make())
    folder = Path(machine.plan.folder)
    folder.chmod(0o700)
    monkeypatch.setattr("core.providers.libvirt.host.os.getuid", lambda: 12345)
    monkeypatch.setattr("core.providers.libvirt.host.os.getgid", lambda: 12345)
    try:
        await machine.create()
        for path in (short_folder, folder.parent, folder, *folder.rglob("*"), Path(bench.plans.image)):
            os.chown(path, 12345, 12345)
        owners = {path: path.stat().st_uid for path in folder.rglob("*")}
        await machine.start()
        pid = bench.pid(machine.plan)
        assert pid
        assert Path("/proc", str(pid)).stat().st_uid == 12345
        assert await bench.count(machine.plan) == 1
        await bench.store(machine.plan)
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())
        await machine.provider.suspend(machine.plan, machine.work())
        await machine.provider.resume(machine.plan, machine.work())
        assert await bench.count(machine.plan) == 2
        assert {path: path.stat().st_uid for path in owners if path.suffix == ".qcow2"} == {
            path: 12345 for path in owners if path.suffix == ".qcow2"
        }
    finally:
        await machine.destroy()
        await bench.close()


async def test_a_card_in_a_network_of_libvirts_gets_an_address(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    bench = LibvirtBench(short_folder, system_daemon.uri)
    machine = Machine(bench, bench.plans.make(options={"networks": ["bwtest"]}))
    handle = libvirt.open(system_daemon.uri)
    network = handle.networkDefineXML(
        "<network><name>bwtest</name><bridge name='virbrbwt'/>"
        "<ip address='192.168.211.1' netmask='255.255.255.0'><dhcp>"
        "<range start='192.168.211.10' end='192.168.211.20'/></dhcp></ip></network>"
    )
    try:
        await machine.create()
        with pytest.raises(ProviderError, match="refused") as raised:
            await machine.start()
        assert "net-start" in raised.value.problem.remedy
        network.create()
        await machine.start()
        assert await bench.count(machine.plan) == 1
        seen = await machine.seen()
        assert seen.started and "address in bwtest" not in seen.started.facts, "it has not asked for one"
    finally:
        await machine.destroy()
        await bench.close()
        if network.isActive():
            network.destroy()
        network.undefine()


async def test_halt_and_destroy_are_tried_again_while_libvirt_holds_the_domains_lock(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await machine.create()).start()
    met: list[str] = []

    def locked(name: str) -> None:
        really = getattr(domains, name)

        def first_refused(handle: Any, machine_id: str) -> None:
            if name not in met:
                met.append(name)
                error = libvirt.libvirtError("Timed out during operation: cannot acquire state change lock")
                error.err = (libvirt.VIR_ERR_OPERATION_TIMEOUT, 0, "cannot acquire state change lock")
                raise error
            really(handle, machine_id)

        monkeypatch.setattr(domains, name, first_refused)

    locked("end")
    locked("remove")
    await machine.provider.stop(machine.plan, machine.work(), force=True)
    assert await machine.state() is MachineState.STOPPED
    await machine.destroy()
    assert await machine.state() is MachineState.ABSENT
    assert met == ["end", "remove"]
