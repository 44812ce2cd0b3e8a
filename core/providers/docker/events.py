"""What a daemon tells without being asked: something happened to a container of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import BoxwrightError
from core.providers import http
from core.providers.docker import names
from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import unreachable

RETRIES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to reach a daemon that has gone, the last one again and again."""

_DULL = ("exec_", "top", "attach", "detach", "resize", "archive-path", "extract-to-dir", "export", "commit")
"""How the names of events begin after which a machine is as it was."""


class Listener:
    """One stream of events. ``on_event`` is called with a machine's id, ``on_return`` when the daemon is back
    after an absence, when anything may have happened."""

    def __init__(
        self, daemon: Daemon, on_event: Callable[[str], None], on_return: Callable[[], None]
    ) -> None:
        self._daemon = daemon
        self._on_event = on_event
        self._on_return = on_return
        self._task: asyncio.Task[None] | None = None
        self._hears: asyncio.Future[None] | None = None
        self._again = asyncio.Event()

    async def ready(self) -> None:
        """Once what happens from now on is heard. Raises DockerError where the daemon cannot be reached."""
        if self._task is None:
            self._hears = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._listen())
        assert self._hears is not None
        if self._hears.done() and self._hears.exception() is not None:
            # It may be back by now: it is tried again at once.
            self._hears = asyncio.get_running_loop().create_future()
            self._again.set()
        await asyncio.shield(self._hears)

    async def _listen(self) -> None:
        tried, away = 0, False
        while True:
            try:
                await self._follow(away)
                tried = 0
            except BoxwrightError as error:
                self._missing(error)
            away = True
            self._again.clear()
            assert self._hears is not None
            if self._hears.done():
                await self._pause(RETRIES[min(tried, len(RETRIES) - 1)])
            tried += 1

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()

    def _missing(self, error: BoxwrightError) -> None:
        """Whoever waits for the daemon, now or later, is told why there is none."""
        assert self._hears is not None
        if self._hears.done():
            self._hears = asyncio.get_running_loop().create_future()
        self._hears.set_exception(error)
        self._hears.exception()

    async def _follow(self, away: bool) -> None:
        filters = {"type": ["container"], "label": [names.MACHINE]}
        request = await self._daemon.request("GET", "/events", query={"filters": filters})
        try:
            async with self._daemon.open(request) as (answer, reader):
                self._heard(away)
                async for message in self._daemon.documents(http.body(reader, answer)):
                    self._tell(message)
        except OSError as error:
            raise unreachable(self._daemon.address, error) from error

    def _heard(self, away: bool) -> None:
        assert self._hears is not None
        if self._hears.done():
            self._hears = asyncio.get_running_loop().create_future()
        self._hears.set_result(None)
        if away:
            self._on_return()

    def _tell(self, message: Mapping[str, Any]) -> None:
        actor = message.get("Actor") or {}
        machine = (actor.get("Attributes") or {}).get(names.MACHINE)
        if machine and not str(message.get("Action", "")).startswith(_DULL):
            self._on_event(machine)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
