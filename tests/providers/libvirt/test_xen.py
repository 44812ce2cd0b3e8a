"""Guests of Xen's, of which there is no hypervisor here: what libvirt is handed, what is refused, and what a
libvirt without Xen says. The ways to their ports are tried with an address of this computer's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from core.errors import ProviderError, UsageError
from core.model.machine import ExtraDisk, Forward, MachinePlan
from core.providers.libvirt import LibvirtProvider, domains
from core.providers.libvirt.connection import Connection
from core.providers.libvirt.layout import Layout
from core.providers.libvirt.options import read_options
from core.providers.libvirt.record import DiskFile, Record
from core.providers.libvirt.relays import Relays
from core.providers.libvirt.xen import definition, ways
from core.providers.ports import LOOPBACK
from tests.providers.bench import Plans
from tests.providers.libvirt.test_schema import validated
from tests.providers.networks import Wiring
from tests.support.libvirtd import Libvirtd
from tests.support.moments import SOON
from tests.support.work import RecordingWork

URI = "xen:///system"


@pytest.fixture
def plan(tmp_path: Path) -> MachinePlan:
    disks = (ExtraDisk(name="data", size=1 << 30),)
    options = {"uri": URI, "networks": ["default"]}
    return Plans(tmp_path).make(networks=(Wiring().place(10),), extra_disks=disks, cpus=2, options=options)


def built(plan: MachinePlan, **table: Any) -> str:
    options = read_options({**plan.options, **table})
    disks = (DiskFile(file="disk0.qcow2"), DiskFile(file="extra0.qcow2", extra="data"))
    record = Record(id=plan.id, uri=URI, disks=disks)
    return definition.build("one", plan, options, record, Layout.of(plan))


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"machine_type": "xenpv"},
        {"machine_type": "xenpv", "kernel": "/k", "initrd": "/i", "cmd_line": "root=/dev/xvda1"},
        {"networks": [{"bridge": "xenbr0"}], "management_network_name": "m", "cpuset": "0-1", "title": "one"},
        {"loader": "/usr/lib/xen/boot/hvmloader", "memory": "1GiB", "emulator_path": "/usr/bin/qemu"},
    ],
)
def test_guests_are_valid_by_libvirts_schemas(
    plan: MachinePlan, tmp_path: Path, table: dict[str, Any]
) -> None:
    validated(built(plan, **table), tmp_path)
    uefi = msgspec.structs.replace(plan, firmware="uefi")
    validated(built(uefi, **table), tmp_path)


def test_a_full_guest_has_a_pcs_hardware_and_a_paravirtual_one_xens_alone(plan: MachinePlan) -> None:
    full = ElementTree.fromstring(built(plan))
    assert full.get("type") == "xen"
    assert (full.findtext("os/type"), full.find("os/boot") is not None) == ("hvm", True)
    assert [disk.get("dev") for disk in full.iterfind("devices/disk/target")] == ["xvda", "xvdb"]
    card = full.find("devices/interface/source")
    assert card is not None and card.get("network") == "default"
    assert full.find("devices/interface[@type='user']") is None
    other = ElementTree.fromstring(built(plan, machine_type="xenpv"))
    assert (other.findtext("os/type"), other.findtext("bootloader")) == ("xen", "pygrub")
    assert other.find("devices/serial") is None
    assert ElementTree.fromstring(built(plan, machine_type="xenpv", kernel="/k")).find("bootloader") is None


@pytest.mark.parametrize(
    "table",
    [
        {"tpm_type": "emulator"},
        {"disk_bus": "scsi"},
        {"qemuargs": {"value": "-s"}},
        {"graphics_type": "vnc"},
        {"snapshots": "external"},
        {"machine_type": "q35"},
        {"networks": [{"device": "eth0"}]},
    ],
)
def test_what_such_guests_have_not_is_refused_with_what_to_do(table: dict[str, Any]) -> None:
    LibvirtProvider().check({"uri": URI, "networks": ["default"]})
    with pytest.raises(UsageError) as raised:
        LibvirtProvider().check({"uri": URI, **table})
    assert raised.value.problem.why and raised.value.problem.remedy


@pytest.mark.parametrize("uri", ["xen+ssh://far/system", "xen://far/system", "xen+tls://far/system"])
def test_another_computers_xen_is_refused(uri: str) -> None:
    with pytest.raises(UsageError) as raised:
        LibvirtProvider().check({"uri": uri})
    assert "xen:///system" in raised.value.problem.remedy


def test_a_guest_in_no_network_is_refused_as_nothing_reaches_it(plan: MachinePlan) -> None:
    alone = msgspec.structs.replace(plan, networks=())
    with pytest.raises(ProviderError, match="reaches it") as raised:
        built(alone, networks=[{"bridge": "xenbr0"}])
    assert "default" in raised.value.problem.remedy


async def test_ports_lead_to_the_address_that_a_network_has_given(
    plan: MachinePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(domains, "leases", lambda _handle, names: dict.fromkeys(names, given))

    async def run(self: Connection, function: Any, *arguments: Any) -> Any:
        return function(None, *arguments)

    monkeypatch.setattr(Connection, "run", run)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"here: " + await reader.readline())
        writer.close()

    guest = await asyncio.start_server(greet, LOOPBACK)
    inside = guest.sockets[0].getsockname()[1]
    relays = Relays()
    way = ways.way(Connection(URI, lambda *_: None, lambda: None), plan)
    assert await relays.open(plan.id, way, [Forward(guest=inside, host=0)]) is None
    (server,) = relays._servers[plan.id]
    outside = server.sockets[0].getsockname()[1]
    assert await _asked(outside) == b"", "it has no address yet"
    card = definition.joined(plan, read_options(plan.options))[0]
    given[card.mac] = LOOPBACK
    assert await _asked(outside) == b"here: hello\n"
    await relays.close_all()
    guest.close()


async def _asked(port: int) -> bytes:
    async with asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"hello\n")
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


@pytest.mark.real
async def test_a_libvirt_without_xen_says_so_in_its_own_words(
    plan: MachinePlan, system_daemon: Libvirtd
) -> None:
    uri = f"xen+unix:///system?socket={system_daemon.socket}"
    plan = msgspec.structs.replace(plan, extra_disks=(), options={**plan.options, "uri": uri})
    provider = LibvirtProvider()
    work = RecordingWork(provider.undo)
    with pytest.raises(ProviderError, match="cannot be reached") as raised:
        await provider.create(plan, work)
    why, remedy = raised.value.problem.why, raised.value.problem.remedy
    assert ("no connection driver" in why and "install" in remedy) or (
        "not active" in why and "hypervisor" in remedy
    )
    assert not work.intents, "there is nothing to undo"
    await provider.close()
