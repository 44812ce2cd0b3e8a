"""What guests have in common, whichever way they are reached: commands, shells and transfers, all made of
channels that a transport opens."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

import msgspec

from core.guests import transfer as transfers
from core.guests.base import Output, Ran, Sending, Transfer
from core.guests.channel import Channel
from core.guests.errors import CommandTimeoutError, ConnectionLostError, GuestError
from core.guests.quoting import exports, quote
from core.model.machine import Endpoint

_END_SECONDS = 8.0
MARK = "BOXWRIGHT_RUN"
"""Name of the variable of the environment by which a command is found again."""


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """The pseudo-terminal of a command or shell."""

    term: str = "xterm-256color"
    columns: int = 120
    rows: int = 40
    plain: bool = True
    """Output as programs wrote it: no echo, and no carriage return before each newline."""


PLAIN = Terminal()


class RemoteGuest(ABC):
    """Implements :class:`core.guests.base.Guest` on top of ``open_channel``."""

    endpoint: Endpoint
    identity: str = ""
    """Path of the private key that the guest accepted, "" where it takes none."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""

    @abstractmethod
    async def open_channel(
        self,
        command: str | None,
        stdout: Output | None,
        stderr: Output | None,
        *,
        pty: Terminal | None = None,
    ) -> Channel:
        """Run ``command`` in the account's shell, or the account's login shell where it is None.

        With ``pty`` both outputs are one (``stdout``). Raises ConnectionLostError where the connection is
        broken, before anything has begun.
        """

    @abstractmethod
    async def close(self) -> None: ...

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
        line = exports({MARK: mark}) + exports(env or {}) + command
        discard: Output = lambda data: None  # noqa: E731
        opening = asyncio.ensure_future(
            self.open_channel(line, stdout or discard, stderr or discard, pty=PLAIN if pty else None)
        )
        try:
            channel = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.shield(self._end_opening(opening, mark))
            raise
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
        return await self.open_channel(command, None, stderr)

    async def upload(self, source: Path, target: str, **how: Unpack[Sending]) -> None:
        """See :func:`core.guests.transfer.upload`."""
        await transfers.upload(self, source, target, **how)

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        """See :func:`core.guests.transfer.download`."""
        return await transfers.download(self, source, target, transfer=transfer)

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Channel:
        """A login shell on a pseudo-terminal; ``output`` gets its bytes undecoded, as they arrive."""
        return await self.open_channel(
            None, output, output, pty=Terminal(term=term, columns=columns, rows=rows, plain=False)
        )

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

    async def _end_opening(self, opening: asyncio.Future[Channel], mark: str) -> None:
        """End a command whose channel is not known to be open: it may run, and even write, by then."""
        try:
            async with asyncio.timeout(_END_SECONDS):
                channel = await opening
        except (TimeoutError, GuestError):
            return  # It was not begun, or cannot be reached any more.
        await self._end(channel, mark)

    async def _end(self, channel: Channel, mark: str) -> None:
        """End a command for good: SSH servers differ in what they do to a command whose channel closes,
        so every process that carries its mark is ended."""
        if not self.alive:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                if not channel.ended:
                    killer = await self.open_channel(ending(mark), None, None)
                    await killer.wait()
                await channel.close()
        except (TimeoutError, ConnectionLostError):
            pass


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


def ending(mark: str) -> str:
    """A command line that ends all processes whose environment has the mark, and what they have started."""
    script = quote(_ENDING.format(mark=f"{MARK}={mark}"))
    sudo = '[ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null'
    return f"if {sudo}; then exec sudo -n sh -c {script}; else exec sh -c {script}; fi"
