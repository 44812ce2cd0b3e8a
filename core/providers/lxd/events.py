"""What the server pushes: changes of instances, over one websocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from core.errors import BoxwrightError
from core.providers.lxd.connection import Connection

AGAIN = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds before a feed that broke is opened again, longer each time."""

_IDLE = tuple(f"instance-{what}" for what in ("exec", "console", "file", "log", "metadata", "backup"))
"""Beginnings of what is done with an instance without changing it: commands in it, above all."""

FIRST = 3.0
"""Seconds that whoever begins to look waits for the feed."""


class Happening(msgspec.Struct, frozen=True):
    """Something that happened to an instance."""

    action: str
    """E.g. ``instance-started``."""
    name: str
    old_name: str = ""
    """Before it was renamed."""


class Feed:
    """Follows one server until it is closed, however often the server goes away meanwhile."""

    def __init__(
        self, connection: Connection, happened: Callable[[Happening], None], returned: Callable[[], None]
    ) -> None:
        """``returned`` is called when the feed stands again after it was broken."""
        self._connection = connection
        self._happened = happened
        self._returned = returned
        self._standing = asyncio.Event()
        self._tried = asyncio.Event()
        self._task = asyncio.create_task(self._follow())

    async def stand(self) -> None:
        """Wait until the feed stands, but not long for a server that does not answer."""
        if self._standing.is_set() or self._tried.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST):
                await self._tried.wait()

    async def _follow(self) -> None:
        from websockets.exceptions import WebSocketException

        attempt = 0
        lost = False
        while True:
            with contextlib.suppress(BoxwrightError, OSError, WebSocketException):
                query = {"type": "lifecycle", "project": self._connection.place.project}
                socket = await self._connection.socket("/1.0/events", query)
                try:
                    self._stand(lost)
                    attempt, lost = 0, True
                    async for message in socket:
                        self._read(message)
                finally:
                    self._standing.clear()
                    await socket.close()
            self._tried.set()
            await asyncio.sleep(AGAIN[min(attempt, len(AGAIN) - 1)])
            attempt += 1
            lost = True

    def _stand(self, lost: bool) -> None:
        self._standing.set()
        self._tried.set()
        if lost:
            self._returned()

    def _read(self, message: str | bytes) -> None:
        happening = read_event(message)
        if happening:
            self._happened(happening)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


def read_event(message: str | bytes) -> Happening | None:
    """None for what changes no instance, or cannot be understood."""
    try:
        event: dict[str, Any] = msgspec.json.decode(message, type=dict[str, Any])
        detail = event["metadata"]
        action, source = str(detail["action"]), str(detail["source"])
        parts = urlsplit(source).path.split("/")
        if event.get("type") != "lifecycle" or not action.startswith("instance-") or len(parts) < 4:
            return None
        if action.startswith(_IDLE):
            return None
        context = detail.get("context") or {}
        return Happening(action, unquote(parts[3]), str(context.get("old_name", "")))
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        return None
