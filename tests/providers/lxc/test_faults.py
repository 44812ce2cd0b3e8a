"""A libvirt of containers that goes and comes back, is not there, or has what is somebody else's; and engines
that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import libvirt
import pytest

from core.errors import ProviderError
from core.model.machine import MachineState
from core.providers.libvirt import record as records
from core.providers.libvirt.address import URI_VARIABLE
from core.providers.libvirt.containers import probing
from core.providers.libvirt.containers.processes import first_process
from core.providers.libvirt.containers.provider import LxcProvider
from core.providers.libvirt.definition import domain_name
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import Options
from tests.providers.bench import Machine, refuses_another_architecture
from tests.providers.crashing import Kill, killed_everywhere
from tests.providers.libvirt.dying import dies_in_the_middle
from tests.providers.libvirt.test_crash import can_be_destroyed, stopped, unchanged
from tests.providers.libvirt.test_faults import objects
from tests.providers.lxc.bench import LxcBench
from tests.providers.qemu.test_crash import no_machine, running_machine, stopped_machine
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON

pytestmark = pytest.mark.real


class Listed:
    """A libvirt that tells all that it has."""

    def __init__(self, daemon: Libvirtd) -> None:
        self._daemon = daemon

    def objects(self) -> dict[str, list[str]]:
        return objects(self._daemon.uri)


@pytest.mark.parametrize(
    "kill",
    [
        Kill("create", no_machine, unchanged, 10, 23),
        Kill("start", stopped_machine, stopped, 10, 23),
        Kill("destroy", running_machine, can_be_destroyed, 10, 23),
    ],
    ids=lambda kill: kill.action,
)
async def test_killed_in_the_middle(
    bench: LxcBench, daemon: Libvirtd, short_folder: Path, kill: Kill
) -> None:
    await killed_everywhere("lxc", bench, Listed(daemon), short_folder, kill)


CALLS = {
    "create": "define",
    "start": "create",
    "force": "end",
    "suspend": "pause",
    "resume": "go_on",
    "clone": "define",
    "destroy": "remove",
}
"""Each action with the call of libvirt's in which the daemon dies."""


@pytest.mark.parametrize("action", CALLS)
async def test_the_daemon_may_die_in_the_middle_of_anything(
    machine: Machine, daemon: Libvirtd, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    await dies_in_the_middle(machine, daemon, monkeypatch, action, CALLS[action])


async def test_containers_outlive_a_daemon_that_comes_back_and_is_followed_again(
    bench: LxcBench, machine: Machine, daemon: Libvirtd
) -> None:
    began = await (await machine.create()).provider.start(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    changes = machine.provider.watch()
    with daemon.gone():
        with pytest.raises(ProviderError) as raised:
            await machine.seen()
        assert raised.value.problem.remedy
        assert await bench.count(machine.plan) == 2, "commands need no daemon"
    seen = await machine.seen()
    assert (seen.state, seen.started) == (MachineState.RUNNING, began)
    await machine.provider.suspend(machine.plan, machine.work())
    with daemon.gone():
        pass
    assert await machine.state() is MachineState.SUSPENDED, "which libvirt forgets"
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 3
    await bench.kill(machine.plan)
    async with asyncio.timeout(SOON):
        while (await anext(changes)).seen.state is not MachineState.STOPPED:
            pass


async def test_a_container_whose_first_process_is_killed_is_stopped_and_starts_again(
    bench: LxcBench, machine: Machine
) -> None:
    await (await machine.create()).start()
    assert await bench.count(machine.plan) == 1
    record = records.read(Layout.of(machine.plan))
    assert record
    pid = first_process(record.run)
    assert pid
    changes = machine.provider.watch()
    os.kill(pid, signal.SIGKILL)
    assert (await asyncio.wait_for(anext(changes), SOON)).seen.state is MachineState.STOPPED
    assert first_process(record.run) is None
    await machine.start()
    assert await bench.count(machine.plan) == 1


async def test_somebody_elses_domain_of_that_name_is_never_touched(
    bench: LxcBench, machine: Machine, daemon: Libvirtd
) -> None:
    name = domain_name(machine.plan, Options())
    handle = libvirt.open(daemon.uri)
    theirs = handle.defineXML(
        f"<domain type='lxc'><name>{name}</name><memory>65536</memory><os><type>exe</type>"
        "<init>/bin/sh</init></os><devices/></domain>"
    )
    try:
        work = machine.work()
        with pytest.raises(ProviderError, match="somebody else's") as raised:
            await machine.provider.create(machine.plan, work)
        assert raised.value.problem.remedy
        await work.undo()
        await machine.destroy()
        assert handle.lookupByName(name).UUIDString() == theirs.UUIDString()
    finally:
        theirs.undefine()
        handle.close()


async def test_what_others_do_to_a_container_is_seen(bench: LxcBench, machine: Machine) -> None:
    await machine.create()
    assert await machine.state() is MachineState.STOPPED
    changes = machine.provider.watch()
    domain = bench.domain(machine.plan)
    for action, state in (
        (domain.create, MachineState.RUNNING),
        (domain.suspend, MachineState.SUSPENDED),
        (domain.resume, MachineState.RUNNING),
        (domain.destroy, MachineState.STOPPED),
        (domain.undefine, MachineState.STOPPED),
    ):
        await asyncio.to_thread(action)
        change = await asyncio.wait_for(anext(changes), SOON)
        assert (change.id, change.seen.state) == (machine.plan.id, state)
    assert "undefined" in (await machine.seen()).trouble
    await machine.start()
    assert await bench.count(machine.plan) == 1


async def test_a_box_for_another_architecture_is_refused(machine: Machine) -> None:
    await refuses_another_architecture(machine)


async def test_a_libvirt_that_is_too_old_is_named_with_the_remedy(
    bench: LxcBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "library_version", lambda _: (6, 9, 0))
    probe = await bench.provider.probe()
    assert not probe.usable and "6.9.0 is too old" in probe.why and probe.remedy


async def test_a_probe_without_a_daemon_says_what_mends_it(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URI_VARIABLE, f"lxc+unix:///system?socket={short_folder}/none")
    probe = await LxcProvider().probe()
    assert not probe.usable
    assert "No such file" in probe.why
    assert "libvirtd" in probe.remedy
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    probe = await LxcProvider().probe()
    assert "root" in probe.why and probe.remedy
