"""One shared connection for each guest, for everything that the engine does in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar, Unpack

from core.guests.base import Output, Ran, Running, Sending, Shell, Transfer
from core.guests.connecting import connect
from core.guests.errors import ConnectionLostError
from core.guests.remote import RemoteGuest
from core.model.machine import Endpoint

_Result = TypeVar("_Result")


class GuestSession:
    """A Guest that keeps one connection, opened at first use and once more when it has broken.

    Commands that were running when the connection broke are not repeated: only what has not begun.
    """

    def __init__(
        self, endpoint: Endpoint, *, identities: Sequence[str] = (), guest: RemoteGuest | None = None
    ) -> None:
        self.endpoint = endpoint
        self._identities = tuple(identities)
        self._guest = guest
        self._opening = asyncio.Lock()

    async def connection(self) -> RemoteGuest:
        """The guest behind the connection. Raises as :func:`core.guests.connecting.connect`."""
        async with self._opening:
            if self._guest is None or not self._guest.alive:
                self._guest = await connect(self.endpoint, identities=self._identities)
            return self._guest

    async def _use(self, action: Callable[[RemoteGuest], Awaitable[_Result]]) -> _Result:
        """ConnectionLostError comes before a command begins, never out of its middle."""
        guest = await self.connection()
        try:
            return await action(guest)
        except ConnectionLostError:
            await guest.close()
            return await action(await self.connection())

    async def run(self, command: str, **how: Unpack[Running]) -> Ran:
        return await self._use(lambda guest: guest.run(command, **how))

    async def upload(self, source: Path, target: str, **how: Unpack[Sending]) -> None:
        await self._use(lambda guest: guest.upload(source, target, **how))

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        return await self._use(lambda guest: guest.download(source, target, transfer=transfer))

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Shell:
        return await self._use(lambda guest: guest.shell(output, columns=columns, rows=rows, term=term))

    async def close(self) -> None:
        """Let the connection go; the next use opens another one."""
        async with self._opening:
            guest, self._guest = self._guest, None
        if guest is not None:
            await guest.close()


class GuestSessions:
    """The sessions of all machines, by machine id."""

    def __init__(self) -> None:
        self._sessions: dict[str, GuestSession] = {}

    async def keep(self, machine: str, guest: RemoteGuest) -> GuestSession:
        """Share a connection that is open already, e.g. the one that ``wait_for_guest`` returned."""
        await self.drop(machine)
        session = GuestSession(guest.endpoint, guest=guest)
        self._sessions[machine] = session
        return session

    async def session(
        self, machine: str, endpoint: Endpoint, *, identities: Sequence[str] = ()
    ) -> GuestSession:
        """The machine's session; a new one where there is none or the endpoint has changed."""
        known = self._sessions.get(machine)
        if known is not None and known.endpoint == endpoint:
            return known
        fresh = GuestSession(endpoint, identities=identities)
        self._sessions[machine] = fresh
        if known is not None:
            await known.close()
        return fresh

    async def drop(self, machine: str) -> None:
        """The machine stops, or is another one from now on."""
        session = self._sessions.pop(machine, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        for machine in tuple(self._sessions):
            await self.drop(machine)
