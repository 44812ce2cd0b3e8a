"""Keys of an ordinary terminal, through the workbench, to a program in a guest that says what it read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.terminal import Terminal
from tests.support.consoles import environment, workbench
from tests.support.sshd import Sshd, available
from tests.support.xterm_keys import table
from tui.console.keys import sequences

pytestmark = pytest.mark.real

READER = """
import os, sys, termios, tty
tty.setraw(0, termios.TCSANOW)
with open(sys.argv[1], "wb", buffering=0) as out:
    os.write(1, b"reader" + b"-ready\\r\\n")
    while data := os.read(0, 4096):
        out.write(data)
"""

MEASURER = """
import os, sys, tty
tty.setraw(0)
with open(sys.argv[1], "w", buffering=1) as out:
    os.write(1, b"reader" + b"-ready\\r\\n")
    while data := os.read(0, 1):
        print(*os.get_terminal_size(), file=out)
"""

SCROLLING = {b"\x1b[5;2~", b"\x1b[6;2~"}
"""Shift with page up and down look back where no full-screen program is on."""
LEAVING = sequences("ctrl+right_square_bracket")


@pytest.fixture
async def server(tmp_path: Path):  # type: ignore[no-untyped-def]
    assert available(), "openssh-server is needed"
    running = await Sshd(tmp_path).started()
    yield running
    running.stop()


@pytest.fixture
def terminal(server: Sshd, boxwright_home: Path) -> Iterator[Terminal]:
    running = Terminal(workbench(boxwright_home, server.endpoint), env=environment(boxwright_home))
    running.wait_for(b"up to date")
    running.type(b"s")
    running.wait_for(b"every other key")
    yield running
    running.close()


def start_reader(terminal: Terminal, folder: Path, program: str = READER) -> Path:
    script, log = folder / "reader.py", folder / "keys.log"
    script.write_text(program)
    terminal.type(f"exec python3 {script} {log}\r".encode())
    terminal.wait_for(b"reader-ready")
    return log


def arrives(terminal: Terminal, log: Path, data: bytes, seconds: float) -> bytes:
    """What the guest reads after ``data`` was typed: until it is as much, or the time is over."""
    before = log.stat().st_size
    terminal.type(data)
    end = time.monotonic() + seconds
    while log.stat().st_size < before + len(data) and time.monotonic() < end:
        terminal.drain(0.002)
    return log.read_bytes()[before:]


def test_keys_of_xterm_reach_the_guest_unchanged(terminal: Terminal, tmp_path: Path) -> None:
    keys = table()
    assert len(keys) >= 350
    log = start_reader(terminal, tmp_path)
    kept = [name for name, data in keys.items() if data in SCROLLING | LEAVING]
    changed = {
        name: told
        for name, data in keys.items()
        if name not in kept and (told := arrives(terminal, log, data, 5.0)) != data
    }
    assert changed == {}
    assert len(kept) <= 5, "the workbench keeps these for itself"
    assert len(keys) - len(kept) >= 345


def test_many_keys_in_one_breath_arrive_in_order(terminal: Terminal, tmp_path: Path) -> None:
    log = start_reader(terminal, tmp_path)
    breath = b"".join(data for data in table().values() if data not in SCROLLING | LEAVING | {b"\x1b"})
    assert arrives(terminal, log, breath, 20.0) == breath


def test_what_is_not_a_key_stays_here(terminal: Terminal, tmp_path: Path) -> None:
    log = start_reader(terminal, tmp_path)
    # Focus, a mouse that nobody asked for, reports of modes: between two keys.
    told = arrives(terminal, log, b"a\x1b[O\x1b[I\x1b[<35;70;10M\x1b[?2026;2$yb", 5.0)
    time.sleep(0.2)
    assert log.read_bytes() == b"ab", told


def test_the_chord_leaves_and_twice_is_for_the_guest(terminal: Terminal, tmp_path: Path) -> None:
    log = start_reader(terminal, tmp_path)
    # What follows the chord in the same breath is the workbench's: v and escape begin and end a selection.
    terminal.type(b"a\x1dv")
    terminal.wait_for(b"selecting")
    terminal.type(b"\x1d")
    terminal.wait_for(b"every other key")
    terminal.type(b"b")
    end = time.monotonic() + 10
    while len(log.read_bytes()) < 3 and time.monotonic() < end:
        terminal.drain(0.02)
    assert log.read_bytes() == b"a\x1db"


def test_pastes_and_the_mouse_are_told_as_the_guest_asked(terminal: Terminal, tmp_path: Path) -> None:
    script = tmp_path / "modes.py"
    script.write_text("import os; os.write(1, b'\\x1b[?2004h\\x1b[?1002h\\x1b[?1006h\\x1b[?1h')\n" + READER)
    log = tmp_path / "keys.log"
    terminal.type(f"exec python3 {script} {log}\r".encode())
    terminal.wait_for(b"reader-ready")
    terminal.type(b"\x1b[200~two\nlines\x1b[201~")
    terminal.type(b"\x1b[A")
    # The console begins at column 51 and line 5 of the terminal.
    for event in (b"\x1b[<0;60;12M", b"\x1b[<32;62;12M", b"\x1b[<0;62;12m", b"\x1b[<65;62;12M"):
        terminal.type(event)
        terminal.drain(0.1)
    expected = b"\x1b[200~two\rlines\x1b[201~\x1bOA"
    end = time.monotonic() + 10
    while not log.read_bytes().endswith(b"M") and time.monotonic() < end:
        terminal.drain(0.05)
    told = log.read_bytes()
    assert told.startswith(expected)
    mouse = re.findall(rb"\x1b\[<(\d+);(\d+);(\d+)([Mm])", told[len(expected) :])
    assert [(int(button), end) for button, _, _, end in mouse] == [
        (0, b"M"), (32, b"M"), (0, b"m"), (65, b"M"),
    ]  # fmt: skip
    columns = [int(column) for _, column, _, _ in mouse]
    assert columns == [columns[0], columns[0] + 2, columns[0] + 2, columns[0] + 2]


def test_what_is_typed_behind_the_key_that_opens_a_shell_is_for_the_shell(
    terminal: Terminal, tmp_path: Path
) -> None:
    """Whatever it means in the list, which has the keys until the console is laid out."""
    terminal.type(b"\x1d")
    terminal.wait_for(b"keys are the workbench")
    terminal.type(b"\x1b")
    terminal.drain(0.3)
    told = tmp_path / "told"
    terminal.type(f"sprintf jjkkgGjgGk > {told}\r".encode())
    end = time.monotonic() + 20
    while not (told.exists() and told.stat().st_size >= 10) and time.monotonic() < end:
        terminal.drain(0.01)
    assert told.exists() and told.read_text() == "jjkkgGjgGk"


def test_what_is_typed_behind_the_enter_that_connects_again_arrives_in_order(
    terminal: Terminal, tmp_path: Path
) -> None:
    line = "abcdefghijklmnopqrstuvwxyz" * 2
    for turn in range(3):
        terminal.type(b"exit\r")
        terminal.wait_for(b"connects again")
        told = tmp_path / f"told-{turn}"
        # Key by key, some before the connection stands and some after it.
        for key in f"\rprintf {line} > {told}\r":
            terminal.type(key.encode())
            terminal.drain(0.001)
        end = time.monotonic() + 20
        while not (told.exists() and told.stat().st_size >= len(line)) and time.monotonic() < end:
            terminal.drain(0.01)
        assert told.exists() and told.read_text() == line


def test_a_guest_hears_of_a_new_size_before_what_is_typed_in_it(terminal: Terminal, tmp_path: Path) -> None:
    log = start_reader(terminal, tmp_path, MEASURER)

    def measured() -> tuple[int, int]:
        """As the guest sees it when it reads a key that was typed now."""
        count = len(log.read_text().splitlines())
        terminal.type(b"x")
        end = time.monotonic() + 20
        while len(found := log.read_text().splitlines()) <= count and time.monotonic() < end:
            terminal.drain(0.002)
        columns, rows = found[count].split()
        return int(columns), int(rows)

    before = measured()
    for size in ((80, 24), (20, 5), (9, 3), (200, 60), (120, 40)):
        terminal.resize(*size)
        at_once = measured()
        terminal.drain(0.3)
        assert at_once == measured(), size
    assert at_once == before
