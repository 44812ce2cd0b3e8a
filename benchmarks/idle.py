"""What the workbench costs while nothing happens: twenty machines listed, thirty seconds."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.terminal import Figures, Terminal, private_engine

MACHINES = 20
SECONDS = 30.0
BAR = 1.0


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bwbench") as name:
        folder = Path(name)
        project = folder / "project"
        project.mkdir()
        tables = "".join(f'[machines.m{number:02d}]\nbox = "bench/box"\n' for number in range(MACHINES))
        (project / "boxwright.toml").write_text(f'[project]\nname = "bench"\n{tables}')
        with private_engine(folder):
            return _measure(project)


def _measure(project: Path) -> int:
    program = Path(sys.executable).with_name("boxwright")
    terminal = Terminal([str(program), "--project", str(project)], rows=60)
    figures = Figures(f"Workbench: idle with {MACHINES} machines listed, over {SECONDS:.0f} s")
    try:
        terminal.wait_for(b"m19")
        terminal.drain(3.0)
        before = terminal.cpu_seconds()
        written = terminal.drain(SECONDS)
        share = (terminal.cpu_seconds() - before) / SECONDS
    finally:
        terminal.close()
    figures.show("share of a core", share * 100, BAR, "%")
    figures.show("written to the terminal", float(written), None, "bytes")
    return figures.status


if __name__ == "__main__":
    sys.exit(main())
