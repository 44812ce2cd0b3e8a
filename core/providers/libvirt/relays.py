"""Ports of this computer's loopback that lead into guests which have no user network of QEMU's.

The engine itself carries the bytes. Ports are there as long as the engine runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

from core.errors import ProviderError
from core.model.machine import Forward, WantedPort
from core.providers.ports import LOOPBACK

_BLOCK = 65536

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

Way = Callable[[int], Awaitable[Streams]]
"""Connects to a port of the guest's; raises OSError where that cannot be."""


class Relays:
    """Those of all such guests, by the machines' ids."""

    def __init__(self) -> None:
        self._servers: dict[str, list[asyncio.Server]] = {}
        self._carrying: dict[str, set[asyncio.Task[None]]] = {}

    def has(self, machine_id: str) -> bool:
        return machine_id in self._servers

    async def open(self, machine_id: str, way: Way, forwards: Iterable[Forward]) -> Forward | None:
        """Listen on all of them, or on none. Returns the one whose port somebody else has."""
        await self.close(machine_id)
        servers: list[asyncio.Server] = []
        self._servers[machine_id] = servers
        for forward in forwards:
            refuse_datagrams(forward)
            try:
                servers.append(await self._listen(machine_id, way, forward))
            except OSError:
                await self.close(machine_id)
                return forward
        return None

    async def _listen(self, machine_id: str, way: Way, forward: Forward) -> asyncio.Server:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            known = self._carrying.setdefault(machine_id, set())
            known.add(task)
            task.add_done_callback(known.discard)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await _carry(way, forward.guest, reader, writer)
            writer.close()

        return await asyncio.start_server(arrived, LOOPBACK, forward.host)

    async def close(self, machine_id: str) -> None:
        """Connections end, too; of a machine that has none that is no error."""
        for server in self._servers.pop(machine_id, ()):
            server.close()
        for task in tuple(self._carrying.pop(machine_id, ())):
            task.cancel()

    async def close_all(self) -> None:
        for machine_id in tuple(self._servers):
            await self.close(machine_id)


def refuse_datagrams(forward: Forward | WantedPort) -> None:
    """Raise ProviderError for a port that no relay carries."""
    if forward.protocol != "tcp":
        raise ProviderError(
            f"The guest's port {forward.guest} ({forward.protocol}) cannot be forwarded.",
            why="The engine itself carries ports of such guests, TCP alone.",
            remedy="remove that port from the project file",
        )


async def _carry(way: Way, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, back = await way(port)
    try:
        await asyncio.gather(_pour(reader, back), _pour(there, writer))
    finally:
        back.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_BLOCK):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()
