"""Engines in processes of their own, for tests that kill them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.client.blocking import BlockingClient
from core.errors import NotFoundError
from core.paths import Locations
from tests.engine.fakes import locations

MODULE = "tests.engine.fake_daemon"


@contextmanager
def daemon(folder: Path, *, module: str = MODULE, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """An engine as a child process, killed at the end at the latest. Yields once it answers or has died."""
    where = locations(folder)
    ours, its = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", module, "--foreground"),
            *("--data", str(where.data), "--runtime", str(where.runtime)),
        ],
        pass_fds=(its,),
        env={**os.environ, **environment, "BOXWRIGHT_READY_FD": str(its)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if "QUIET" in environment else None,
    )
    os.close(its)
    said = os.read(ours, 64)
    os.close(ours)
    try:
        if not said:
            process.wait(10)
        yield process
    finally:
        process.kill()
        process.wait()


def end_engine(where: Locations) -> None:
    """Kill the engine that answers at ``where``, if any, and wait until it is gone."""
    try:
        client = BlockingClient.connect(where, start=False)
    except NotFoundError:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(client.pid, signal.SIGKILL)
    client.close()
    eventually(lambda: not Path(f"/proc/{client.pid}/cmdline").exists() or not alive(client.pid))


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and was not waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something in another process that tells nobody."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


async def soon(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """``eventually`` on an event loop."""
    await asyncio.to_thread(eventually, condition, seconds)
