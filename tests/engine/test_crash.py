"""The engine is killed at every point of its journal; the next one puts everything in order."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from core.client.blocking import BlockingClient
from core.client.channel import EngineGoneError
from core.engine.engine import Engine
from core.errors import RemoteError
from core.model.command import AddBox, Destroy, Up
from core.model.operation import StepState
from core.model.query import GetOperation, OperationView
from tests.engine.fakes import ended, key, locations, make_engine
from tests.engine.processes import daemon, eventually


def run_until_the_end(folder: Path, target: Path, **environment: str) -> int | None:
    """Submit one command to an engine process. Returns how the process ended, None if it lived."""
    with daemon(folder, **environment) as process:
        with contextlib.suppress(EngineGoneError), BlockingClient.connect(locations(folder)) as client:
            operation = client.submit(AddBox(source=str(target)))
            for _ in client.follow(operation):
                pass
            return None
        return process.wait(10)


def points_of(folder: Path) -> list[str]:
    """The names of all points that one command passes."""
    folder.mkdir()
    file = folder / "points"
    assert run_until_the_end(folder, folder / "made", BOXWRIGHT_POINTS_FILE=str(file)) is None
    return file.read_text().splitlines()


async def check(folder: Path, target: Path, submitted: bool) -> None:
    """What the next engine finds, and makes of it."""
    engine: Engine = make_engine(folder)
    await engine.start()
    try:
        assert engine.journal.intents() == (), "nothing is left to be undone"
        assert engine.journal.open_operations() == ()
        assert not target.with_name(f"{target.name}.part").exists(), "no orphan"
        operations = engine.journal.operations()
        assert len(operations) <= 1
        assert operations or not submitted
        for operation in operations:
            answer = engine.query(GetOperation(operation=operation.id))
            assert isinstance(answer, OperationView)
            assert all(step.state.ended for step in answer.steps)
            if operation.state is StepState.DONE:
                assert target.read_text() == "whole", "finished work is not lost"
            else:
                assert operation.problem is not None
                assert operation.problem.what == "The engine ended while it ran."
        if target.exists():
            assert target.read_text() == "whole", "nothing is half there"
        again = await ended(engine, engine.submit(AddBox(source=str(target))))
        assert again.state is StepState.DONE, "and the next command works"
    finally:
        await engine.stop(force=True)


async def test_killed_at_every_point_of_the_journal(boxwright_home: Path) -> None:
    points = points_of(boxwright_home / "points")
    assert {point.partition("/")[0] for point in points} >= {
        "operation.waiting",
        "operation.running",
        "intend.path",
        "settle.path",
        "step",
        "operation.done",
    }
    for number, point in enumerate(points, 1):
        folder = boxwright_home / str(number)
        folder.mkdir()
        status = run_until_the_end(folder, folder / "made", BOXWRIGHT_KILL_AT=str(number))
        assert status == -signal.SIGKILL, point
        await check(folder, folder / "made", submitted=number > points.index("operation.waiting/after"))


def test_steps_that_ran_when_the_engine_was_killed_are_shown_as_cut_off(boxwright_home: Path) -> None:
    where = locations(boxwright_home)
    with daemon(boxwright_home) as process, BlockingClient.connect(where) as client:
        operation = client.submit(Up(machine=key("web")))
        eventually((where.data / "web.reached").exists)
        process.kill()
        process.wait()
    with daemon(boxwright_home), BlockingClient.connect(where) as client:
        view = client.query(GetOperation(operation=operation))
        assert isinstance(view, OperationView)
        assert [(step.name, step.state, step.detail) for step in view.steps] == [
            ("wait", StepState.FAILED, "cut off: the engine ended")
        ]


async def test_killed_while_it_recovers_from_a_kill(boxwright_home: Path) -> None:
    """The points of the second start are enumerated too: recovery may be interrupted anywhere."""
    points = points_of(boxwright_home / "points")
    crash = points.index("intend.path/after") + 1
    for number in range(1, 40):
        folder = boxwright_home / str(number)
        folder.mkdir()
        run_until_the_end(folder, folder / "made", BOXWRIGHT_KILL_AT=str(crash))
        with daemon(folder, BOXWRIGHT_KILL_AT=str(number)) as process:
            if process.returncode is None:
                break
            assert process.returncode == -signal.SIGKILL
        await check(folder, folder / "made", submitted=True)
    assert number > 3, "recovery itself writes to the journal"


def test_an_engine_that_is_told_to_end_leaves_running_work_to_the_next(boxwright_home: Path) -> None:
    where = locations(boxwright_home)
    with daemon(boxwright_home) as process, BlockingClient.connect(where) as client:
        operation = client.submit(Destroy(machine=key("web")))
        waiting = client.submit(Destroy(machine=key("web")))
        eventually((where.data / "web.reached").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        try:
            for _ in client.events(timeout=1):
                break
        except (EngineGoneError, RemoteError):
            pass
    with daemon(boxwright_home), BlockingClient.connect(where) as client:
        view = client.query(GetOperation(operation=operation))
        assert isinstance(view, OperationView)
        assert view.operation.state is StepState.FAILED
        assert view.operation.problem is not None
        assert (
            view.operation.problem.why
            == "What it had not finished making was undone; what ran in a guest stays as it is."
        )
        view = client.query(GetOperation(operation=waiting))
        assert isinstance(view, OperationView)
        assert view.operation.problem is not None
        assert view.operation.problem.why == "It was still waiting; nothing was begun."
