"""Private networks through the engine: ranges and addresses, who is told what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from core.guests import networks
from core.model import command
from core.model.machine import MachineKey, MachinePlan, PlannedNetwork
from core.model.operation import StepState
from core.providers import routes
from tests.handlers.conftest import House

DB = """
[machines.db]
box = "base"
networks = [{ name = "back" }, { name = "front" }]
"""


class Told:
    """What guests were told; the guest of these tests is the computer itself, which is to stay as it is."""

    def __init__(self) -> None:
        self.joined: list[tuple[PlannedNetwork, ...]] = []
        self.names: list[Mapping[str, str]] = []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()

    async def join(_guest: Any, places: tuple[PlannedNetwork, ...]) -> None:
        told.joined.append(places)

    async def name(_guest: Any, names: Mapping[str, str]) -> None:
        told.names.append(names)

    monkeypatch.setattr(networks, "join_networks", join)
    monkeypatch.setattr(networks, "name_neighbours", name)
    return told


def db_of(house: House) -> str:
    account = f'ssh.user = "{house.sshd.endpoint.user}"\nssh.identity = "{house.sshd.client_key}"\n'
    return DB + account


def plan(house: House, name: str) -> MachinePlan:
    return house.engine.machines.require(MachineKey(str(house.root), name)).plan


async def up(house: House, name: str = "web") -> None:
    done = await house.do(command.Up(machine=MachineKey(str(house.root), name)))
    assert done.state is StepState.DONE, done.problem


async def test_machines_share_a_range_and_know_each_other_before_both_are_there(
    house: House, told: Told
) -> None:
    house.write('networks = [{ name = "back" }]\n' + db_of(house))
    await up(house)
    (back,) = plan(house, "web").networks
    assert told.joined == [(back,)]
    await up(house, "db")
    other, front = plan(house, "db").networks
    assert (other.name, other.label, other.subnet) == (back.name, "back", back.subnet)
    assert IPv4Address(back.address) in IPv4Network(back.subnet)
    assert told.names == [{"db": other.address}, {"web": back.address}]
    assert len({back.address, other.address, back.mac, other.mac, front.mac}) == 5
    assert front.subnet != back.subnet
    assert front.name != back.name


async def test_a_guest_gets_its_addresses_at_every_start_and_once(house: House, told: Told) -> None:
    house.write('networks = [{ name = "back" }]\n')
    await up(house)
    assert (await house.do(command.Up(machine=house.web))).state is StepState.CACHED
    assert len(told.joined) == 1
    before = plan(house, "web").networks
    await house.do(command.Reload(machine=house.web))
    assert told.joined == [before, before]
    assert told.names == []


async def test_addresses_that_the_project_gives_are_kept(house: House, told: Told) -> None:
    house.write('networks = [{ name = "back", address = "10.200.1.10" }]\n' + db_of(house))
    await up(house, "db")
    await up(house)
    assert plan(house, "web").networks[0].address == "10.200.1.10"
    assert {machine.networks[0].subnet for machine in (plan(house, "db"), plan(house, "web"))} == {
        "10.200.1.0/24"
    }


async def test_ranges_of_the_host_are_left_alone(
    house: House, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write('networks = [{ name = "back" }]\n')
    await up(house)
    usual = IPv4Network(plan(house, "web").networks[0].subnet)
    await house.do(command.Destroy(machine=house.web))
    monkeypatch.setattr(routes, "ranges", lambda: frozenset({usual.supernet(new_prefix=20)}))
    await up(house)
    assert not IPv4Network(plan(house, "web").networks[0].subnet).overlaps(usual.supernet(new_prefix=20))


async def test_a_provider_without_networks_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = house.engine.context.provider("fake")
    monkeypatch.setattr(type(provider), "capabilities", frozenset())
    house.write('networks = [{ name = "back" }]\n')
    done = await house.do(command.Up(machine=house.web))
    assert done.problem is not None
    assert done.problem.what == "fake has no private networks."
    assert "back" in done.problem.why
    assert house.leftovers() == []
