"""Copies of machines through the engine: what they are called and have, and what is left when one fails."""

from __future__ import annotations

from typing import Any

import pytest

from core.engine.records import MachineRecord
from core.errors import ProviderError
from core.guests import hostname, identity
from core.guests.errors import GuestError
from core.model import command
from core.model.machine import Machine, MachineKey, MachineState
from core.model.operation import StepState
from core.model.query import GetMachines, Machines
from tests.handlers.conftest import House


class Guests:
    """What guests were told; the guest of these tests is the computer itself, which is to stay as it is."""

    def __init__(self) -> None:
        self.renewed = 0
        self.names: list[str] = []
        self.trouble: GuestError | None = None


@pytest.fixture(autouse=True)
def guests(monkeypatch: pytest.MonkeyPatch) -> Guests:
    seen = Guests()

    async def renew(_guest: Any) -> tuple[tuple[str, bytes], ...]:
        if seen.trouble:
            raise seen.trouble
        seen.renewed += 1
        return ()

    async def name(_guest: Any, name: str) -> None:
        seen.names.append(name)

    monkeypatch.setattr(identity, "renew_identity", renew)
    monkeypatch.setattr(hostname, "set_hostname", name)
    return seen


def machines(house: House) -> dict[str, Machine]:
    answer = house.engine.query(GetMachines(project=str(house.root)))
    assert isinstance(answer, Machines)
    return {machine.name: machine for machine in answer.machines}


def record(house: House, name: str) -> MachineRecord:
    return house.engine.machines.require(MachineKey(str(house.root), name))


async def test_copies_run_under_names_and_ports_of_their_own(house: House, guests: Guests) -> None:
    house.write('hostname = "web.shop"\nports = [{ guest = 80, host = 28080, auto_correct = false }]\n')
    await house.do(command.Up(machine=house.web))
    guests.names.clear()
    done = await house.do(command.Clone(machine=house.web, count=2))
    assert done.state is StepState.DONE, done.problem
    assert done.result == {"machines": ["web-2", "web-3"]}
    assert guests.renewed == 2
    assert sorted(guests.names) == ["web-2.shop", "web-3.shop"]
    for name, port in (("web-2", 28081), ("web-3", 28082)):
        machine = machines(house)[name]
        assert machine.state is MachineState.RUNNING
        assert machine.provider_reason == "fake: as web, whose clone it is"
        assert [forward.host for forward in machine.ports if forward.guest == 80] == [port]
    more = await house.do(command.Clone(machine=house.web, name="test"))
    assert more.result == {"machines": ["test-2"]}


async def test_a_copy_follows_the_description_of_its_source(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    await house.do(command.Clone(machine=house.web))
    house.write("cpus = 3\nports = [{ guest = 80, host = 28080 }]\n")
    copy = MachineKey(str(house.root), "web-2")
    await house.do(command.Halt(machine=copy))
    assert (await house.do(command.Up(machine=copy))).state is StepState.DONE
    plan = record(house, "web-2").plan
    assert plan.cpus == 3
    assert [port.host for port in plan.ports if port.guest == 80] == [28081]
    assert (await house.do(command.Destroy(machine=copy))).state is StepState.DONE
    assert list(machines(house)) == ["web"]


async def test_a_copy_that_cannot_be_started_takes_all_of_them_with_it(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    house.hypervisor.fail("start", ProviderError("no room"))
    done = await house.do(command.Clone(machine=house.web, count=3))
    assert done.state is StepState.FAILED
    assert list(machines(house)) == ["web"]
    assert house.machine().state is MachineState.RUNNING
    assert len(house.hypervisor.machines) == 1


@pytest.mark.parametrize("action", ["clone", "start"])
async def test_a_cancelled_clone_leaves_nothing_but_its_source(house: House, action: str) -> None:
    await house.do(command.Up(machine=house.web))
    before = house.leftovers()
    gate = house.hypervisor.hold(action)
    operation = house.engine.submit(command.Clone(machine=house.web, count=2))
    await gate.reached.wait()
    house.engine.cancel(operation)
    assert (await house.end(operation)).state is StepState.CANCELLED
    assert list(machines(house)) == ["web"]
    assert house.leftovers() == before
    assert len(house.hypervisor.machines) == 1


async def test_a_copy_that_is_not_yet_itself_becomes_so_at_the_next_up(house: House, guests: Guests) -> None:
    await house.do(command.Up(machine=house.web))
    gate = house.hypervisor.hold("start")
    operation = house.engine.submit(command.Clone(machine=house.web))
    await gate.reached.wait()
    copy = record(house, "web-2")
    gate.release()
    await house.end(operation)
    assert "copied" not in record(house, "web-2").facts
    house.engine.machines.change(copy.key, facts=copy.facts)
    assert (await house.do(command.Up(machine=copy.key))).state.good
    assert guests.renewed == 2
    assert "copied" not in record(house, "web-2").facts


async def test_impossible_copies_are_refused(house: House) -> None:
    await house.do(command.Up(machine=house.web))
    for wanted in (command.Clone(machine=house.web, count=0), command.Clone(machine=house.web, name="a b")):
        done = await house.do(wanted)
        assert done.problem is not None
        assert done.state is StepState.FAILED
    assert list(machines(house)) == ["web"]
