"""Finding, awaiting and ending QEMU processes, also those that somebody else started.

A process is recognised by its arguments: it is the machine's if it was given the machine's pid file.
The number in a pid file alone proves nothing, as numbers are used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")

_END_OF_ENVIRONMENT = 48
"""Place in ``stat``, behind the name, of an address that Linux knows last of a program that begins."""

_BEGINNING = 1.0
"""Seconds for a program that has just been begun to have its arguments."""


def find(pid_file: Path) -> int | None:
    """The live process that was started with this pid file, None without one."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        if _owns(_arguments(pid), pid_file):
            return pid
    found = find_all(pid_file)
    return found[0] if found else None


def find_all(pid_file: Path) -> list[int]:
    """All of them: while QEMU turns into a daemon there are two."""
    return [pid for pid, arguments in _table() if _owns(arguments, pid_file)]


def running() -> dict[str, int]:
    """All processes of this computer that were given a pid file: its path, and their number."""
    found: dict[str, int] = {}
    for pid, arguments in _table():
        if b"-pidfile" in arguments:
            fields = arguments.split(b"\0")
            if b"-pidfile" in fields[:-1]:
                found[os.fsdecode(fields[fields.index(b"-pidfile") + 1])] = pid
    return found


def _owns(arguments: bytes, pid_file: Path) -> bool:
    return b"\0-pidfile\0" + os.fsencode(pid_file) + b"\0" in arguments


def _arguments(pid: int) -> bytes:
    """The arguments of a process, each ended by a zero byte; b"" for one that is gone, or a zombie."""
    if not _PROC.joinpath("self").exists():
        return dict(_ps()).get(pid, b"")
    place = _PROC / str(pid)
    until = time.monotonic() + _BEGINNING
    try:
        found = (place / "cmdline").read_bytes()
        while not found and time.monotonic() < until:
            # Asked in this order: what has begun by now has its arguments in the next look.
            begins = _begins(place)
            found = (place / "cmdline").read_bytes()
            if not begins:
                break
            time.sleep(0.001)
    except OSError:
        return b""
    return found


def _begins(place: Path) -> bool:
    """Whether it has just become another program, which has no arguments for a moment: somebody who ended it
    now would else not see it. Raises OSError for a process that has no program (any more)."""
    (place / "exe").readlink()
    after_name = (place / "stat").read_text().rpartition(")")[2].split()
    return after_name[_END_OF_ENVIRONMENT] == "0"


def _table() -> Iterator[tuple[int, bytes]]:
    if not _PROC.joinpath("self").exists():
        yield from _ps()
        return
    for process in _PROC.iterdir():
        if process.name.isdecimal():
            yield int(process.name), _arguments(int(process.name))


def _ps() -> Iterator[tuple[int, bytes]]:
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, check=False)
    return parse_ps(listed.stdout)


def parse_ps(listed: bytes) -> Iterator[tuple[int, bytes]]:
    """For systems without /proc: numbers and arguments of processes that were given a pid file.

    ``ps`` joins arguments by spaces, so the pid file's path ends at the next option.
    """
    for line in listed.splitlines():
        number, _, command = line.strip().partition(b" ")
        before, option, rest = command.partition(b" -pidfile ")
        if number.isdigit() and option:
            path = rest.split(b" -", 1)[0]
            yield int(number), b"\0".join([before, b"-pidfile", path, b""])


async def ended(pid: int, timeout: float) -> bool:
    """Wait until the process is gone: True, or False after ``timeout`` seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):
        return await _ended_by_asking(pid, timeout)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, gone.set)
    try:
        await asyncio.wait_for(gone.wait(), timeout)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True


async def _ended_by_asking(pid: int, timeout: float) -> bool:
    """For systems without process descriptors."""
    until = time.monotonic() + timeout
    while _arguments(pid):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


async def end(pid_file: Path, *, patience: float = 0.0) -> None:
    """End the machine's processes: after ``patience`` seconds for an orderly end, by SIGKILL."""
    if patience:
        pids = find_all(pid_file)
        _signal(pids, signal.SIGTERM)
        for pid in pids:
            await ended(pid, patience)
    while pids := find_all(pid_file):
        _signal(pids, signal.SIGKILL)
        for pid in pids:
            await ended(pid, 5.0)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
