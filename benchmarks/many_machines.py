"""The workbench with 1,000 machines and 10,000 boxes, while 50 machines a second change their state.

It runs on a pseudo-terminal with a world in memory; keys move the cursor, and the time to the frame that
shows it is taken.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.terminal import Figures, Terminal, percentile
from core.model.machine import Machine, MachineKey, MachineState
from tests.support.fake_client import NOW, FakeClient, box

MACHINES = 1_000
BOXES = 10_000
CHANGES_A_SECOND = 50
SECONDS = 30.0
CPU_BAR = 0.30
KEY_BAR = 50.0
_BEAT = 0.1
_PROJECT = "/home/ada/farm"
_MARK = "a-selected-one"


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="bwbench") as name:
        return _measure(Path(name), seconds)


def _measure(folder: Path, seconds: float) -> int:
    figures = Figures(
        f"Workbench: {MACHINES:,} machines and {BOXES:,} boxes, {CHANGES_A_SECOND} changes a second"
    )
    terminal = Terminal([sys.executable, "-m", "benchmarks.many_machines", "--workbench", str(folder)])
    try:
        terminal.wait_for(_MARK.encode(), 60)
        terminal.drain(2.0)
        (folder / "go").touch()
        terminal.drain(2.0)
        before, begin = terminal.cpu_seconds(), time.perf_counter()
        terminal.drain(seconds / 2)
        share = (terminal.cpu_seconds() - before) / (time.perf_counter() - begin)
        delays = []
        while time.perf_counter() - begin < seconds:
            # Of the two machines at the top, the title of the right side says which one is selected.
            for key, sign in ((b"j", b"m0001 "), (b"k", _MARK.encode())):
                delays.append(_press(terminal, key, sign))
                terminal.drain(0.05)
    finally:
        terminal.close()
    figures.show("share of a core", share, CPU_BAR)
    figures.show("key to screen, median", statistics.median(delays) * 1000, None, "ms")
    figures.show("key to screen, 99th percentile", percentile(delays, 0.99) * 1000, KEY_BAR, "ms")
    return figures.status


def _press(terminal: Terminal, key: bytes, sign: bytes) -> float:
    begin = time.perf_counter()
    terminal.type(key)
    return terminal.wait_for(sign) - begin


def farm(folder: Path) -> FakeClient:
    """1,000 machines of one project, half of them running."""
    world = FakeClient(folder)
    for number in range(MACHINES):
        name = f"m{number:04d}" if number else _MARK
        state = MachineState.RUNNING if number % 2 else MachineState.STOPPED
        found = Machine(
            key=MachineKey(_PROJECT, name), state=state, id=f"{number:012x}", project_name="farm",
            provider="qemu", box="debian/bookworm64", box_version="12.5", memory=512 << 20, started=NOW,
        )  # fmt: skip
        world.machines[str(found.key)] = found
    for number in range(BOXES):
        made = box(f"user{number % 100:02d}/box{number:05d}", "1.0")
        world.boxes[str(made.key)] = made
    return world


async def _change(world: FakeClient, folder: Path) -> None:
    """One machine after another, those on the screen among them, in batches as an engine sends them."""
    while not (folder / "go").exists():  # noqa: ASYNC110 - a process waits for another one
        await asyncio.sleep(0.05)
    machines = list(world.machines.values())[2:]
    states = (MachineState.STARTING, MachineState.RUNNING, MachineState.STOPPING, MachineState.STOPPED)
    number = 0
    while True:
        for _ in range(int(CHANGES_A_SECOND * _BEAT)):
            at = number % (len(machines) if number % 2 else 30)
            machines[at] = msgspec.structs.replace(machines[at], state=states[number % 4])
            world.machine(machines[at])
            number += 1
        await asyncio.sleep(_BEAT)


def _run_workbench(folder: Path) -> None:
    from tui import app

    world = farm(folder)

    async def run() -> None:
        changing = asyncio.get_running_loop().create_task(_change(world, folder))
        try:
            await app.main(Path(_PROJECT), world)
        finally:
            changing.cancel()

    asyncio.run(run())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--workbench"]:
        _run_workbench(Path(sys.argv[2]))
    else:
        sys.exit(main())
