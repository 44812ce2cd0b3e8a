"""Consoles whose machine, or whose engine, has gone."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.model.machine import MachineState
from tests.support.fake_client import SHOP, FakeClient
from tests.tui.conftest import Driver, Start

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
        await driver.wait_for("The machine was destroyed.  enter closes this tab")
        await driver.press("enter")
        async with asyncio.timeout(20):
            while driver.bench.consoles.all:  # noqa: ASYNC110 - a test looks in from outside
                await asyncio.sleep(0.01)
        assert driver.bench.detail.active == "overview"
