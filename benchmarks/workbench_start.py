"""The workbench to its first complete frame, beside an empty Textual application, in turns.

Both are started as processes on a pseudo-terminal; the time runs until the last thing of the first frame
has been written: for the workbench that is the rows that come from the engine, which runs already.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.terminal import Figures, Terminal, private_engine

BAR = 1.5
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
box = "bench/box"
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bwbench") as name:
        folder = Path(name)
        project = folder / "project"
        project.mkdir()
        (project / "boxwright.toml").write_text(_PROJECT)
        with private_engine(folder):
            return _measure(project)


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
