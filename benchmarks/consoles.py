"""Four consoles that flood at once, and the workbench beside them: how fast it answers, what Ctrl-C does.

A private OpenSSH server on loopback is the guest of all four. While each of them gets what ``yes`` writes,
two of them in sight side by side, keys open and close the search of the console in front, and the time to
the frame that shows it is taken. Then one console gets Ctrl-C, and the time to the end of its ``yes`` (as the
kernel tells it) and to the shell's answer on the screen is taken.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from benchmarks.console import guest, workbench
from benchmarks.terminal import Figures, Terminal, percentile
from tests.support.sshd import Sshd

CONSOLES = 4
KEYS = 200
ROUNDS = 5
KEY_BAR = 50.0
INTERRUPT_BAR = 100.0
_LEAVE = b"\x1d"
_LEFT, _OPEN, _NAMED = b" types  ", b"every other key", "· Shell".encode()
"""What the line below a console says: it was left, its guest gets the keys, it is one of two in sight."""
_MARK = b"THE-END-OF-IT"


def main() -> int:
    with guest() as (folder, server):
        return _measure(folder, server)


def _measure(folder: Path, server: Sshd) -> int:
    figures = Figures(f"Consoles: {CONSOLES} that flood at once")
    terminal = workbench(folder, server)
    try:
        floods = [_flood(terminal, folder, number) for number in range(CONSOLES)]
        terminal.type(_LEAVE + b"|")
        terminal.wait_for(_NAMED)
        before, begin = terminal.cpu_seconds(), time.perf_counter()
        delays = _keys(terminal)
        share = (terminal.cpu_seconds() - before) / (time.perf_counter() - begin)
        ends, answers = _interrupts(terminal, floods[-1])
    finally:
        terminal.close()
    figures.show("share of a core", share, None)
    figures.show("key to screen, median", statistics.median(delays) * 1000, None, "ms")
    figures.show("key to screen, 99th percentile", percentile(delays, 0.99) * 1000, KEY_BAR, "ms")
    figures.show("ctrl-c until yes has ended, worst", max(ends) * 1000, INTERRUPT_BAR, "ms")
    figures.show("ctrl-c until the shell's next answer, worst", max(answers) * 1000, None, "ms")
    return figures.status


def _flood(terminal: Terminal, folder: Path, number: int) -> Path:
    """One more console with a flood in it; the file that names the flood's process."""
    if number:
        terminal.type(_LEAVE)
        terminal.wait_for(_LEFT)
        terminal.type(b"s")
        terminal.wait_for(_OPEN)
    told = folder / f"flood-{number}"
    _start(terminal, told)
    return told


def _start(terminal: Terminal, told: Path) -> None:
    told.unlink(missing_ok=True)
    terminal.type(b"sh -c 'echo $$ >%s; exec yes a-line-of-the-flood'\n" % str(told).encode())
    end = time.perf_counter() + 20
    while not (told.exists() and told.read_text()):
        if time.perf_counter() > end:
            raise TimeoutError(f"no flood begins: {told.name}")
        terminal.drain(0.05)


def _keys(terminal: Terminal) -> list[float]:
    """The console's search opens and closes, which the line below it says; the floods are drawn on."""
    delays = []
    for number in range(KEYS):
        key, sign = (b"/", b"/\xe2\x94\x82") if number % 2 == 0 else (b"\r", _LEFT)
        begin = time.perf_counter()
        terminal.type(key)
        delays.append(terminal.wait_for(sign) - begin)
        terminal.drain(0.03)
    return delays


def _interrupts(terminal: Terminal, told: Path) -> tuple[list[float], list[float]]:
    ends, answers = [], []
    terminal.type(b"\r")
    terminal.wait_for(_OPEN)
    for _ in range(ROUNDS):
        process = Path("/proc") / told.read_text().strip()
        begin = time.perf_counter()
        terminal.type(b"\x03")
        while process.exists():
            terminal.drain(0.001)
        ends.append(time.perf_counter() - begin)
        terminal.type(b"echo THE-END-OF''-IT\n")
        answers.append(terminal.wait_for(_MARK, 30) - begin)
        _start(terminal, told)
        terminal.drain(1.0)
    return ends, answers


if __name__ == "__main__":
    sys.exit(main())
