"""Ways into a container: sockets in its network.

A thread enters the container's network for as long as it takes to make a socket, which belongs to that
network from then on.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading

from core.providers.libvirt.containers.processes import first_process
from core.providers.libvirt.relays import Streams, Way
from core.providers.ports import LOOPBACK

_NETWORK = 0x40000000  # CLONE_NEWNET


def way(run: str) -> Way:
    """To ports of the loopback of the container whose run that is."""

    async def connect(port: int) -> Streams:
        inner = await asyncio.to_thread(_socket_within, run)
        try:
            await asyncio.get_running_loop().sock_connect(inner, (LOOPBACK, port))
            return await asyncio.open_connection(sock=inner)
        except OSError:
            inner.close()
            raise

    return connect


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
