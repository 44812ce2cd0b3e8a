"""The workbench to its first complete frame, beside an empty Textual application, in turns.

Behind it are twenty machines, and a log of a million lines of what was done last with the first one.

Both are started as processes on a pseudo-terminal; the time runs until the last thing of the first frame
has been written: for the workbench that is the rows that come from the engine, which runs already.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.terminal import Figures, Terminal, private_engine

MACHINES = 20
LINES = 1_000_000
BAR = 1.6
_ROUNDS = 15

_EMPTY = """
from textual.app import App
from textual.widgets import Static


class Empty(App):
    def compose(self):
        yield Static("the-empty-app")


Empty().run()
"""

_PROGRAM = Path(sys.executable).with_name("boxwright")

_PROJECT = """
[project]
name = "bench"
[machines.the-bench-machine]
box = "/nowhere/bench.box"
"""
_ANOTHER = """
[machines.m{number:02d}]
box = "/nowhere/bench.box"
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bwbench") as name:
        folder = Path(name)
        project = folder / "project"
        project.mkdir()
        (project / "boxwright.toml").write_text(
            _PROJECT + "".join(_ANOTHER.format(number=number) for number in range(1, MACHINES))
        )
        with private_engine(folder):
            _write_log(project)
            return _measure(project)


def _write_log(project: Path) -> None:
    """Something is done with the machine, which fails; its log is made a long one."""
    from core.client.blocking import BlockingClient
    from core.model.command import Up
    from core.model.machine import MachineKey
    from core.model.query import GetOperation, OperationView

    with BlockingClient.connect() as client:
        operation = client.submit(Up(machine=MachineKey(str(project), "the-bench-machine")))
        while True:
            view = client.query(GetOperation(operation=operation))
            assert isinstance(view, OperationView)
            if view.operation.state.ended:
                break
            time.sleep(0.05)
    with Path(view.log).open("wb") as file:
        for first in range(0, LINES, 10_000):
            file.write(b"".join(b"%07d Get:1 Packages\n" % line for line in range(first, first + 10_000)))


def _measure(project: Path) -> int:
    ours = [str(_PROGRAM), "--project", str(project)]
    empty = [sys.executable, "-c", _EMPTY]
    # The first one starts the engine.
    _first_frame(ours, b"the-bench-machine")
    _first_frame(empty, b"the-empty-app")
    times: dict[str, list[float]] = {"empty": [], "ours": []}
    for _ in range(_ROUNDS):
        times["empty"].append(_first_frame(empty, b"the-empty-app"))
        times["ours"].append(_first_frame(ours, b"the-bench-machine"))
    figures = Figures("Workbench: start to the first complete frame")
    empty_time, our_time = (statistics.median(times[name]) for name in ("empty", "ours"))
    figures.show("empty Textual application, median", empty_time * 1000, None, "ms")
    figures.show("workbench, median", our_time * 1000, None, "ms")
    figures.show("ratio", our_time / empty_time, BAR)
    return figures.status


def _first_frame(command: list[str], sign: bytes) -> float:
    terminal = Terminal(command)
    try:
        return terminal.wait_for(sign) - terminal.started
    finally:
        terminal.close()


if __name__ == "__main__":
    sys.exit(main())
