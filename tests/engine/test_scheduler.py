"""Operations: queueing, running side by side, cancelling, undoing, failing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.engine.engine import Engine
from core.errors import BusyError, NotFoundError, UsageError
from core.model.command import (
    AddBox,
    Destroy,
    Halt,
    Provision,
    RemoveBox,
    RunBuild,
    Suspend,
    Up,
    VerifyBoxes,
)
from core.model.operation import StepState
from core.model.problem import ExitCode
from core.model.query import GetOperation, GetOperations, Operations, OperationView
from tests.engine.fakes import Stage, ended, key
from tests.support.work import RecordingWork


def view(engine: Engine, operation: str) -> OperationView:
    answer = engine.query(GetOperation(operation=operation))
    assert isinstance(answer, OperationView)
    return answer


async def test_operations_on_one_machine_run_one_after_the_other(engine: Engine, stage: Stage) -> None:
    first = engine.submit(Up(machine=key("web")))
    second = engine.submit(Up(machine=key("web")))
    assert first < second
    await stage.gate("web").wait()
    waiting = view(engine, second).operation
    assert waiting.state is StepState.WAITING
    stage.open("web")
    await ended(engine, second)
    assert stage.log == ["begin web", "end web", "begin web", "end web"]


async def test_a_waiting_operation_names_who_holds_the_machine(engine: Engine, stage: Stage) -> None:
    first = engine.submit(Up(machine=key("web")))
    second = engine.submit(Halt(machine=key("web")))
    third = engine.submit(Up(machine=key("web")))
    await stage.gate("web").wait()
    for operation in (second, third):
        detail = view(engine, operation).operation.detail
        assert detail.startswith(f"waiting for 'up web' (operation {first}, since ")
    stage.open("web")
    await ended(engine, third)
    assert view(engine, third).operation.detail == ""


async def test_operations_on_different_machines_run_side_by_side(engine: Engine, stage: Stage) -> None:
    first = engine.submit(Up(machine=key("web")))
    second = engine.submit(Up(machine=key("db")))
    await asyncio.wait_for(stage.gate("web").wait(), 5)
    await asyncio.wait_for(stage.gate("db").wait(), 5)
    stage.open("db")
    stage.open("web")
    assert (await ended(engine, first)).state is StepState.DONE
    assert (await ended(engine, second)).state is StepState.DONE


async def test_cancelling_a_waiting_operation_takes_it_out_of_the_queue_at_once(
    engine: Engine, stage: Stage
) -> None:
    first = engine.submit(Up(machine=key("web")))
    second = engine.submit(Up(machine=key("web")))
    third = engine.submit(Up(machine=key("web")))
    await stage.gate("web").wait()
    engine.cancel(second)
    assert (await ended(engine, second)).state is StepState.CANCELLED
    assert view(engine, first).operation.state is StepState.RUNNING
    stage.open("web")
    assert (await ended(engine, third)).state is StepState.DONE
    assert stage.log.count("begin web") == 2


async def test_the_turn_passes_over_one_that_is_cancelled_in_the_same_instant(
    engine: Engine, stage: Stage
) -> None:
    """The holder ends while the next in the queue has been cancelled, but does not know it yet."""
    async with engine.context.hold("thing", "hold it", RecordingWork()):
        second, third = (asyncio.create_task(take(engine, name, stage)) for name in ("second", "third"))
        await asyncio.sleep(0)
        second.cancel()
    await asyncio.wait_for(third, 5)
    assert second.cancelled()
    assert stage.log == ["third"]
    assert engine.scheduler._subjects.held() == {}


async def test_a_turn_that_comes_together_with_the_cancel_is_passed_on(engine: Engine, stage: Stage) -> None:
    async with engine.context.hold("thing", "hold it", RecordingWork()):
        second, third = (asyncio.create_task(take(engine, name, stage)) for name in ("second", "third"))
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait_for(third, 5)
    assert stage.log == ["third"]
    assert engine.scheduler._subjects.held() == {}


async def take(engine: Engine, name: str, stage: Stage) -> None:
    async with engine.context.hold("thing", name, RecordingWork()):
        stage.log.append(name)


async def test_an_operation_that_is_cancelled_before_it_began_ends_too(engine: Engine) -> None:
    operation = engine.submit(Up(machine=key("web")))
    engine.cancel(operation)
    assert (await ended(engine, operation)).state is StepState.CANCELLED


async def test_cancelling_undoes_what_was_begun_newest_first(engine: Engine, stage: Stage) -> None:
    operation = engine.submit(Destroy(machine=key("web")))
    await stage.gate("web").wait()
    engine.cancel(operation)
    end = await ended(engine, operation)
    assert end.state is StepState.CANCELLED
    assert end.problem is not None
    assert end.problem.code is ExitCode.CANCELLED
    assert stage.undone == ["third", "first"], "what was settled stays"
    assert engine.journal.intents() == ()


async def test_a_second_cancel_does_not_disturb_the_undoing(engine: Engine, stage: Stage) -> None:
    async def handler(_context: object, _command: object, work: object) -> None:
        work.intend("test.thing", name="slow", wait=True)  # type: ignore[attr-defined]
        await stage.wait("web")

    stage_table = engine.scheduler._handlers.table
    stage_table[Up] = handler  # type: ignore[index]
    operation = engine.submit(Up(machine=key("web")))
    await stage.gate("web").wait()
    engine.cancel(operation)
    await asyncio.wait_for(stage.gate("undo slow").wait(), 5)
    engine.cancel(operation)
    await asyncio.sleep(0)
    stage.open("undo slow")
    assert (await ended(engine, operation)).state is StepState.CANCELLED
    assert stage.undone == ["slow"]


async def test_a_failure_undoes_too_and_says_what_happened(engine: Engine, stage: Stage) -> None:
    stage.open("web")
    operation = engine.submit(Destroy(machine=key("web")))
    end = await ended(engine, operation)
    assert end.state is StepState.FAILED
    assert end.problem is not None
    assert (end.problem.what, end.problem.remedy) == ("It went wrong.", "try again")
    assert stage.undone == ["third", "first"]
    assert [step.name for step in view(engine, operation).steps] == ["begin", "Undo what was begun"]


async def test_what_cannot_be_undone_is_said_and_kept_for_the_next_start(
    engine: Engine, stage: Stage
) -> None:
    async def handler(_context: object, _command: object, work: object) -> None:
        work.intend("test.thing", name="stuck", fail=True)  # type: ignore[attr-defined]
        work.intend("test.thing", name="easy")  # type: ignore[attr-defined]
        raise RuntimeError

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    end = await ended(engine, engine.submit(Up(machine=key("web"))))
    assert end.problem is not None
    assert "test.thing: This cannot be undone." in end.problem.why
    assert stage.undone == ["easy"], "one that fails does not keep the others from being undone"
    (left,) = engine.journal.intents()
    assert left.facts["name"] == "stuck"
    assert left.trouble == "This cannot be undone."


async def test_a_bug_is_called_one_and_leaves_a_report(engine: Engine) -> None:
    operation = engine.submit(Halt(machine=key("web")))
    end = await ended(engine, operation)
    assert end.state is StepState.FAILED
    assert end.problem is not None
    assert "bug" in end.problem.what
    report = Path(end.problem.report)
    assert report.parent == engine.locations.reports
    text = report.read_text()
    assert "KeyError: 'a mistake'" in text
    assert "Traceback" in text
    assert report.stat().st_mode & 0o777 == 0o600


async def test_only_the_innermost_step_tells_of_an_error(engine: Engine) -> None:
    operation = engine.submit(Halt(machine=key("web")))
    await ended(engine, operation)
    outer, inner = view(engine, operation).steps
    assert (outer.name, outer.state, outer.problem) == ("outer", StepState.FAILED, None)
    assert inner.state is StepState.FAILED
    assert inner.problem is not None
    assert inner.parent == outer.id


async def test_the_subject_is_free_again_after_every_kind_of_end(engine: Engine, stage: Stage) -> None:
    stage.open("web")
    for command in (Halt(machine=key("web")), Destroy(machine=key("web")), Up(machine=key("web"))):
        await ended(engine, engine.submit(command))
    assert engine.scheduler._subjects.held() == {}
    assert engine.busy == 0


async def test_what_is_refused_outright_becomes_no_operation(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        engine.submit(Up(machine=key("nobody")))
    with pytest.raises(UsageError, match=r"machine\.suspend"):
        engine.submit(Suspend(machine=key("web")))
    answer = engine.query(GetOperations())
    assert isinstance(answer, Operations)
    assert answer.operations == ()


async def test_an_unknown_operation_cannot_be_cancelled_an_ended_one_may(engine: Engine) -> None:
    with pytest.raises(NotFoundError):
        engine.cancel("999999")
    operation = engine.submit(VerifyBoxes())
    assert (await ended(engine, operation)).state is StepState.CACHED
    engine.cancel(operation)
    engine.cancel(operation.lstrip("0"))


async def test_the_result_and_the_log_of_steps_that_run_at_once(engine: Engine) -> None:
    operation = engine.submit(Provision(machine=key("web")))
    end = await ended(engine, operation)
    assert end.result == {"printed": 6}
    answer = view(engine, operation)
    log = Path(answer.log).read_bytes()
    names = {step.id: step.name for step in answer.steps}
    for name in ("left", "right"):
        own = b"".join(
            log[segment.offset : segment.offset + segment.length]
            for segment in answer.segments
            if names[segment.step] == name
        )
        assert own == b"".join(f"{name} {number}\n".encode() for number in range(3))
    left = next(step for step in answer.steps if step.name == "left")
    assert (left.lines, left.state) == (3, StepState.DONE)
    assert left.progress is not None
    assert (left.progress.current, left.progress.total, left.progress.unit) == (3, 3, "lines")


async def test_a_problem_keeps_its_tail(engine: Engine) -> None:
    end = await ended(engine, engine.submit(RemoveBox(name="x")))
    assert end.problem is not None
    assert end.problem.tail == ("one", "two")


async def test_a_subject_held_in_the_middle_is_queued_for_like_any_other(
    engine: Engine, stage: Stage
) -> None:
    first = engine.submit(RunBuild(project="/p", name="base"))
    second = engine.submit(RunBuild(project="/q", name="base"))
    await stage.gate("base").wait()
    await asyncio.sleep(0)
    assert "waiting for 'build base'" in view(engine, second).operation.detail
    stage.open("base")
    await ended(engine, second)
    assert (await ended(engine, first)).detail == ""


async def test_an_operation_may_take_a_subject_that_it_holds_already(engine: Engine, stage: Stage) -> None:
    async def handler(context: object, _command: object, work: object) -> None:
        async with context.hold(str(key("web")), "again", work):  # type: ignore[attr-defined]
            stage.log.append("inside")

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    await ended(engine, engine.submit(Up(machine=key("web"))))
    assert stage.log == ["inside"]
    assert engine.scheduler._subjects.held() == {}


async def test_a_result_that_is_no_plain_data_is_a_bug(engine: Engine) -> None:
    async def handler(_context: object, _command: object, _work: object) -> object:
        return object()

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    end = await ended(engine, engine.submit(Up(machine=key("web"))))
    assert end.state is StepState.FAILED
    assert end.problem is not None
    assert end.problem.report


async def test_a_full_disk_is_not_called_a_bug(engine: Engine) -> None:
    async def handler(_context: object, _command: object, _work: object) -> object:
        raise OSError(28, "No space left on device", "/somewhere")

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    end = await ended(engine, engine.submit(Up(machine=key("web"))))
    assert end.problem is not None
    assert (end.problem.what, end.problem.remedy, end.problem.report) == ("The disk is full.", "df -h", "")


async def test_errors_of_parallel_steps_are_told_as_the_first_of_them(engine: Engine) -> None:
    async def handler(_context: object, _command: object, work: object) -> None:
        async def fail(name: str) -> None:
            async with work.step(name):  # type: ignore[attr-defined]
                raise NotFoundError(f"No {name}.")

        async with asyncio.TaskGroup() as group:
            group.create_task(fail("one"))
            group.create_task(fail("two"))

    engine.scheduler._handlers.table[Up] = handler  # type: ignore[index]
    end = await ended(engine, engine.submit(Up(machine=key("web"))))
    assert end.problem is not None
    assert (end.problem.what, end.problem.code) == ("No one.", ExitCode.NOT_FOUND)


async def test_an_engine_that_ends_takes_no_new_work(engine: Engine, stage: Stage) -> None:
    operation = engine.submit(Up(machine=key("web")))
    await stage.gate("web").wait()
    with pytest.raises(BusyError, match="busy"):
        await engine.stop()
    ending = asyncio.create_task(engine.stop(wait=True))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        engine.submit(Up(machine=key("db")))
    stage.open("web")
    await ending
    assert stage.log == ["begin web", "end web"]
    assert operation


async def test_a_forced_end_cancels_and_undoes(engine: Engine, stage: Stage) -> None:
    engine.submit(Destroy(machine=key("web")))
    await stage.gate("web").wait()
    await engine.stop(force=True)
    assert stage.undone == ["third", "first"]


async def test_files_appear_whole(engine: Engine, boxwright_home: Path) -> None:
    target = boxwright_home / "made"
    end = await ended(engine, engine.submit(AddBox(source=str(target))))
    assert end.result == {"made": str(target)}
    assert target.read_text() == "whole"
