"""Real programs, recorded on a pseudo-terminal of a fixed size while they show something."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

COLUMNS, ROWS = 80, 24
_QUIET = 0.4
"""Seconds without output after which a program waits for a key."""
_LONGEST = 20.0


class Program(msgspec.Struct, frozen=True):
    name: str
    command: tuple[str, ...]
    keys: tuple[bytes, ...] = ()
    """One after the other, each when the program is quiet."""
    after: tuple[str, ...] = ()
    """What ends the rest of it."""


def record(program: Program, folder: Path) -> bytes:
    """All that it wrote until it was quiet after the last key; then it is ended."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "LESS": "-R",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "COLUMNS": str(COLUMNS),
        "LINES": str(ROWS),
        "TMUX_TMPDIR": str(folder),
    }
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        # The size is set before the program looks at it.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvpe(program.command[0], program.command, environment)
    try:
        written = _until_quiet(terminal, 5.0)
        for key in program.keys:
            os.write(terminal, key)
            written += _until_quiet(terminal, 1.0)
        return written
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)
        if program.after:
            subprocess.run(program.after, check=False, capture_output=True, timeout=20)


def _until_quiet(terminal: int, first: float) -> bytes:
    """``first``: seconds in which there has to be something."""
    written = b""
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], _QUIET if written else first)
        if not ready:
            break
        try:
            written += os.read(terminal, 1 << 16)
        except OSError:
            break
    return written


def programs(folder: Path) -> Sequence[Program]:
    """Those of the conformance test, with what they show in ``folder``."""
    source = folder / "source.py"
    source.write_text(Path(__file__).read_text(encoding="utf-8"))
    for_nano = folder / "nano.py"
    for_nano.write_text(source.read_text(encoding="utf-8"))
    text = folder / "text.txt"
    text.write_text(
        "".join(f"{n:4} the quick brown fox jumps over the lazy dog {'x' * (n % 50)}\n" for n in range(400))
    )
    (folder / "tables.txt").write_text(_tables(), encoding="utf-8")
    (folder / "left").mkdir()
    (folder / "right").mkdir()
    for name in ("notes.txt", "run.sh", "päper.txt", "archive.tar.gz"):
        (folder / "left" / name).write_text(name)
    _repository(folder / "repository")
    return (
        Program(
            "vim",
            (
                "vim",
                "-u",
                "NONE",
                "-N",
                "-i",
                "NONE",
                "-c",
                "syntax on",
                "-c",
                "set number hlsearch",
                str(source),
            ),
            (b":vsplit\r", b"/import\r", b"10GVjj"),
        ),
        Program("htop", ("htop", "--delay=100")),
        Program("less", ("less", "-N", str(text)), (b"  ", b"/lazy\r")),
        Program(
            "mc",
            ("mc", "-u", "-x", str(folder / "left"), str(folder / "right")),
            (b"\x1b[B", b"\x1b[20~", b"\x1b[B"),
        ),
        Program(
            "tmux",
            ("tmux", "-S", str(folder / "inner"), "-f", "/dev/null", "new-session", "sh"),
            (b"\x02%", b"ls --color=always /\r", b'\x02"', b"echo below\r"),
            ("tmux", "-S", str(folder / "inner"), "kill-server"),
        ),
        Program("nano", ("nano", "--linenumbers", str(for_nano)), (b"\x1b[6~", b"\x17with\r")),
        Program(
            "git-log",
            ("git", "-C", str(folder / "repository"), "log", "--graph", "--stat", "--color=always"),
            (b" ",),
        ),
        Program("tables", ("cat", str(folder / "tables.txt"))),
    )


def _repository(folder: Path) -> None:
    identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    identity |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in identity.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **identity}

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *words], env=environment, check=True, capture_output=True)

    folder.mkdir()
    git("init", "-q", "-b", "main")
    for number in range(12):
        (folder / f"file{number % 4}").write_text("line\n" * (number + 1))
        git("add", ".")
        git("commit", "-q", "-m", f"Change {number}: héllo, 中文")
    git("checkout", "-q", "-b", "side", "HEAD~2")
    (folder / "side").write_text("side")
    git("add", ".")
    git("commit", "-q", "-m", "On the side")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-edit", "side")


def _tables() -> str:
    """Characters of many widths, with attributes."""
    blocks = (
        (0x2500, 64),
        (0x2580, 32),
        (0x25A0, 64),
        (0x2800, 64),
        (0x0391, 50),
        (0x0410, 64),
        (0x4E00, 36),
    )
    blocks += ((0xAC00, 36), (0x3041, 36), (0xFF01, 36), (0x1F600, 36), (0x2190, 64))
    rows = ["".join(chr(start + n) for n in range(count)) for start, count in blocks]
    rows.append("".join(f"{letter}\u0301{letter}\u0308" for letter in "aeiou") + " combining \u200b zero")
    rows += ["".join(f"\x1b[38;5;{n}m█" for n in range(16, 90)) + "\x1b[0m"]
    rows += ["".join(f"\x1b[48;2;{n * 3};{255 - n * 3};99m " for n in range(70)) + "\x1b[0m"]
    rows.append("".join(f"\x1b[{n}m{n:2}\x1b[0m " for n in (1, 2, 3, 4, 7, 9, 31, 42, 93, 104)))
    rows.append("tab\tstops\there\t\N{BLACK SMALL SQUARE}\x1b[5Gover\x1b[30Gat 30")
    return "\r\n".join(rows)
