"""Ports of this computer's loopback that lead to the loopback of a container.

The engine itself carries the bytes: a thread enters the container's network for as long as it takes to make a
socket, which belongs to that network from then on. Ports are there as long as the engine runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import threading
from collections.abc import Iterable

from core.errors import ProviderError
from core.model.machine import Forward, WantedPort
from core.providers.libvirt.containers.processes import first_process
from core.providers.ports import LOOPBACK

_BLOCK = 65536
_NETWORK = 0x40000000  # CLONE_NEWNET


class Relays:
    """Those of all containers, by the machines' ids."""

    def __init__(self) -> None:
        self._servers: dict[str, list[asyncio.Server]] = {}
        self._carrying: dict[str, set[asyncio.Task[None]]] = {}

    def has(self, machine_id: str) -> bool:
        return machine_id in self._servers

    async def open(self, machine_id: str, run: str, forwards: Iterable[Forward]) -> Forward | None:
        """Listen on all of them, or on none. Returns the one whose port somebody else has."""
        await self.close(machine_id)
        servers: list[asyncio.Server] = []
        self._servers[machine_id] = servers
        for forward in forwards:
            refuse_datagrams(forward)
            try:
                servers.append(await self._listen(machine_id, run, forward))
            except OSError:
                await self.close(machine_id)
                return forward
        return None

    async def _listen(self, machine_id: str, run: str, forward: Forward) -> asyncio.Server:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            known = self._carrying.setdefault(machine_id, set())
            known.add(task)
            task.add_done_callback(known.discard)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await _carry(run, forward.guest, reader, writer)
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
            why="Ports of libvirt's containers are carried by the engine, TCP alone.",
            remedy="remove that port from the project file",
        )


async def _carry(run: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    inner = await asyncio.to_thread(_socket_within, run)
    try:
        await asyncio.get_running_loop().sock_connect(inner, (LOOPBACK, port))
        there, back = await asyncio.open_connection(sock=inner)
    except OSError:
        inner.close()
        raise
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


def _socket_within(run: str) -> socket.socket:
    """A socket in the container's network. Raises OSError where that is gone."""
    pid = first_process(run)
    if pid is None:
        raise ConnectionRefusedError("the container does not run")
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        # In a thread of its own, which ends: nothing else of this program is ever in that network.
        try:
            network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(network, _NETWORK):
                    raise OSError(ctypes.get_errno(), "the container's network cannot be entered")
            finally:
                os.close(network)
            inner = socket.socket()
            inner.setblocking(False)
            made.append(inner)
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=enter, name="into a container")
    thread.start()
    thread.join()
    (found,) = made
    if isinstance(found, OSError):
        raise found
    return found
