"""The log pane: a log that grows by 10,000 lines a second, and one of a million lines.

The workbench runs on a pseudo-terminal with a world in memory whose log another process writes. While
the log grows, keys are pressed that move the selection or scroll, and the time to the frame that shows it is
taken.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.terminal import Figures, Terminal, percentile
from tests.support import fake_client

LINES_A_SECOND = 10_000
SECONDS = 60.0
CPU_BAR = 0.5
KEY_BAR = 50.0
LINES = 1_000_000
MEMORY_BAR = 60.0
_BEAT = 0.05
_LINE = (
    b"\x1b[32m%07d\x1b[0m Get:1 http://deb.example bookworm/main amd64 Packages [8,793 kB] \x1b[1mok\x1b[0m\n"
)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="bwbench") as name:
        folder = Path(name)
        figures = Figures(f"Log pane: {LINES_A_SECOND:,} lines a second for {seconds:.0f} s")
        _follow(folder, seconds, figures)
        _million(folder, figures)
        return figures.status


def _workbench(folder: Path) -> Terminal:
    terminal = Terminal([sys.executable, "-m", "benchmarks.log_pane", "--workbench", str(folder)])
    terminal.wait_for(b"up to date")
    terminal.drain(0.5)
    return terminal


def _follow(folder: Path, seconds: float, figures: Figures) -> None:
    log = folder / "000001.log"
    log.write_bytes(_LINE % 0)
    terminal = _workbench(folder)
    writer = multiprocessing.Process(target=_write, args=(log, seconds + 5))
    try:
        terminal.type(b"jl")
        terminal.wait_for(b"follows")
        writer.start()
        terminal.drain(1.0)
        before = terminal.cpu_seconds()
        begin = time.perf_counter()
        delays = []
        while time.perf_counter() - begin < seconds:
            # Up stops following, which the pill shows; the end key follows again, which the last line shows.
            delays.append(_press(terminal, b"\x1b[A", "↓ ]".encode()))
            terminal.drain(0.12)
            delays.append(_press(terminal, b"G", b"follows"))
            terminal.drain(0.12)
        share = (terminal.cpu_seconds() - before) / (time.perf_counter() - begin)
    finally:
        terminal.close()
        if writer.pid is not None:
            writer.terminate()
            writer.join()
    figures.show("share of a core", share, CPU_BAR)
    figures.show("key to screen, median", statistics.median(delays) * 1000, None, "ms")
    figures.show("key to screen, 99th percentile", percentile(delays, 0.99) * 1000, KEY_BAR, "ms")


def _press(terminal: Terminal, key: bytes, sign: bytes) -> float:
    begin = time.perf_counter()
    terminal.type(key)
    return terminal.wait_for(sign) - begin


def _write(log: Path, seconds: float) -> None:
    """As an engine would: in batches."""
    number = 1
    begin = time.perf_counter()
    with log.open("ab", buffering=0) as file:
        while (passed := time.perf_counter() - begin) < seconds:
            due = int(passed * LINES_A_SECOND)
            if due > number:
                file.write(b"".join(_LINE % line for line in range(number, due)))
                number = due
            time.sleep(_BEAT)


def _million(folder: Path, figures: Figures) -> None:
    log = folder / "000001.log"
    log.write_bytes(_LINE % 0)
    terminal = _workbench(folder)
    try:
        terminal.type(b"jl")
        terminal.wait_for(b"follows")
        terminal.drain(1.0)
        before = terminal.resident()
        with log.open("wb") as file:
            for start in range(0, LINES, 10_000):
                file.write(b"".join(_LINE % line for line in range(start, start + 10_000)))
        figures.show("a million lines indexed", _indexed(terminal), None, "s")
        delays = []
        for key, sign in ((b"g", b"0000000"), (b"G", b"0999999")) * 10:
            delays.append(_press(terminal, key, sign))
        figures.show("from one end to the other, worst", max(delays) * 1000, KEY_BAR, "ms")
        terminal.type(b"g/")
        terminal.drain(0.5)
        terminal.type(b"0999998\r")
        begin = time.perf_counter()
        terminal.wait_for(b"/0999998  1 of 1", 60)
        figures.show("a line at the end found from the beginning", time.perf_counter() - begin, None, "s")
        for _ in range(100):
            terminal.type(b"\x1b[5~")
        terminal.drain(1.0)
        figures.show("memory added", (terminal.resident() - before) / 1e6, MEMORY_BAR, "MB")
    finally:
        terminal.close()


def _indexed(terminal: Terminal) -> float:
    begin = time.perf_counter()
    terminal.wait_for(b"of 1,000,000", 60)
    return time.perf_counter() - begin


def _run_workbench(folder: Path) -> None:
    from core.model.event import LogGrew
    from tui import app

    world = fake_client.shop(folder)

    async def tell() -> None:
        """The log's size as the engine tells it."""
        seen = 0
        while True:
            await asyncio.sleep(0.1)
            size = world.log_path("000001").stat().st_size
            if size != seen:
                seen = size
                world.publish(LogGrew("000001", size))

    async def main() -> None:
        telling = asyncio.get_running_loop().create_task(tell())
        await app.main(Path(fake_client.SHOP), world)
        telling.cancel()

    asyncio.run(main())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--workbench"]:
        _run_workbench(Path(sys.argv[2]))
    else:
        sys.exit(main())
