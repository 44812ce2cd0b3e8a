"""A guest that is logged in to again after its connection ended: a step may restart it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from core.guests.base import Output, Ran, Running, Sending, Shell, Transfer

if TYPE_CHECKING:
    from core.guests.remote import RemoteGuest
    from core.model.machine import Endpoint


class LastingGuest:
    """Implements :class:`core.guests.base.Guest`. ``connect`` waits until the guest answers, and logs in."""

    def __init__(self, guest: RemoteGuest, connect: Callable[[], Awaitable[RemoteGuest]]) -> None:
        self._guest = guest
        self._connect = connect

    @property
    def endpoint(self) -> Endpoint:
        return self._guest.endpoint

    @property
    def identity(self) -> str:
        return self._guest.identity

    async def _now(self) -> RemoteGuest:
        if not self._guest.alive:
            self._guest = await self._connect()
        return self._guest

    async def run(self, command: str, **how: Unpack[Running]) -> Ran:
        guest = await self._now()
        return await guest.run(command, **how)

    async def upload(self, source: Path, target: str, **how: Unpack[Sending]) -> None:
        guest = await self._now()
        await guest.upload(source, target, **how)

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        guest = await self._now()
        return await guest.download(source, target, transfer=transfer)

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Shell:
        guest = await self._now()
        return await guest.shell(output, columns=columns, rows=rows, term=term)

    async def close(self) -> None:
        await self._guest.close()
