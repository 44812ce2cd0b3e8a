"""Steps: their events are few, their progress has a rate, their end is final."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import undo
from core.engine.journal import Journal
from core.engine.operations import RunningOperation
from core.engine.progress import RateMeter
from core.engine.undoing import Ledger, UndoTables
from core.model.event import Change, LogGrew, OperationChanged, StepChanged
from core.model.operation import Operation, Step, StepState


class Watched:
    """An operation, and what was published of it."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.sqlite")
        self.changes: list[Change] = []
        self.run = RunningOperation(
            Operation(id="000001", command="machine.up", title="up web", submitted=1.0),
            folder=folder,
            journal=self.journal,
            ledger=Ledger(self.journal, UndoTables([undo.SHARED])),
            publish=self.changes.append,
        )
        self.run.announce()
        self.run.start()

    def steps(self, name: str) -> list[Step]:
        return [c.step for c in self.changes if isinstance(c, StepChanged) and c.step.name == name]

    def grown(self) -> list[int]:
        return [c.offset for c in self.changes if isinstance(c, LogGrew)]


@pytest.fixture
async def watched(boxwright_home: Path) -> AsyncIterator[Watched]:
    watched = Watched(boxwright_home)
    yield watched
    if not watched.run.ended.is_set():
        watched.run.end(StepState.DONE)
    watched.journal.close()


async def test_progress_of_every_block_becomes_few_events(watched: Watched) -> None:
    loop = asyncio.get_running_loop()
    async with watched.run.work.step("download") as step:
        end = loop.time() + 0.35
        number = 0
        while loop.time() < end:
            for _ in range(500):
                number += 1
                step.progress(number, None, "bytes")
            await asyncio.sleep(0)
    assert number > 5000
    events = watched.steps("download")
    assert 2 <= len(events) <= 8
    last = events[-1]
    assert last.state is StepState.DONE
    assert last.progress is not None
    assert last.progress.current == number, "the last reading is not lost"


async def test_output_line_by_line_becomes_few_events(watched: Watched) -> None:
    loop = asyncio.get_running_loop()
    async with watched.run.work.step("print") as step:
        end = loop.time() + 0.3
        lines = 0
        while loop.time() < end:
            for _ in range(100):
                step.write(b"a line\n")
                lines += 1
            await asyncio.sleep(0)
    watched.run.end(StepState.DONE)
    assert lines > 1000
    grown = watched.grown()
    assert 2 <= len(grown) <= 10
    assert grown[-1] == lines * len(b"a line\n")
    assert watched.steps("print")[-1].lines == lines


async def test_changes_of_state_are_told_at_once(watched: Watched) -> None:
    async with watched.run.work.step("one"):
        assert [step.state for step in watched.steps("one")] == [StepState.RUNNING]
    assert [step.state for step in watched.steps("one")] == [StepState.RUNNING, StepState.DONE]


async def test_threads_may_tell(watched: Watched) -> None:
    async with watched.run.work.step("thread") as step:

        def work() -> None:
            for number in range(1000):
                step.progress(number + 1, 1000, "files")
                step.note(f"file {number}")
                step.write(b"x\n")

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
    last = watched.steps("thread")[-1]
    assert (last.lines, last.detail) == (3000, "file 999")
    assert last.progress is not None
    assert last.progress.current == 1000


async def test_cached_and_skipped_steps_say_why(watched: Watched) -> None:
    async with watched.run.work.step("box") as step:
        step.cached("it is there")
    async with watched.run.work.step("folders") as step:
        step.skipped("there are none")
    states = {
        c.step.name: (c.step.state, c.step.detail) for c in watched.changes if isinstance(c, StepChanged)
    }
    assert states == {
        "box": (StepState.CACHED, "it is there"),
        "folders": (StepState.SKIPPED, "there are none"),
    }


async def test_a_step_that_is_left_over_ends_with_the_operation(watched: Watched) -> None:
    started = asyncio.Event()

    async def forgotten() -> None:
        async with watched.run.work.step("forgotten"):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(forgotten())
    await started.wait()
    watched.run.end(StepState.FAILED)
    assert watched.steps("forgotten")[-1].state is StepState.CANCELLED
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watched.steps("forgotten")[-1].state is StepState.CANCELLED
    assert [step.state for step in watched.journal.steps("000001")] == [StepState.CANCELLED]


async def test_the_operation_is_told_of_last(watched: Watched) -> None:
    async with watched.run.work.step("print") as step:
        step.write(b"x")
    watched.run.end(StepState.DONE)
    last = watched.changes[-1]
    assert isinstance(last, OperationChanged)
    assert (last.operation.state, last.operation.log_size) == (StepState.DONE, 1)
    await asyncio.sleep(0.15)
    assert watched.changes[-1] is last, "and nothing comes after"


async def test_progress_at_the_top_gets_a_step_of_its_own(watched: Watched) -> None:
    watched.run.work.progress(1, 2, "files")
    watched.run.work.progress(2, 2, "files")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    watched.run.end(StepState.DONE)
    last = watched.steps("up web")[-1]
    assert last.progress is not None
    assert (last.progress.current, last.state) == (2, StepState.DONE)


async def test_a_note_at_the_top_is_the_operations_detail(watched: Watched) -> None:
    watched.run.work.note("almost")
    await asyncio.sleep(0)
    assert watched.run.view().detail == "almost"


async def test_a_full_disk_is_said_in_the_step(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    async with watched.run.work.step("print") as step:
        step.write(b"first\n")
        with monkeypatch.context() as patch:
            patch.setattr("core.engine.log.os.write", full)
            step.write(b"second\n")
    last = watched.steps("print")[-1]
    assert (last.state, last.lines) == (StepState.DONE, 2)
    assert last.detail == "log not complete: No space left on device"


@given(st.floats(1, 1e9), st.lists(st.floats(0.05, 2.0), min_size=30, max_size=60))
def test_the_rate_of_a_steady_pace_is_that_pace(pace: float, pauses: list[float]) -> None:
    meter = RateMeter()
    now = current = 0.0
    meter.update(current, now)
    for pause in pauses:
        now += pause
        current += pace * pause
        rate = meter.update(current, now)
    assert rate == pytest.approx(pace, rel=1e-3)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1e6)), max_size=40))
def test_the_rate_is_never_negative_nor_beyond_the_fastest_moment(
    readings: list[tuple[float, float]],
) -> None:
    meter = RateMeter()
    now = current = 0.0
    fastest = 0.0
    meter.update(current, now)
    for pause, amount in readings:
        now += pause
        current += amount
        rate = meter.update(current, now)
        assert rate >= 0
        fastest = max(fastest, amount / pause if pause > 0.001 else float("inf"))
        assert rate <= fastest * 1.001


def test_a_resumed_download_does_not_count_what_was_there() -> None:
    meter = RateMeter()
    assert meter.update(1_000_000, 0.0) == 0
    assert meter.update(1_000_100, 1.0) == pytest.approx(100)


def test_a_stalled_pace_comes_to_zero() -> None:
    meter = RateMeter()
    meter.update(0, 0.0)
    meter.update(1000, 1.0)
    for second in range(2, 30):
        rate = meter.update(1000, float(second))
    assert rate == 0.0
