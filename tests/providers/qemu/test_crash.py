"""The engine killed at any instant: the next one puts it in order.

A child process does one action and ends itself, without any clean-up, at the action's first, second, ...
suspension point, those of its background tasks counted in. What it wrote down before is undone by another
provider, as the next engine does.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from core.model.machine import MachineState
from core.model.work import UndoTable
from core.providers.qemu import QemuProvider
from tests.providers.bench import Machine
from tests.providers.qemu.test_contract import QemuBench
from tests.support.interrupt import call_at
from tests.support.work import RecordedIntent, RecordingWork

pytestmark = pytest.mark.real

KILLED = 137

STRIDE = 1 if os.environ.get("BOXWRIGHT_EVERY_POINT") else 7
"""There are some hundreds of points: usually every seventh is tried, on request each."""

Act = Callable[[Machine, RecordingWork], Coroutine[Any, Any, object]]
Step = Callable[[Machine], Awaitable[None]]


class _WrittenIntent(RecordedIntent):
    def __init__(self, journal: Path, kind: str, facts: dict[str, Any]) -> None:
        super().__init__(kind, facts)
        self._journal = journal
        self._write({"kind": kind, "facts": facts})

    def settle(self) -> None:
        super().settle()
        self._write({"settled": self.facts, "kind": self.kind})

    def _write(self, row: dict[str, Any]) -> None:
        with self._journal.open("a") as file:
            file.write(json.dumps(row) + "\n")


class JournalledWork(RecordingWork):
    """Keeps its intents in a file, which outlives the process."""

    def __init__(self, undo: UndoTable, journal: Path) -> None:
        super().__init__(undo)
        self.journal = journal

    def intend(self, kind: str, **facts: Any) -> RecordedIntent:
        intent = _WrittenIntent(self.journal, kind, facts)
        self.intents.append(intent)
        return intent


async def undo_written(journal: Path, undo: UndoTable) -> None:
    """Newest first, what was not settled."""
    rows = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    settled = [(row["kind"], row["settled"]) for row in rows if "settled" in row]
    for row in reversed(rows):
        if "settled" not in row and (row["kind"], row["facts"]) not in settled:
            await undo[row["kind"]](row["facts"])


def _die_in_child(folder: Path, machine: Machine, journal: Path, act: Act, point: int) -> bool:
    """Do the action in a child process; whether the child died before it was through."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_act(machine, journal, act, point))
        except BaseException as error:
            (folder / "child.txt").write_text(repr(error))
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), (folder / "child.txt").read_text()
    return code == KILLED


async def _act(machine: Machine, journal: Path, act: Act, point: int) -> None:
    machine.provider = QemuProvider()
    work = JournalledWork(machine.provider.undo, journal)
    await call_at(point, lambda: os._exit(KILLED), act(machine, work))
    await machine.provider.close()


def kill_everywhere(folder: Path, act: Act, prepare: Step, check: Step) -> int:
    """Prepare, act and die, undo, check: at every point; returns the number of points."""
    root = QemuBench(folder)
    machine = Machine(root, root.plans.make())

    async def anew(step: Step) -> None:
        """As an engine that has just been started."""
        bench = QemuBench.__new__(QemuBench)
        bench.provider, bench.plans, bench.later = QemuProvider(), root.plans, []
        machine.bench, machine.provider = bench, bench.provider
        try:
            await step(machine)
        finally:
            await bench.provider.close()

    async def repair(machine: Machine) -> None:
        await undo_written(journal, machine.provider.undo)
        await check(machine)

    try:
        for point in range(1, 1000, STRIDE):
            journal = folder / f"journal{point}"
            asyncio.run(anew(prepare))
            died = _die_in_child(folder, machine, journal, act, point)
            if not died:
                return point - 1
            asyncio.run(anew(repair))
    finally:
        asyncio.run(anew(Machine.destroy))
        assert asyncio.run(root.traces(machine.plan)) == []
    raise AssertionError("it never ended")


async def no_machine(machine: Machine) -> None:
    await machine.destroy()


async def stopped_machine(machine: Machine) -> None:
    if await machine.state() is MachineState.ABSENT:
        await machine.create()
    await machine.provider.stop(machine.plan, machine.work(), force=True)


async def running_machine(machine: Machine) -> None:
    """It has counted to one since its last start."""
    await stopped_machine(machine)
    await machine.start()
    assert await machine.bench.count(machine.plan) == 1


async def suspended_machine(machine: Machine) -> None:
    await running_machine(machine)
    await machine.provider.suspend(machine.plan, machine.work())


async def machine_with_snapshot(machine: Machine) -> None:
    await running_machine(machine)
    if not await machine.provider.snapshots(machine.plan):
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())


async def memory_is_kept(machine: Machine) -> None:
    state = await machine.state()
    assert state in (MachineState.RUNNING, MachineState.SUSPENDED)
    if state is MachineState.SUSPENDED:
        await machine.provider.resume(machine.plan, machine.work())
    assert await machine.bench.count(machine.plan) == 2


def test_killed_while_creating(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        assert await machine.bench.traces(machine.plan) == []

    assert kill_everywhere(short_folder, lambda m, w: m.provider.create(m.plan, w), no_machine, check) >= 2


def test_killed_while_starting(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        assert await machine.state() is MachineState.STOPPED
        await machine.start()

    points = kill_everywhere(short_folder, lambda m, w: m.provider.start(m.plan, w), stopped_machine, check)
    assert points >= 15


def test_killed_while_suspending(short_folder: Path) -> None:
    points = kill_everywhere(
        short_folder, lambda m, w: m.provider.suspend(m.plan, w), running_machine, memory_is_kept
    )
    assert points >= 50


def test_killed_while_resuming(short_folder: Path) -> None:
    points = kill_everywhere(
        short_folder, lambda m, w: m.provider.resume(m.plan, w), suspended_machine, memory_is_kept
    )
    assert points >= 50


def test_killed_while_halting(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        await stopped_machine(machine)
        await machine.start()

    assert kill_everywhere(short_folder, lambda m, w: m.provider.stop(m.plan, w), running_machine, check) >= 3


def test_killed_while_destroying(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        await machine.destroy()
        assert await machine.bench.traces(machine.plan) == []

    points = kill_everywhere(short_folder, lambda m, w: m.provider.destroy(m.plan, w), running_machine, check)
    assert points >= 1


def test_killed_while_saving_a_snapshot(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        assert await machine.state() is MachineState.RUNNING
        assert await machine.provider.snapshots(machine.plan) == ()
        assert await machine.bench.count(machine.plan) == 2

    points = kill_everywhere(
        short_folder, lambda m, w: m.provider.save_snapshot(m.plan, "one", w), running_machine, check
    )
    assert points >= 15


@pytest.mark.parametrize("runs", [True, False])
def test_killed_while_restoring_a_snapshot(short_folder: Path, runs: bool) -> None:
    async def prepare(machine: Machine) -> None:
        await machine_with_snapshot(machine)
        if not runs:
            await machine.provider.stop(machine.plan, machine.work(), force=True)

    async def check(machine: Machine) -> None:
        assert await machine.state() is not MachineState.BROKEN
        assert await machine.provider.restore_snapshot(machine.plan, "one", machine.work())
        assert await machine.bench.count(machine.plan) == 2

    points = kill_everywhere(
        short_folder, lambda m, w: m.provider.restore_snapshot(m.plan, "one", w), prepare, check
    )
    assert points >= 15


def test_killed_while_deleting_a_snapshot(short_folder: Path) -> None:
    async def check(machine: Machine) -> None:
        assert await machine.state() is MachineState.RUNNING
        if await machine.provider.snapshots(machine.plan):
            await machine.provider.delete_snapshot(machine.plan, "one", machine.work())
        await machine.provider.save_snapshot(machine.plan, "one", machine.work())

    points = kill_everywhere(
        short_folder,
        lambda m, w: m.provider.delete_snapshot(m.plan, "one", w),
        machine_with_snapshot,
        check,
    )
    assert points >= 15
