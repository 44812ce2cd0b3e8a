"""An engine in a thread, driven by blocking calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.client.channel import EngineGoneError
from core.client.following import LogText
from core.client.threaded import ThreadedClient
from core.engine.engine import Engine
from core.errors import BoxwrightError, BusyError
from core.model.command import Provision, Up
from core.model.event import Snapshot
from core.model.operation import Operation, StepState
from core.model.query import GetMachines, Machines
from tests.engine.fakes import Stage, key, make_engine
from tests.engine.machines import put_running
from tests.support.fake_provider import FakeProvider


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def engine(boxwright_home: Path, provider: FakeProvider) -> Engine:
    return make_engine(boxwright_home, Stage(), {"fake": provider})


@pytest.fixture
def client(engine: Engine) -> Iterator[ThreadedClient]:
    with ThreadedClient(engine) as client:
        yield client


def test_submit_and_follow(client: ThreadedClient) -> None:
    items = list(client.follow(client.submit(Provision(machine=key("web")))))
    end = items[-1]
    assert isinstance(end, Operation)
    assert (end.state, end.result) == (StepState.DONE, {"printed": 6})
    assert b"".join(item.data for item in items if isinstance(item, LogText)).count(b"\n") == 6


def test_events_tick_and_end_with_the_engine(client: ThreadedClient) -> None:
    events = client.events(timeout=0.01)
    assert isinstance(next(events), Snapshot)
    assert next(events) is None
    client.stop()
    with pytest.raises(EngineGoneError):
        for _ in events:
            pass


def test_problems_are_raised_here(client: ThreadedClient) -> None:
    with pytest.raises(BoxwrightError, match="nobody"):
        client.submit(Up(machine=key("nobody")))


def test_closing_cancels_what_runs_and_leaves_no_thread(engine: Engine) -> None:
    with ThreadedClient(engine) as client:
        operation = client.submit(Up(machine=key("web")))
    assert "engine" not in {thread.name for thread in threading.enumerate()}
    again = make_engine(engine.locations.data.parent)
    with ThreadedClient(again):
        found = again.journal.operation(operation)
        assert found is not None
        assert found.state is StepState.CANCELLED


def test_beside_another_engine_it_says_who_is_there(client: ThreadedClient, boxwright_home: Path) -> None:
    with pytest.raises(BusyError, match="Another engine"):
        ThreadedClient(make_engine(boxwright_home))
    assert client.query(GetMachines()) == Machines(())


def test_the_serial_console_is_a_plain_socket(
    client: ThreadedClient, engine: Engine, provider: FakeProvider
) -> None:
    record = client._wait(put_running(engine, provider, "web"))
    line, seen = client.serial(key("web"))
    line.settimeout(30)
    while b"ready" not in seen:
        seen += line.recv(4096)
    line.sendall(b"hello\r")
    while b"hello" not in seen:
        seen += line.recv(4096)
    assert provider.hypervisor.machines[record.id].typed == b"hello\r"
    line.close()
