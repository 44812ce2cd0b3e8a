"""One interface, two transports: the same tests for the engine in process and over its socket."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.client.base import Client
from core.client.channel import EngineGoneError
from core.client.inprocess import InProcessClient
from core.client.socket import SocketClient
from core.engine import engine as engines
from core.engine.engine import Engine
from core.engine.registry import MachineRegistry
from core.engine.server import Server
from core.errors import BoxwrightError, NotFoundError
from core.model.command import Destroy, Provision, Up
from core.model.event import Event, OperationChanged, Snapshot, StepChanged
from core.model.machine import MachinePlan, MachineState, Stats
from core.model.operation import Operation, StepState
from core.model.provider import Capability
from core.model.query import (
    EngineView,
    GetEngine,
    GetMachines,
    GetOperation,
    GetSerial,
    Log,
    Machines,
    OperationView,
)
from core.paths import Locations
from tests.engine.fakes import Stage, key, make_engine
from tests.engine.machines import put_running
from tests.engine.processes import alive, soon
from tests.support.fake_provider import FakeProvider


class World:
    def __init__(self, engine: Engine, client: Client, stage: Stage, provider: FakeProvider) -> None:
        self.engine = engine
        self.client = client
        self.stage = stage
        self.provider = provider

    @property
    def machines(self) -> MachineRegistry:
        return self.engine.machines


@pytest.fixture(params=["in process", "socket"])
async def world(request: pytest.FixtureRequest, boxwright_home: Path) -> AsyncIterator[World]:
    stage = Stage()
    provider = FakeProvider()
    engine = make_engine(boxwright_home, stage, {"fake": provider})
    await engine.start()
    server = Server(engine)
    client: Client
    if request.param == "socket":
        await server.start()
        client = SocketClient(engine.locations, start=False)
    else:
        client = InProcessClient(engine)
    yield World(engine, client, stage, provider)
    await client.close()
    await engine.stop(force=True)
    await server.close("")


async def end_of(client: Client, operation: str) -> Operation:
    async for item in client.subscribe():
        operations = item.operations if isinstance(item, Snapshot) else ()
        if isinstance(item, Event) and isinstance(item.change, OperationChanged):
            operations = (item.change.operation,)
        for found in operations:
            if found.id == operation and found.state.ended:
                return found
    raise AssertionError("the events ended")


async def test_submit_and_its_end(world: World) -> None:
    operation = await world.client.submit(Provision(machine=key("web")))
    end = await asyncio.wait_for(end_of(world.client, operation), 5)
    assert (end.state, end.result) == (StepState.DONE, {"printed": 6})


async def test_cancel_undoes(world: World) -> None:
    operation = await world.client.submit(Destroy(machine=key("web")))
    await world.stage.gate("web").wait()
    await world.client.cancel(operation)
    end = await asyncio.wait_for(end_of(world.client, operation), 5)
    assert end.state is StepState.CANCELLED
    assert world.stage.undone == ["third", "first"]


async def test_queries(world: World) -> None:
    assert await world.client.query(GetMachines()) == Machines(())
    view = await world.client.query(GetEngine())
    assert isinstance(view, EngineView)
    assert view.clients == 1


async def test_many_questions_at_once(world: World) -> None:
    answers = await asyncio.gather(*(world.client.query(GetMachines()) for _ in range(50)))
    assert answers == [Machines(())] * 50


async def test_problems(world: World) -> None:
    with pytest.raises(BoxwrightError) as caught:
        await world.client.submit(Up(machine=key("nobody")))
    assert caught.value.problem.what == "There is no machine 'nobody'."
    with pytest.raises(BoxwrightError):
        await world.client.query(GetOperation(operation="000999"))


async def test_a_snapshot_and_then_every_change_in_order(world: World) -> None:
    stream = world.client.subscribe()
    first = await anext(stream)
    assert isinstance(first, Snapshot)
    operation = await world.client.submit(Up(machine=key("web")))
    states: list[str] = []
    last = first.seq
    async for item in stream:
        assert isinstance(item, Event)
        assert item.seq > last
        last = item.seq
        if isinstance(item.change, OperationChanged):
            states.append(item.change.operation.state.value)
            if item.change.operation.state.ended:
                break
        elif isinstance(item.change, StepChanged):
            states.append(f"step {item.change.step.state.value}")
            world.stage.open("web")
    assert states[0] == "waiting"
    assert states[1] == "running"
    assert states[-2:] == ["step done", "done"]
    view = await world.client.query(GetOperation(operation=operation))
    assert isinstance(view, OperationView)
    assert view.operation.state is StepState.DONE


async def test_a_late_joiner_finds_running_operations_with_their_steps(world: World) -> None:
    operation = await world.client.submit(Up(machine=key("web")))
    await world.stage.gate("web").wait()
    first = await anext(aiter(world.client.subscribe()))
    assert isinstance(first, Snapshot)
    assert [item.id for item in first.operations] == [operation]
    assert [step.name for step in first.steps] == ["wait"]
    world.stage.open("web")


async def test_statistics_of_a_running_machine(world: World) -> None:
    await put_running(world.engine, world.provider, "web")
    stats = await world.client.stats(key("web"))
    assert isinstance(stats, Stats)
    assert stats.memory > 0
    with pytest.raises(BoxwrightError, match="not created"):
        await world.client.stats(key("db"))


async def test_the_serial_console_both_ways(world: World) -> None:
    record = await put_running(world.engine, world.provider, "web")
    line = await world.client.serial(key("web"))
    seen = b""
    while b"ready" not in seen:
        seen += await line.read()
    await line.write(b"ls\r")
    while b"ls\r" not in seen:
        seen += await line.read()
    await line.close()
    machine = world.provider.hypervisor.machines[record.id]
    await soon(lambda: not machine.lookers)
    log = await world.client.query(GetSerial(machine=key("web"), limit=4))
    assert isinstance(log, Log)
    assert log.data == seen[-4:]


async def test_what_only_the_hypervisor_has_of_a_console_is_fetched_before_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_running(world.engine, world.provider, "web")

    async def fetch(plan: MachinePlan) -> None:
        with Path(world.provider.serial_log(plan) or "").open("ab") as log:
            log.write(b"fetched")

    monkeypatch.setattr(world.provider, "fetch_console", fetch, raising=False)
    log = await world.client.query(GetSerial(machine=key("web"), limit=7))
    assert isinstance(log, Log) and log.data == b"fetched"

    async def hang(_plan: MachinePlan) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(world.provider, "fetch_console", hang)
    monkeypatch.setattr(engines, "FETCH", 0.05)
    log = await world.client.query(GetSerial(machine=key("web"), limit=7))
    assert isinstance(log, Log) and log.data == b"fetched"
    with pytest.raises(BoxwrightError, match="not created"):
        await world.client.query(GetSerial(machine=key("nothing"), limit=7))


async def test_the_console_of_a_machine_that_ends_ends(world: World) -> None:
    record = await put_running(world.engine, world.provider, "web")
    line = await world.client.serial(key("web"))
    assert await line.read()
    world.provider.hypervisor.power_off(record.id)
    while await asyncio.wait_for(line.read(), 5):
        pass
    await line.close()


async def test_a_machine_that_does_not_run_has_no_console(world: World) -> None:
    await put_running(world.engine, world.provider, "web")
    world.machines.change(key("web"), state=MachineState.STOPPED)
    with pytest.raises(BoxwrightError, match="is stopped") as caught:
        await world.client.serial(key("web"))
    assert caught.value.problem.remedy == "boxwright up web"


async def test_what_a_provider_cannot_do_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await put_running(world.engine, world.provider, "web")
    monkeypatch.setattr(FakeProvider, "capabilities", frozenset({Capability.SUSPEND}))
    with pytest.raises(BoxwrightError, match="no statistics"):
        await world.client.stats(key("web"))
    with pytest.raises(BoxwrightError, match="no serial console"):
        await world.client.serial(key("web"))


async def test_refresh_looks_again(world: World) -> None:
    record = await put_running(world.engine, world.provider, "web")
    world.provider.hypervisor.machines[record.id].state = MachineState.SUSPENDED
    await world.client.refresh()
    await soon(lambda: world.machines.require(key("web")).state is MachineState.SUSPENDED)


# Only over the socket: engines come and go.


@pytest.fixture
async def remote(where: Locations) -> AsyncIterator[SocketClient]:
    client = SocketClient(where)
    yield client
    await client.close()


async def pid_of(client: SocketClient) -> int:
    view = await client.query(GetEngine())
    assert isinstance(view, EngineView)
    return view.pid


async def test_a_subscriber_goes_on_after_a_crash(remote: SocketClient) -> None:
    stream = remote.subscribe()
    first = await anext(stream)
    assert isinstance(first, Snapshot)
    pid = await pid_of(remote)
    os.kill(pid, signal.SIGKILL)
    second = await asyncio.wait_for(anext(stream), 20)
    while isinstance(second, Event):
        second = await asyncio.wait_for(anext(stream), 20)
    assert second.seq > first.seq
    assert await pid_of(remote) != pid


async def test_questions_that_wait_fail_when_the_engine_dies_and_the_next_one_is_answered(
    remote: SocketClient,
) -> None:
    pid = await pid_of(remote)
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(remote.query(GetMachines()))
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineGoneError):
        await asyncio.wait_for(asked, 10)
    assert await pid_of(remote) != pid


async def test_an_engine_that_was_stopped_on_purpose_is_not_started_by_listeners(
    remote: SocketClient, where: Locations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.client.socket.AGAIN", 0.02)
    stream = remote.subscribe()
    first = await anext(stream)
    pid = await pid_of(remote)
    await remote.stop()
    await soon(lambda: not alive(pid))
    following = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.2)
    assert not where.socket.exists()
    assert await pid_of(remote) != pid, "a question starts it"
    second = await asyncio.wait_for(following, 20)
    while isinstance(second, Event):
        second = await asyncio.wait_for(anext(stream), 20)
    assert second.seq > first.seq


async def test_without_start_there_is_an_error(where: Locations) -> None:
    client = SocketClient(where, start=False)
    with pytest.raises(NotFoundError):
        await client.query(GetMachines())
    with pytest.raises(NotFoundError):
        await anext(aiter(client.subscribe()))
    await client.close()
