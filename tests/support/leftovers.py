"""Finds what a test run left behind: processes and temporary files."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple


class Left(NamedTuple):
    """A process that still runs."""

    pid: int
    command: str


def processes(root: Path) -> list[Left]:
    """Processes, other than this one, whose arguments or environment name a path below ``root``.

    A daemon that a test started has inherited the test's folders in its environment, whatever its
    arguments are. Where there is no /proc, none are found.
    """
    sign = os.fsencode(root)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        if pid == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if command and (sign in command or sign in environment):
            found.append(Left(pid, command.replace(b"\0", b" ").decode(errors="replace").strip()[:200]))
    return found


def lasting(root: Path, patience: float = 3.0) -> list[Left]:
    """Those that are still there after ``patience`` seconds: some have only just been told to end."""
    deadline = time.monotonic() + patience
    while (found := processes(root)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def end(left: list[Left]) -> None:
    """Kill them: whatever they were, their test is over."""
    for process in left:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def files(folder: Path) -> list[str]:
    """Names of what still lies in a folder that should be empty by now."""
    return sorted(item.name for item in folder.iterdir())
