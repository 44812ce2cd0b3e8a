"""A guest over SSH: one connection, a channel for each command, shell and transfer."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncssh

from core.guests import transfer as transfers
from core.guests.base import Output, Ran, Transfer
from core.guests.channel import Channel
from core.guests.errors import CommandTimeoutError, ConnectionLostError
from core.guests.login import Noticed, open_connection
from core.guests.quoting import exports, quote
from core.model.machine import Endpoint

_PLAIN_PTY = {asyncssh.PTY_ECHO: 0, asyncssh.PTY_ONLCR: 0, asyncssh.PTY_ECHOCTL: 0}
"""Output as programs wrote it: no echo, and no carriage return before each newline."""

_END_SECONDS = 8.0
_MARK = "BOXWRIGHT_RUN"


async def connect(
    endpoint: Endpoint,
    *,
    identities: Sequence[str] = (),
    sock: socket.socket | None = None,
    timeout: float = 30.0,
    noticed: Noticed = lambda phase: None,
) -> SshGuest:
    """Connect and log in. Arguments and errors as of :func:`core.guests.login.open_connection`."""
    connection, visitor = await open_connection(
        endpoint, identities=identities, sock=sock, timeout=timeout, noticed=noticed
    )
    return SshGuest(connection, endpoint, identity=visitor.offered, host_key=visitor.host_key)


class SshGuest:
    """Implements :class:`core.guests.base.Guest`. Made by :func:`connect`."""

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
        """Path of the private key that the guest accepted."""
        self.host_key = host_key
        """Algorithm and key blob."""

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self._connection.is_closed()

    async def wait_closed(self) -> None:
        """Until the connection ends, for whatever reason."""
        await self._connection.wait_closed()

    async def run(
        self,
        command: str,
        *,
        stdin: bytes | None = None,
        stdout: Output | None = None,
        stderr: Output | None = None,
        env: Mapping[str, str] | None = None,
        pty: bool = False,
        timeout: float | None = None,
    ) -> Ran:
        """Run a command line in the guest's shell and stream its output.

        ``env`` becomes part of the command line, where the guest's process list shows it: secrets
        go through ``stdin`` or a file. With ``pty`` both outputs are one (``stdout``). A command that
        is cancelled or exceeds ``timeout`` seconds is ended in the guest, with all its descendants.
        Raises CommandTimeoutError, and ConnectionLostError where the connection was broken before.
        """
        mark = secrets.token_hex(8)
        line = exports({_MARK: mark}) + exports(env or {}) + command
        discard: Output = lambda data: None  # noqa: E731
        channel = await self._open(line, stdout or discard, stderr or discard, pty=pty)
        try:
            async with asyncio.timeout(timeout):
                await self._feed(channel, stdin or b"", pty)
                return await channel.wait()
        except TimeoutError:
            await self._end(channel, mark)
            raise CommandTimeoutError(
                f"A command in the guest took longer than {timeout:g} s and was ended.",
                why=f"It was: {command.strip().splitlines()[0][:200] if command.strip() else '(empty)'}",
                remedy="give it a longer 'timeout', or find out what it waits for (boxwright ssh)",
            ) from None
        except BaseException:
            await asyncio.shield(self._end(channel, mark))
            raise

    async def start(self, command: str, *, stderr: Output | None = None) -> Channel:
        """Run a command line with its input and output open, for transfers: see ``transfer.Process``."""
        return await self._open(command, None, stderr, pty=False)

    async def upload(
        self,
        source: Path,
        target: str,
        *,
        mode: int | None = None,
        owner_root: bool = False,
        exclude: Sequence[str] = (),
        transfer: Transfer | None = None,
    ) -> None:
        """See :func:`core.guests.transfer.upload`."""
        await transfers.upload(
            self, source, target, mode=mode, owner_root=owner_root, exclude=exclude, transfer=transfer
        )

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        """See :func:`core.guests.transfer.download`."""
        return await transfers.download(self, source, target, transfer=transfer)

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Channel:
        """A login shell on a pseudo-terminal; ``output`` gets its bytes undecoded, as they arrive."""
        return await self._open(None, output, output, pty=True, term=term, size=(columns, rows), modes={})

    async def close(self) -> None:
        self._connection.close()
        try:
            async with asyncio.timeout(2):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()

    async def _open(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: bool,
        term: str = "xterm-256color",
        size: tuple[int, int] = (120, 40),
        modes: Mapping[int, int] = _PLAIN_PTY,
    ) -> Channel:
        channel = Channel(stdout, stderr)
        options: dict[str, Any] = {"request_pty": False, "term_type": None}
        if pty:
            options = {"request_pty": "force", "term_type": term, "term_size": size, "term_modes": modes}
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

    async def _feed(self, channel: Channel, stdin: bytes, pty: bool) -> None:
        try:
            for start in range(0, len(stdin), 1 << 18):
                await channel.write(stdin[start : start + (1 << 18)])
            if pty:
                await channel.write(b"\x04")
            else:
                channel.write_eof()
        except BrokenPipeError:
            pass  # A command may end without reading all of its input.

    async def _end(self, channel: Channel, mark: str) -> None:
        """End a command for good: SSH servers differ in what they do to a command whose channel closes,
        so every process that carries its mark is ended."""
        if not self.alive:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                if not channel.ended:
                    killer = await self._open(_ending(mark), None, None, pty=False)
                    await killer.wait()
                await channel.close()
        except (TimeoutError, ConnectionLostError):
            pass

    def _lost(self, error: Exception) -> ConnectionLostError:
        return ConnectionLostError(
            f"The connection to the guest at {self.endpoint.host}:{self.endpoint.port} is broken.",
            why=f"{error}." if str(error) else type(error).__name__,
            remedy="boxwright status, to see whether the machine still runs",
        )


# Twice, as a process may have forked while the list was gone through.
_ENDING = """
each() {{ for p in /proc/[0-9]*; do
  if tr '\\0' '\\n' <$p/environ | grep -q {mark}; then kill -$1 ${{p#/proc/}} && found="$found $p"; fi
done; }}
exec 2>/dev/null
found=; each TERM
[ "$found" ] || exit 0
for i in 1 2 3 4 5 6 7 8 9 10; do
  alive=; for p in $found; do if [ -e $p ]; then alive=1; fi; done
  [ "$alive" ] || break
  sleep 0.1 || sleep 1
done
each KILL
"""


def _ending(mark: str) -> str:
    script = quote(_ENDING.format(mark=f"{_MARK}={mark}"))
    sudo = '[ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null'
    return f"if {sudo}; then exec sudo -n sh -c {script}; else exec sh -c {script}; fi"


def _abandon(channel: Channel) -> Callable[[asyncio.Future[Any]], None]:
    def done(opening: asyncio.Future[Any]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            channel.abort()

    return done
