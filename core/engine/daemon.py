"""The engine as a background process: ``python -m core.engine.daemon``.

Started by front ends on first use. It leaves its session, its terminal and its working directory, and
writes to ``engine.log``. On the descriptor named by ``BOXWRIGHT_READY_FD`` it says ``ready`` once it
answers, or ``problem`` with a Problem as JSON; the end of that pipe without a word means that it died, and
the log says why.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.engine.engine import IDLE_EXIT, Engine
from core.engine.faults import killer
from core.engine.server import Server
from core.errors import BoxwrightError, BusyError
from core.paths import Locations, locations

READY_FD = "BOXWRIGHT_READY_FD"
IDLE = "BOXWRIGHT_IDLE_EXIT"

PATIENCE = 15.0
"""Seconds to wait for an engine that is about to end to let go of the data."""

KEEP = 2.0
"""Seconds between two looks whether socket and data are still there."""

_LARGEST_LOG = 4 * 1024 * 1024

_log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None, *, make: Callable[..., Engine] = Engine) -> int:
    """Run an engine until it is idle or is told to stop. Exit code 0 also where another one runs already.

    ``make`` makes the engine, as ``Engine`` does.
    """
    parser = argparse.ArgumentParser(prog="python -m core.engine.daemon", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data; with --runtime")
    parser.add_argument("--runtime", type=Path, help="folder of the socket")
    parser.add_argument("--foreground", action="store_true", help="stay in the terminal's session")
    options = parser.parse_args(arguments)
    if bool(options.data) != bool(options.runtime):
        parser.error("--data and --runtime go together")
    where = (
        Locations(data=options.data.absolute(), runtime=options.runtime.absolute())
        if options.data
        else locations()
    )
    os.umask(0o077)
    where.prepare()
    if not options.foreground:
        _detach(where.engine_log)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    try:
        return asyncio.run(_run(where, make))
    except BoxwrightError as error:
        _log.error("%s", error)
        _say_ready(b"problem" + msgspec.json.encode(error.problem))
        return int(error.problem.code)


async def _run(where: Locations, make: Callable[..., Engine]) -> int:
    engine = make(where, idle_exit=_idle_exit(os.environ), on_point=killer(os.environ))
    if not await _start(engine, where):
        _say_ready(b"other\n")
        return 0
    server = Server(engine)
    await server.start()
    loop = asyncio.get_running_loop()
    term = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, term.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _log.info("engine started: %s", where.data)
    _say_ready(b"ready\n")
    ends = [
        asyncio.create_task(coroutine)
        for coroutine in (_until_lost(engine, server), term.wait(), engine.stopped(), _until_idle(engine))
    ]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if ends[0].done() or (term.is_set() and engine.busy):
        await _leave(engine, server)
    await engine.stop(wait=True)
    await server.close("The engine was stopped.")
    for task in ends:
        task.cancel()
    _log.info("engine ended")
    return 0


async def _start(engine: Engine, where: Locations) -> bool:
    """Start; wait for an engine that is about to end. False where another one runs and answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await engine.start()
            return True
        except BusyError:
            if await _answers(where):
                _log.info("another engine runs")
                return False
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)


async def _answers(where: Locations) -> bool:
    try:
        _reader, writer = await asyncio.open_unix_connection(where.socket)
    except OSError:
        return False
    writer.close()
    return True


async def _until_idle(engine: Engine) -> None:
    while (left := engine.idle_in()) > 0:  # noqa: ASYNC110 - it is a matter of time alone
        await asyncio.sleep(left)
    _log.info("nothing to do for %.0f s", engine.idle_exit)


async def _until_lost(engine: Engine, server: Server) -> None:
    """Sees to the socket; ends when the data has been removed under the engine."""
    while not engine.lost():
        await asyncio.sleep(KEEP)
        await server.keep()
    _log.error("the data was removed")


async def _leave(engine: Engine, server: Server) -> None:
    """End at once, in the middle of work: what is not finished stays in the journal, and the next engine
    undoes it. Their code is not told, as it would undo at a time when everything has to be quick."""
    _log.warning("ended while %d operations ran", engine.busy)
    await server.close("The engine was told to end.")
    await engine.abandon()
    logging.shutdown()
    os._exit(0)


def _idle_exit(environment: os._Environ[str]) -> float:
    text = environment.get(IDLE, "")
    try:
        return float(text) if text else IDLE_EXIT
    except ValueError:
        raise BoxwrightError(
            f"{IDLE} is {text!r}, which is no number of seconds.", remedy=f"unset {IDLE}"
        ) from None


def _say_ready(word: bytes) -> None:
    number = os.environ.pop(READY_FD, "")
    if number:
        with contextlib.suppress(OSError):
            os.write(int(number), word)
            os.close(int(number))


def _detach(log: Path) -> None:
    """Become a child of nobody, in a session of one's own, with the log as output."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")


if __name__ == "__main__":
    sys.exit(main())
