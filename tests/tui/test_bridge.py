"""The bridge: one stream in, few messages out; it says when the engine is gone and comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from core.errors import BoxwrightError, NotFoundError
from core.model.command import Halt
from core.model.machine import MachineKey, MachineState
from core.model.operation import StepState
from tests.support.fake_client import SHOP, FakeClient, box, machine, shop, up
from tests.support.waiting import until
from tui import bridge as bridging
from tui.bridge import Bridge, Link, LinkState


class Ear:
    def __init__(self) -> None:
        self.changes: list[frozenset[str]] = []
        self.links: list[Link] = []
        self.news = asyncio.Event()

    def state_changed(self, changed: frozenset[str]) -> None:
        self.changes.append(changed)
        self.news.set()

    def link_changed(self, link: Link) -> None:
        self.links.append(link)
        self.news.set()

    async def next(self) -> None:
        async with asyncio.timeout(30):
            await self.news.wait()
        self.news.clear()


@asynccontextmanager
async def listening(client: FakeClient, frames: float = 100.0) -> AsyncIterator[tuple[Bridge, Ear]]:
    bridge, ear = Bridge(SHOP, connector=client, frames=frames), Ear()
    bridge.attach(ear)
    task = asyncio.create_task(bridge.run())
    try:
        while not bridge.state.seq:
            await ear.next()
        ear.news.clear()
        yield bridge, ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def client(tmp_path: Path) -> FakeClient:
    return shop(tmp_path)


async def test_the_first_news_brings_machines_and_project_at_once(client: FakeClient) -> None:
    async with listening(client) as (bridge, ear):
        assert ear.changes == [frozenset({"*", f"project:{SHOP}"})]
        assert bridge.link.state is LinkState.LIVE
        assert len(bridge.state.machines) == 5
        assert bridge.state.projects[SHOP].name == "shop"


async def test_many_changes_are_few_messages(client: FakeClient) -> None:
    async with listening(client, frames=20.0) as (bridge, ear):
        ear.changes.clear()
        for number in range(500):
            client.machine(machine("web", cpus=number + 1))
            if not number % 100:
                await asyncio.sleep(0.02)
        while bridge.state.machines[f"{SHOP}:web"].cpus != 500:
            await ear.next()
        assert len(ear.changes) <= 5
        assert all(changed == {f"machine:{SHOP}:web"} for changed in ear.changes)


async def test_an_engine_that_was_stopped_is_told_and_not_started_again(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridging, "AGAIN", 0.01)
    async with listening(client) as (bridge, ear):
        client.end(NotFoundError("No engine runs."))
        while bridge.link.state is not LinkState.LOST:
            await ear.next()
        assert "next command" in bridge.link.remedy
        await asyncio.sleep(0.05)
        assert client.gone is not None, "nobody started it"
        client.gone = None
        client.machine(machine("web", MachineState.STOPPED))
        while bridge.link.state is not LinkState.LIVE:
            await ear.next()
        while bridge.state.machines[f"{SHOP}:web"].state is not MachineState.STOPPED:
            await ear.next()


async def test_an_engine_that_crashed_is_started_again(
    client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridging, "AGAIN", 0.01)
    async with listening(client) as (bridge, ear):
        client.end(BoxwrightError("The engine has gone."))
        while LinkState.LOST not in [link.state for link in ear.links]:
            await ear.next()
        client.revives = True
        while bridge.link.state is not LinkState.LIVE:
            await ear.next()


async def test_steps_of_an_ended_operation_are_asked_for_once(client: FakeClient) -> None:
    async with listening(client) as (bridge, ear):
        assert bridge.state.steps_of("000000") == ()
        for _ in range(3):
            bridge.want_operation("000000")
        while not bridge.state.steps_of("000000"):
            await ear.next()
        assert bridge.state.log_paths["000000"].endswith("000000.log")
        assert bridge.state.steps_of("000000")[1].state is StepState.FAILED


async def test_an_answer_that_the_end_overtook_leaves_nothing_running(client: FakeClient) -> None:
    async with listening(client, frames=5.0) as (bridge, ear):
        client.operation(up("000009", "cache"))
        await ear.next()
        busy = bridge.state.busy
        bridge.want_operation("000009")
        # The answer came, and was not shown yet.
        await until(lambda: bridge._inquiries.answered, pause=0)
        client.operation(up("000009", "cache", StepState.DONE))
        while "000009" not in bridge.state.log_paths:
            await ear.next()
        assert bridge.state.operations["000009"].state is StepState.DONE
        assert bridge.state.busy == busy - 1


async def test_a_project_is_read_again_when_its_file_or_a_box_changed(client: FakeClient) -> None:
    async with listening(client) as (bridge, ear):
        fewer = client.projects[SHOP].machines[:2]
        client.project(msgspec.structs.replace(client.projects[SHOP], machines=fewer))
        while bridge.state.projects[SHOP].machines != fewer:
            await ear.next()
        client.projects[SHOP] = msgspec.structs.replace(client.projects[SHOP], builds=())
        client.box(box("another"))
        while bridge.state.projects[SHOP].builds:
            await ear.next()


async def test_commands_go_through_with_their_errors(client: FakeClient) -> None:
    async with listening(client) as (bridge, _ear):
        id = await bridge.submit(Halt(machine=MachineKey(SHOP, "web")))
        assert client.operations[id].command == "machine.halt"
        await bridge.cancel(id)
        assert client.cancelled == [id]
        client.refused = BoxwrightError("no")
        with pytest.raises(BoxwrightError, match="no"):
            await bridge.submit(Halt(machine=MachineKey(SHOP, "web")))


async def test_an_operation_is_taken_from_the_stream(client: FakeClient) -> None:
    async with listening(client) as (bridge, ear):
        client.operation(up("000009", "cache"))
        while "000009" not in bridge.state.operations:
            await ear.next()
        assert bridge.state.operation_of(f"{SHOP}:cache") is not None
