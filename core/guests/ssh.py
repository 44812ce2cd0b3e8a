"""A guest over SSH: one connection, a channel for each command, shell and transfer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

import asyncssh

from core.guests.base import Output
from core.guests.channel import Channel
from core.guests.errors import ConnectionLostError
from core.guests.login import Noticed, open_connection
from core.guests.remote import RemoteGuest, Terminal
from core.guests.ssh_channel import SshChannel
from core.model.machine import Endpoint

_PTY_WINDOW = 1 << 18
"""Bytes that a guest may send ahead. What is under way when ctrl-c is typed is shown before the answer."""
_PLAIN_PTY = {asyncssh.PTY_ECHO: 0, asyncssh.PTY_ONLCR: 0, asyncssh.PTY_ECHOCTL: 0}


async def connect(
    endpoint: Endpoint,
    *,
    identities: Sequence[str] = (),
    sock: socket.socket | None = None,
    timeout: float = 30.0,
    noticed: Noticed = lambda phase: None,
    password: str = "",
) -> SshGuest:
    """Connect and log in. Arguments and errors as of :func:`core.guests.login.open_connection`."""
    connection, visitor = await open_connection(
        endpoint, identities=identities, sock=sock, timeout=timeout, noticed=noticed, password=password
    )
    return SshGuest(connection, endpoint, identity=visitor.offered, host_key=visitor.host_key)


class SshGuest(RemoteGuest):
    """Made by :func:`connect`."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        endpoint: Endpoint,
        *,
        identity: str,
        host_key: tuple[str, bytes],
    ) -> None:
        self._connection = connection
        self.endpoint = endpoint
        self.identity = identity
        self.host_key = host_key
        """Algorithm and key blob."""

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self._connection.is_closed()

    async def wait_closed(self) -> None:
        """Until the connection ends, for whatever reason."""
        await self._connection.wait_closed()

    async def open_channel(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: Terminal | None = None,
    ) -> Channel:
        channel = SshChannel(stdout, stderr)
        options: dict[str, Any] = {"request_pty": False, "term_type": None}
        if pty is not None:
            options = {
                "request_pty": "force",
                "term_type": pty.term,
                "term_size": (pty.columns, pty.rows),
                "term_modes": _PLAIN_PTY if pty.plain else {},
                "window": _PTY_WINDOW,
            }
        opening = asyncio.ensure_future(
            self._connection.create_session(lambda: channel, command, encoding=None, **options)
        )
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # A channel that opens too late must not stay open.
            opening.add_done_callback(_abandon(channel))
            raise
        except (OSError, asyncssh.Error) as error:
            raise self._lost(error) from error
        return channel

    async def close(self) -> None:
        self._connection.close()
        try:
            async with asyncio.timeout(2):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()

    def _lost(self, error: Exception) -> ConnectionLostError:
        return ConnectionLostError(
            f"The connection to the guest at {self.endpoint.host}:{self.endpoint.port} is broken.",
            why=f"{error}." if str(error) else type(error).__name__,
            remedy="boxwright status, to see whether the machine still runs",
        )


def _abandon(channel: Channel) -> Callable[[asyncio.Future[Any]], None]:
    def done(opening: asyncio.Future[Any]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            channel.abort()

    return done
