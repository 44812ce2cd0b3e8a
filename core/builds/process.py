"""Runs programs of the system for a build: output goes to the log as it comes, and none outlives us."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.builds.tools import SETPRIV, need, search_path
from core.errors import BoxwrightError
from core.model.work import Work

_TAIL_LINES = 15
_LONGEST_LINE = 16384

LineSeen = Callable[[str], bool]
"""Called with every whole line of output, without its end; says whether it belongs in the log."""


async def run_tool(arguments: Sequence[str], *, work: Work, doing: str) -> None:
    """Run a program that ends soon. It is killed with the step, and by the kernel when we die.

    Raises BoxwrightError with ``doing`` ("converting the image"), the exit status and the last lines.
    """
    guarded = [need(SETPRIV), "--pdeathsig", "KILL", "--", *arguments]
    await run_guarded(guarded, work=work, doing=doing, grace=0)


async def run_guarded(
    arguments: Sequence[str],
    *,
    work: Work,
    doing: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    seen: LineSeen | None = None,
    grace: float = 10.0,
) -> None:
    """Run a program in a process group of its own, whose standard input is a pipe that stays open
    as long as we live: programs that are to end with us can wait for its end.

    Both outputs go to ``work``. Raises BoxwrightError as :func:`run_tool` does. When cancelled, closes the
    pipe, kills the group after ``grace`` seconds, and returns only after it is gone.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PATH": search_path(), **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    )
    try:
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Cancelled by itself it would end the program alone, and wait for all that this has started by then.
        await _end(await starting, grace)
        raise
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    try:
        await _follow(process, work, tail, seen)
        status = await process.wait()
    finally:
        await _end(process, grace)
    if status:
        raise failure(doing, status, tuple(tail))


async def _follow(
    process: asyncio.subprocess.Process, work: Work, tail: deque[str], seen: LineSeen | None
) -> None:
    assert process.stdout is not None
    rest = b""
    while block := await process.stdout.read(65536):
        *lines, rest = (rest + block).split(b"\n")
        kept = [line for line in lines if _kept(line, tail, seen)]
        if kept:
            work.write(b"\n".join(kept) + b"\n")
        if len(rest) > _LONGEST_LINE:
            work.write(rest)
            rest = b""
    if rest and _kept(rest, tail, seen):
        work.write(rest + b"\n")


def _kept(line: bytes, tail: deque[str], seen: LineSeen | None) -> bool:
    text = line.decode("utf-8", "replace").rstrip("\r")
    if seen is not None and not seen(text):
        return False
    if text.strip():
        tail.append(text[:_LONGEST_LINE])
    return True


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    """See to it that nothing of the process group is left."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        if not grace:
            _kill_group(process.pid)
        gone = asyncio.ensure_future(_drained(process))
        try:
            await asyncio.wait_for(asyncio.shield(gone), grace or None)
        except (TimeoutError, asyncio.CancelledError):
            _kill_group(process.pid)
            await gone
    _kill_group(process.pid)


async def _drained(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process whose output nobody wants any more."""
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
    await process.wait()


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def failure(doing: str, status: int, tail: tuple[str, ...]) -> BoxwrightError:
    """The error for a program that failed: its last lines often say why, better than we could."""
    said = "\n".join(tail)
    if "No space left on device" in said or "You don't have enough free space" in said:
        return BoxwrightError(
            f"The disk is full: {doing} stopped.",
            why="Nothing of the unfinished build was kept.",
            remedy="boxwright box prune",
            tail=tail,
        )
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return BoxwrightError(f"{doing[0].upper()}{doing[1:]} failed ({how}).", tail=tail)
