"""The command line's client against a real engine process."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from core.client.blocking import BlockingClient
from core.client.channel import EngineGoneError
from core.client.following import LogText
from core.errors import NotFoundError, RemoteError
from core.model.command import AddBox, Destroy, Provision, Up
from core.model.event import Event, MachineChanged, OperationChanged, Snapshot
from core.model.operation import Operation, Step, StepState
from core.model.problem import ExitCode
from core.model.query import (
    EngineView,
    GetEngine,
    GetLog,
    GetMachines,
    GetOperations,
    Log,
    Machines,
    Operations,
)
from core.paths import Locations
from tests.client.conftest import Gates
from tests.engine.fakes import key
from tests.engine.processes import alive, eventually


def last(client: BlockingClient, operation: str) -> Operation:
    """The operation as it ended."""
    *_, end = client.follow(operation)
    assert isinstance(end, Operation)
    return end


def test_the_engine_is_started_on_first_use_and_outlives_its_front_end(where: Locations) -> None:
    with BlockingClient.connect(where) as first:
        pid = first.pid
    assert alive(pid)
    with BlockingClient.connect(where) as second:
        assert second.pid == pid


def test_the_engine_is_nobodys_child_in_a_session_of_its_own(client: BlockingClient) -> None:
    assert os.getsid(client.pid) != os.getsid(0)
    assert str(Path(f"/proc/{client.pid}/cwd").readlink()) == "/"
    for number in (0, 1, 2):
        target = str(Path(f"/proc/{client.pid}/fd/{number}").readlink())
        assert target in ("/dev/null", str(client.where.engine_log))
    with pytest.raises(ChildProcessError):
        os.waitpid(client.pid, os.WNOHANG)


def test_socket_and_data_are_private(client: BlockingClient) -> None:
    where = client.where
    assert where.socket.stat().st_mode & 0o777 == 0o600
    for path in (where.runtime, where.data, where.operations):
        assert path.stat().st_mode & 0o077 == 0, path
    for path in (where.journal, where.engine_log, where.data / "engine.lock"):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_without_start_a_missing_engine_is_an_error(where: Locations) -> None:
    with pytest.raises(NotFoundError, match="No engine runs"):
        BlockingClient.connect(where, start=False)


def test_query_submit_and_follow(client: BlockingClient) -> None:
    machines = client.query(GetMachines())
    assert machines == Machines(())
    operation = client.submit(Provision(machine=key("web")))
    items = list(client.follow(operation))
    end = items[-1]
    assert isinstance(end, Operation)
    assert (end.state, end.result) == (StepState.DONE, {"printed": 6})
    steps = {item.id: item for item in items if isinstance(item, Step)}
    assert {step.name: step.state for step in steps.values()} == {
        "left": StepState.DONE,
        "right": StepState.DONE,
    }
    names = {number: step.name for number, step in steps.items()}
    texts = [item for item in items if isinstance(item, LogText)]
    left = b"".join(text.data for text in texts if names[text.step] == "left")
    assert left == b"left 0\nleft 1\nleft 2\n"


def test_who_follows_later_sees_the_same(client: BlockingClient) -> None:
    operation = client.submit(Provision(machine=key("web")))
    first = list(client.follow(operation))
    again = list(client.follow(operation))

    def text(items: list[object]) -> bytes:
        return b"".join(item.data for item in items if isinstance(item, LogText))

    assert text(list(again)) == text(list(first))
    assert sum(1 for item in again if isinstance(item, Operation) and item.state.ended) == 1
    assert {item.name for item in again if isinstance(item, Step)} == {"left", "right"}


def test_follow_ticks_while_nothing_happens(client: BlockingClient, gates: Gates) -> None:
    operation = client.submit(Up(machine=key("web")))
    gates.reached("web")
    items = client.follow(operation, timeout=0.02)
    for item in items:
        if item is None:
            break
    gates.open("web")
    *_, end = items
    assert isinstance(end, Operation)
    assert end.state is StepState.DONE


def test_problems_arrive_whole(client: BlockingClient) -> None:
    with pytest.raises(RemoteError) as caught:
        client.submit(Up(machine=key("nobody")))
    assert caught.value.problem.code is ExitCode.NOT_FOUND
    assert caught.value.problem.remedy == "boxwright status"
    assert client.query(GetMachines()) == Machines(()), "and the connection goes on"


def test_cancel(client: BlockingClient, gates: Gates) -> None:
    operation = client.submit(Destroy(machine=key("web")))
    gates.reached("web")
    client.cancel(operation)
    assert last(client, operation).state is StepState.CANCELLED


def test_events_tell_of_operations_that_others_began(client: BlockingClient, where: Locations) -> None:
    events = client.events()
    assert isinstance(next(events), Snapshot)
    with BlockingClient.connect(where) as other:
        operation = other.submit(AddBox(source=str(where.data / "made")))
    for event in events:
        assert isinstance(event, Event)
        assert not isinstance(event.change, MachineChanged)
        if isinstance(event.change, OperationChanged) and event.change.operation.state.ended:
            assert event.change.operation.id == operation
            break


def test_stop_is_refused_while_there_is_work(client: BlockingClient, gates: Gates) -> None:
    operation = client.submit(Up(machine=key("web")))
    gates.reached("web")
    with pytest.raises(RemoteError) as caught:
        client.stop()
    assert caught.value.problem.code is ExitCode.BUSY
    assert f"'up web' (operation {operation})" in caught.value.problem.why
    assert alive(client.pid)


def test_stop_ends_the_engine_and_its_socket(client: BlockingClient) -> None:
    client.stop()
    eventually(lambda: not alive(client.pid))
    assert not client.where.socket.exists()
    with pytest.raises(EngineGoneError):
        client.query(GetMachines())


def test_a_forced_stop_undoes_what_runs(client: BlockingClient, where: Locations, gates: Gates) -> None:
    operation = client.submit(Destroy(machine=key("web")))
    gates.reached("web")
    client.stop(force=True)
    eventually(lambda: not alive(client.pid))
    with BlockingClient.connect(where) as again:
        assert again.pid != client.pid
        answer = again.query(GetOperations())
        assert isinstance(answer, Operations)
        assert [(item.id, item.state) for item in answer.operations] == [(operation, StepState.CANCELLED)]


def test_a_waiting_stop_lets_the_work_end_first(client: BlockingClient, gates: Gates) -> None:
    client.submit(Up(machine=key("web")))
    gates.reached("web")
    opener = threading.Timer(0.1, gates.open, ("web",))
    opener.start()
    client.stop(wait=True)
    opener.join()
    assert (client.where.data / "web.open").exists()
    eventually(lambda: not alive(client.pid))


def test_listeners_learn_that_the_engine_ends(client: BlockingClient) -> None:
    events = client.events()
    next(events)
    os.kill(client.pid, signal.SIGTERM)
    with pytest.raises(EngineGoneError, match="gone"):
        for _ in events:
            pass


def test_a_killed_engine_leaves_a_stale_socket_that_is_no_obstacle(
    client: BlockingClient, where: Locations
) -> None:
    os.kill(client.pid, signal.SIGKILL)
    eventually(lambda: not alive(client.pid))
    assert where.socket.exists()
    with BlockingClient.connect(where) as again:
        assert again.pid != client.pid
        assert again.query(GetMachines()) == Machines(())


def test_the_engine_says_what_it_is(client: BlockingClient) -> None:
    view = client.query(GetEngine())
    assert isinstance(view, EngineView)
    assert (view.pid, view.running, view.clients) == (client.pid, 0, 1)
    assert view.socket == str(client.where.socket)


def test_a_log_that_is_not_there_yet_is_empty(client: BlockingClient) -> None:
    operation = client.submit(AddBox(source=str(client.where.data / "made")))
    last(client, operation)
    log = client.query(GetLog(operation=operation, offset=2))
    assert isinstance(log, Log)
    assert (log.data, log.offset, log.size) == (b"lf\n", 2, 5)
    beyond = client.query(GetLog(operation=operation, offset=99))
    assert isinstance(beyond, Log)
    assert (beyond.data, beyond.offset) == (b"", 5)
    with pytest.raises(RemoteError):
        client.query(GetLog(operation="999999"))
