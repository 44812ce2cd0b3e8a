"""Consoles whose machine, or whose engine, has gone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors import NotFoundError
from core.model.event import MachineGone
from core.model.machine import MachineKey, MachineState
from tests.support.fake_client import SHOP, FakeClient
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.tui.conftest import Driver, Start
from tui.console.session import SessionState

WEB = f"{SHOP}:web"


def become(world: FakeClient, state: MachineState) -> None:
    world.machine(msgspec.structs.replace(world.machines[WEB], state=state, endpoint=None))


async def serial(driver: Driver) -> None:
    await driver.press("c")
    await driver.wait_for("every other key")


@pytest.mark.parametrize("first", ["the line", "the machine"])
async def test_the_console_of_a_destroyed_machine_says_so_and_closes_on_a_key(
    start: Start, world: FakeClient, first: str
) -> None:
    async with start() as driver:
        await serial(driver)
        if first == "the line":
            become(world, MachineState.STOPPED)
            await world.serials[-1].close()
            await driver.wait_for("the machine does not run.")
            become(world, MachineState.ABSENT)
        else:
            become(world, MachineState.ABSENT)
            await world.serials[-1].close()
        await driver.wait_for("The machine is gone.  enter closes this tab")
        await driver.press("enter")
        await until(lambda: not driver.bench.consoles.all)
        assert driver.bench.detail.active == "overview"


async def test_what_was_open_in_a_machine_that_is_not_listed_any_more_says_so_and_closes(
    start: Start, world: FakeClient
) -> None:
    async with start() as driver:
        await serial(driver)
        del world.machines[WEB]
        world.publish(MachineGone(MachineKey(SHOP, "web")))
        await driver.wait_for("web was destroyed: what was open there is closed.")
        await until(lambda: not driver.bench.consoles.all)
        await driver.settle()
        assert driver.bench.lists.machines.has_focus


@pytest.mark.real
async def test_shells_of_a_machine_that_went_back_to_a_snapshot_are_made_anew(
    start: Start, world: FakeClient, tmp_path: Path
) -> None:
    """The guest knows nothing of connections that came later, and nobody tells: so nothing ends."""
    server = await Sshd(tmp_path / "guest").started()
    here = world.machines[WEB] = msgspec.structs.replace(world.machines[WEB], endpoint=server.endpoint)
    try:
        async with start() as driver:
            await driver.press("s")
            (console,) = driver.bench.consoles.all
            await until(lambda: console.session.state is SessionState.OPEN)
            world.machine(msgspec.structs.replace(here, provisioned=False))
            await driver.settle()
            console.session.send(b"mine=$((6*7))\recho still-$mine\r")
            await driver.wait_for("still-42")
            world.machine(msgspec.structs.replace(here, started=here.started + 60))
            await until(lambda: console.session.state is not SessionState.OPEN)
            await until(lambda: console.session.state is SessionState.OPEN)
            console.session.send(b"echo anew-$mine-$((6*7))\r")
            await driver.wait_for("anew--42")
    finally:
        server.stop()


@pytest.mark.real
async def test_shells_go_on_while_the_engine_is_away_and_when_it_is_back(
    start: Start, world: FakeClient, tmp_path: Path
) -> None:
    server = await Sshd(tmp_path / "guest").started()
    world.machines[WEB] = msgspec.structs.replace(world.machines[WEB], endpoint=server.endpoint)
    try:
        async with start() as driver:
            await driver.press("s")
            await driver.wait_for("every other key")
            (console,) = driver.bench.consoles.all

            async def answers(number: int) -> None:
                console.session.send(b"echo alive-$((%d+1))\r" % number)
                await driver.wait_for(f"alive-{number + 1}")

            await answers(10)
            world.end(NotFoundError("No engine runs."))
            await driver.wait_for("no engine")
            await answers(20)
            world.gone = None
            await driver.wait_for("1 running")
            assert "no engine" not in driver.text
            await answers(30)
            assert console.session.state is SessionState.OPEN
            # Another one over the same connection.
            await driver.press("ctrl+right_square_bracket", "s")
            await driver.wait_for("Shell 2")
            (_, other) = driver.bench.consoles.all
            await until(lambda: other.session.state is SessionState.OPEN)
    finally:
        server.stop()
