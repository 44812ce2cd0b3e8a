"""Networks of a project, and the one for management: made for the first machine, gone with the last."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import libvirt
import pytest

from core.errors import ProviderError
from core.model.machine import MachineState, PlannedNetwork
from core.providers.libvirt import networks
from core.providers.libvirt.address import URI_VARIABLE
from tests.providers.bench import Machine
from tests.providers.libvirt.bench import LibvirtBench
from tests.providers.libvirt.test_faults import objects
from tests.support.libvirtd import Libvirtd

pytestmark = pytest.mark.real

NAME = f"bw{secrets.token_hex(3)}"
SUBNET = f"10.213.{int(NAME[2:4], 16)}.0/24"


def place(number: int, **changes: Any) -> PlannedNetwork:
    address = f"{SUBNET.rpartition('.')[0]}.{number}"
    fields = {"name": NAME, "label": "inner", "mac": f"52:54:00:00:01:{number:02x}", "subnet": SUBNET}
    return PlannedNetwork(**{**fields, "address": address, **changes})


@pytest.fixture
async def bench(
    system_daemon: Libvirtd, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LibvirtBench]:
    monkeypatch.setenv(URI_VARIABLE, system_daemon.uri)
    before = objects(system_daemon.uri)
    made = LibvirtBench(short_folder, system_daemon.uri)
    yield made
    await made.close()
    assert objects(system_daemon.uri) == before


def described(uri: str, name: str) -> ElementTree.Element:
    handle = libvirt.open(uri)
    try:
        return ElementTree.fromstring(handle.networkLookupByName(name).XMLDesc(0))
    finally:
        handle.close()


async def test_machines_of_a_project_share_a_network_which_goes_with_the_last(bench: LibvirtBench) -> None:
    one = Machine(bench, bench.plans.make(networks=(place(5),)))
    other = Machine(bench, bench.plans.make(networks=(place(6, address=""),)))
    await asyncio.gather(one.create(), other.create())
    await asyncio.gather(one.start(), other.start())
    found = described(bench.uri, NAME)
    assert found.find("forward") is None, "it leads to the host and no further"
    assert [host.get("ip") for host in found.iterfind("ip/dhcp/host")] == [place(5).address]
    card = ElementTree.fromstring(bench.domain(one.plan).XMLDesc(0)).findall("devices/interface")[1]
    assert card.find("mac").get("address") == place(5).mac  # type: ignore[union-attr]
    await one.destroy()
    assert described(bench.uri, NAME).find("ip/dhcp/host") is None
    assert await bench.count(other.plan) == 1
    await other.destroy()
    assert NAME not in objects(bench.uri)["networks"]


async def test_many_that_come_at_once_make_one_network_between_them(bench: LibvirtBench) -> None:
    wanted = (networks.Wanted(name=NAME, label="inner", subnet=SUBNET),)
    handle = libvirt.open(bench.uri)
    for _ in range(10):
        await asyncio.gather(*(asyncio.to_thread(networks.have, handle, wanted) for _ in range(8)))
        assert handle.networkLookupByName(NAME).isActive()
        await asyncio.gather(*(asyncio.to_thread(networks.release, handle, (), (NAME,)) for _ in range(8)))
        assert NAME not in objects(bench.uri)["networks"]
    handle.close()


async def test_a_network_that_somebody_has_deleted_is_made_again(bench: LibvirtBench) -> None:
    machine = await Machine(bench, bench.plans.make(networks=(place(5),))).create()
    await machine.start()
    await machine.provider.suspend(machine.plan, machine.work())
    network = libvirt.open(bench.uri).networkLookupByName(NAME)
    network.destroy()
    network.undefine()
    await machine.provider.resume(machine.plan, machine.work())
    assert await bench.count(machine.plan) == 1
    await machine.destroy()


async def test_a_range_that_is_in_use_is_named_and_nothing_stays(bench: LibvirtBench) -> None:
    handle = libvirt.open(bench.uri)
    gateway = f"{SUBNET.rpartition('.')[0]}.1"
    theirs = handle.networkCreateXML(
        f"<network><name>theirs</name><ip address='{gateway}' netmask='255.255.255.0'/></network>"
    )
    machine = await Machine(bench, bench.plans.make(networks=(place(5),))).create()
    try:
        work = machine.work()
        with pytest.raises(ProviderError, match="inner") as raised:
            await machine.provider.start(machine.plan, work)
        assert "in use" in raised.value.problem.why
        assert "another range" in raised.value.problem.remedy
        await work.undo()
        assert NAME not in objects(bench.uri)["networks"]
        assert await machine.state() is MachineState.STOPPED
    finally:
        await machine.destroy()
        theirs.destroy()
        handle.close()


async def test_somebody_elses_network_is_used_and_never_changed(bench: LibvirtBench) -> None:
    handle = libvirt.open(bench.uri)
    theirs = handle.networkDefineXML(f"<network><name>{NAME}</name><bridge name='{NAME}'/></network>")
    theirs.create()
    before = theirs.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)
    machine = await Machine(bench, bench.plans.make(networks=(place(5),))).create()
    try:
        await machine.start()
        assert theirs.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE) == before
        await machine.destroy()
        assert theirs.isActive()
    finally:
        await machine.destroy()
        theirs.destroy()
        theirs.undefine()
        handle.close()


async def test_the_management_network_is_as_its_options_say(bench: LibvirtBench) -> None:
    options = {
        "management_network_name": NAME,
        "management_network_address": SUBNET,
        "management_network_mode": "nat",
        "management_network_domain": "example.test",
        "management_network_mtu": 1400,
        "management_network_mac": "52:54:00:00:02:01",
    }
    machine = await Machine(bench, bench.plans.make(options=options)).create()
    try:
        await machine.start()
        found = described(bench.uri, NAME)
        assert found.find("forward").get("mode") == "nat"  # type: ignore[union-attr]
        assert found.find("mtu").get("size") == "1400"  # type: ignore[union-attr]
        assert found.find("domain").get("name") == "example.test"  # type: ignore[union-attr]
    finally:
        await machine.destroy()


async def test_a_bridge_of_the_hosts(bench: LibvirtBench) -> None:
    handle = libvirt.open(bench.uri)
    theirs = handle.networkCreateXML(f"<network><name>{NAME}</name><bridge name='{NAME}'/></network>")
    machine = Machine(bench, bench.plans.make(options={"networks": [{"bridge": NAME}]}))
    try:
        await (await machine.create()).start()
        assert await bench.count(machine.plan) == 1
    finally:
        await machine.destroy()
        theirs.destroy()
        handle.close()
