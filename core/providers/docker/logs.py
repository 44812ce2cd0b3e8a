"""What containers say, kept byte by byte in the machine's folder.

Docker's own log has only whole lines: no prompt, and nothing of what is being typed. So each container is
listened to from before its start on; only what was said while no engine ran is taken from Docker's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import BoxwrightError
from core.providers import http
from core.providers.docker import containers
from core.providers.docker.daemon import Daemon
from core.providers.docker.frames import outputs
from core.providers.docker.wire import hang_up

_OUTPUTS = {"stream": True, "stdout": True, "stderr": True}


class Logs:
    """One listener for each container."""

    def __init__(self) -> None:
        self._keeping: dict[str, asyncio.Task[None]] = {}

    async def begin(self, daemon: Daemon, container: str, log: Path, *, tty: bool) -> None:
        """Listen to a container that is about to be started; its log begins anew."""
        await self.leave(container)
        reader, writer = await _attached(daemon, container)
        self._keeping[container] = asyncio.create_task(_copy(reader, writer, tty, log, os.O_TRUNC))

    def keep(self, daemon: Daemon, container: str, log: Path) -> None:
        """See to it that a running container is listened to."""
        self._keeping = {key: task for key, task in self._keeping.items() if not task.done()}
        if container not in self._keeping:
            self._keeping[container] = asyncio.create_task(_adopted(daemon, container, log))

    async def leave(self, container: str) -> None:
        """Listen no more."""
        task = self._keeping.pop(container, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def close(self) -> None:
        for container in tuple(self._keeping):
            await self.leave(container)


async def _attached(daemon: Daemon, container: str) -> tuple[StreamReader, StreamWriter]:
    request = await daemon.request("POST", f"/containers/{container}/attach", query=_OUTPUTS)
    return await daemon.attach(request)


async def _copy(reader: StreamReader, writer: StreamWriter, tty: bool, log: Path, how: int) -> None:
    """Until the container ends, or its daemon."""
    try:
        with contextlib.suppress(OSError), _opened(log, how) as file:
            async for data, _ in outputs(reader, tty=tty):
                os.write(file, data)
    finally:
        await hang_up(writer)


@contextlib.contextmanager
def _opened(log: Path, how: int) -> Any:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | how, 0o600)
    try:
        yield file
    finally:
        os.close(file)


async def _adopted(daemon: Daemon, container: str, log: Path) -> None:
    """Go on with a log that another engine has begun: what was said since is in Docker's."""
    with contextlib.suppress(BoxwrightError, OSError):
        reader, writer = await _attached(daemon, container)
        about = await containers.inspect(daemon, container)
        tty = bool((about.get("Config") or {}).get("Tty"))
        began = _seconds((about.get("State") or {}).get("StartedAt", ""))
        with _opened(log, 0) as file:
            status = os.fstat(file)
            known = status.st_size > 0 and status.st_mtime >= began
            if not known:
                os.ftruncate(file, 0)
            since = f"{status.st_mtime_ns / 1e9:.9f}" if known else f"{began:.9f}"
            async for data in _past(daemon, container, since, tty=tty):
                os.write(file, data)
        await _copy(reader, writer, tty, log, 0)


async def _past(daemon: Daemon, container: str, since: str, *, tty: bool) -> AsyncIterator[bytes]:
    query = {"stdout": True, "stderr": True, "since": since}
    request = await daemon.request("GET", f"/containers/{container}/logs", query=query)
    async with daemon.open(request) as (answer, reader):
        whole = StreamReader()
        async for block in http.body(reader, answer):
            whole.feed_data(block)
        whole.feed_eof()
        async for data, _ in outputs(whole, tty=tty):
            yield data


def _seconds(text: str) -> float:
    """Docker's time, which has nanoseconds, in seconds of Unix time; 0 for no time."""
    whole, _, rest = text.rstrip("Z").partition(".")
    try:
        began = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    except ValueError:
        return 0.0
    return max(0.0, began) + (float(f"0.{rest}") if rest.isdecimal() else 0.0)
