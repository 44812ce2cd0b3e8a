"""A libvirt on another computer, reached by SSH: here over an sshd on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import libvirt
import msgspec
import pytest

from core.errors import ProviderError
from core.model.machine import Disk, MachineState, WantedPort
from core.providers.libvirt import probing
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import SSH, Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.providers.qemu.test_linux import banner
from tests.support.libvirtd import Libvirtd
from tests.support.sshd import Sshd
from tests.support.tiny import tiny_image  # noqa: F401

pytestmark = pytest.mark.real


@pytest.fixture
async def sshd(short_folder: Path) -> AsyncIterator[Sshd]:
    made = Sshd(short_folder / "sshd")
    await made.started()
    yield made
    made.stop()


@pytest.fixture
def uri(sshd: Sshd, session_daemon: Libvirtd) -> str:
    end, socket = sshd.endpoint, session_daemon.socket
    how = f"keyfile={end.identity}&no_verify=1&proxy=netcat&socket={socket}"
    return f"qemu+ssh://{end.user}@{end.host}:{end.port}/session?{how}"


@pytest.fixture
async def machine(
    session_daemon: Libvirtd,
    short_folder: Path,
    uri: str,
    tiny_image: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Machine]:
    monkeypatch.setenv(URI_VARIABLE, session_daemon.uri)
    before = objects(session_daemon.uri)
    bench = LibvirtBench(short_folder, session_daemon.uri)
    options = {
        "uri": uri,
        "storage_pool_name": "far",
        "storage_pool_path": str(session_daemon.folder / "far"),
    }
    disks = (Disk(path=str(tiny_image)),)
    made = Machine(bench, bench.plans.make(disks=disks, memory=256 << 20, options=options, box_name="tiny"))
    yield made
    await made.destroy()
    assert await bench.traces(made.plan) == []
    assert objects(session_daemon.uri) == before
    await bench.close()


async def test_a_machine_on_another_computer_answers_here(machine: Machine) -> None:
    await machine.create()
    began = await machine.provider.start(machine.plan, machine.work())
    assert await banner(began) == b"SSH-"
    assert (await machine.seen()).started == began
    assert machine.provider.serial_log(machine.plan) is None
    console = await machine.provider.console(machine.plan)
    await console.write(b"\n")
    async with asyncio.timeout(60):
        assert await console.read()
    await console.close()
    assert (await machine.provider.stats(machine.plan)).cpu_seconds > 0

    await machine.provider.close()
    provider = machine.provider = machine.bench.again()
    seen = await machine.seen()
    assert seen.started == began, "the next engine finds it, and leads to it"
    assert await banner(began) == b"SSH-"
    await provider.suspend(machine.plan, machine.work())
    began = await provider.resume(machine.plan, machine.work())
    assert await banner(began) == b"SSH-"
    await provider.stop(machine.plan, machine.work())
    assert await machine.state() is MachineState.STOPPED
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", began.ssh_port)


async def test_datagrams_are_refused_with_the_reason(machine: Machine) -> None:
    ports = (SSH, WantedPort(guest=53, protocol="udp"))
    machine.plan = msgspec.structs.replace(machine.plan, ports=ports)
    await machine.create()
    work = machine.work()
    with pytest.raises(ProviderError, match="udp") as raised:
        await machine.provider.start(machine.plan, work)
    assert "SSH" in raised.value.problem.why
    await work.undo()
    assert await machine.state() is MachineState.STOPPED


async def test_a_computer_that_lets_nobody_in_is_said(
    sshd: Sshd, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sshd.authorize("")
    with pytest.raises(libvirt.libvirtError):
        libvirt.open(uri + "&no_tty=1")
    probe = await probing.probe({"uri": uri})
    assert not probe.usable
    assert "ssh" in probe.remedy
