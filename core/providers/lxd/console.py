"""Serial consoles: the container's console, and the log of it that is kept in the machine's folder.

The server keeps what a console said lately, and gives each part of it once: whatever is fetched is put to the
end of the machine's own log.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from core.errors import BoxwrightError, ProviderError
from core.model.machine import MachinePlan
from core.providers.lxd import instances
from core.providers.lxd.connection import Connection
from core.providers.lxd.context import Context, existing
from core.providers.lxd.instances import Row
from core.providers.lxd.layout import Layout
from core.providers.serial import Lines, SerialConsole

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_SIZE = {"width": 120, "height": 40}


class ConsoleWire:
    """The websocket of a console. What it says is only a sign that there is more to fetch."""

    def __init__(
        self, socket: ClientConnection, control: ClientConnection, consoles: Consoles, plan: MachinePlan
    ) -> None:
        self._socket = socket
        self._control = control
        self._consoles = consoles
        self._plan = plan

    async def read(self) -> bytes:
        from websockets.exceptions import WebSocketException

        try:
            said = await self._socket.recv()
        except WebSocketException:
            said = ""
        with contextlib.suppress(BoxwrightError):
            await self._consoles.fetch(self._plan)
        return said if isinstance(said, bytes) else b""

    async def write(self, data: bytes) -> None:
        from websockets.exceptions import WebSocketException

        try:
            await self._socket.send(data)
        except WebSocketException as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        for socket in (self._socket, self._control):
            await socket.close()


class Consoles:
    """All that are open, and their logs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines = Lines()
        self._fetching: dict[str, asyncio.Lock] = {}

    async def open(self, plan: MachinePlan) -> SerialConsole:
        record = existing(plan)
        connection = self._context.of(plan, record)
        row = await self._context.row(plan, record)
        if row is None or not row.active:
            raise ProviderError(
                f"The machine {plan.key.name} has no console now.",
                why="It does not run.",
                remedy=f"boxwright up {plan.key.name}",
            )
        path = row.path

        async def connect() -> ConsoleWire:
            socket, control = await _attach(connection, path)
            await self.fetch(plan)
            return ConsoleWire(socket, control, self, plan)

        return await self._lines.open(plan.id, Layout.of(plan).serial_log, connect)

    async def fetch(self, plan: MachinePlan, seen: Row | None = None) -> None:
        """Put what the console has said since into the machine's log. ``seen``: its instance, where that
        has just been looked at."""
        record = existing(plan)
        async with self._fetching.setdefault(plan.id, asyncio.Lock()):
            row = seen or await self._context.row(plan, record)
            if row is None:
                return
            data = await self._context.of(plan, record).text(f"{row.path}/console")
            log = Layout.of(plan).serial_log
            if row.status == instances.STOPPED:
                # What it gives now is all of the last run, and of runs before that it has not forgotten.
                known = log.read_bytes() if log.exists() else b""
                data = data[data.rfind(known) + len(known) :] if known in data else b""
            if data:
                with log.open("ab") as file:
                    file.write(data)

    async def close(self) -> None:
        await self._lines.close()


async def _attach(connection: Connection, path: str) -> tuple[ClientConnection, ClientConnection]:
    operation, said = await connection.begin(f"{path}/console", {"type": "console", **_SIZE})
    streams: dict[str, str] = said["metadata"]["fds"]
    sockets = []
    for name in ("0", "control"):
        sockets.append(await connection.socket(f"{operation}/websocket", {"secret": streams[name]}))
    return sockets[0], sockets[1]
