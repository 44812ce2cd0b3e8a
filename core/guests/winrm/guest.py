"""A guest over WinRM: each command in a shell of its own, so that one that restarts is no other guest."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Unpack

from core.guests.base import Output, Ran, Running, Sending, Shell, Transfer
from core.guests.errors import (
    CommandTimeoutError,
    ConnectionLostError,
    GuestError,
    GuestFileMissingError,
    TransferError,
)
from core.guests.winrm import powershell
from core.guests.winrm.session import Command, WinrmEndpoint

_BLOCK = 30_000


class WinrmGuest:
    """Implements :class:`core.guests.base.Guest`. Command lines are cmd's."""

    def __init__(self, endpoint: WinrmEndpoint) -> None:
        self.endpoint = endpoint

    async def run(self, command: str, **how: Unpack[Running]) -> Ran:
        """Output comes to the callbacks in a thread. There is never a terminal."""
        named = "".join(f'set "{name}={value}" && ' for name, value in (how.get("env") or {}).items())
        stdin = how.get("stdin")
        blocks = None if stdin is None else [stdin[at : at + _BLOCK] for at in range(0, len(stdin), _BLOCK)]
        return await self._run(
            named + command, blocks, how.get("stdout"), how.get("stderr"), how.get("timeout")
        )

    async def _run(
        self,
        line: str,
        blocks: Iterable[bytes] | None,
        stdout: Output | None,
        stderr: Output | None,
        timeout: float | None = None,
    ) -> Ran:
        command = Command(self.endpoint, line)
        running = asyncio.ensure_future(asyncio.to_thread(command.run, blocks, stdout, stderr))
        try:
            async with asyncio.timeout(timeout):
                return Ran(status=await asyncio.shield(running))
        except TimeoutError:
            await _end(command, running)
            raise CommandTimeoutError(f"The command took longer than {timeout:g} s and was ended.") from None
        except asyncio.CancelledError:
            await _end(command, running)
            raise
        except ConnectionLostError:
            if not command.began:
                raise
            return Ran(status=-1)

    async def upload(self, source: Path, target: str, **how: Unpack[Sending]) -> None:
        """``mode`` and ``owner_root`` mean nothing to Windows. ``target`` is into a folder where it ends in a
        slash of either kind."""
        if target.endswith(("/", "\\")):
            target += source.name
        meant = await asyncio.to_thread(_meant, source, target, how.get("exclude", ()))
        total, done = sum(size for _, _, size in meant), 0
        transfer = how.get("transfer")
        for one, there, size in meant:
            await self._upload(one, there)
            done += size
            if transfer is not None:
                transfer(done, total)

    async def _upload(self, source: Path, target: str) -> None:
        digest = hashlib.sha256()
        out, errors = bytearray(), bytearray()
        sent = powershell.lines(source, digest)
        ran = await self._run(powershell.upload(target), sent, out.extend, errors.extend)
        if ran.status:
            raise TransferError(
                f"{source} could not be put to {target} in the guest.", why=_told(errors, ran)
            )
        if bytes(out).strip().decode("ascii", "replace") != digest.hexdigest():
            raise TransferError(f"{target} in the guest is not what was sent.", why="Its checksum differs.")

    async def download(
        self, source: str, target: Path, *, transfer: Transfer | None = None
    ) -> tuple[str, ...]:
        """A file; folders are not fetched."""
        out, errors = bytearray(), bytearray()
        ran = await self._run(powershell.download(source), None, out.extend, errors.extend)
        if ran.status == powershell.MISSING:
            raise GuestFileMissingError(f"There is no file {source} in the guest.")
        if ran.status:
            raise TransferError(f"{source} could not be fetched from the guest.", why=_told(errors, ran))
        data = b"".join(base64.b64decode(line) for line in bytes(out).split())
        beside = target.with_name(f".{target.name}.part")
        beside.write_bytes(data)
        beside.replace(target)
        if transfer is not None:
            transfer(len(data), len(data))
        return ()

    async def shell(
        self, output: Output, *, columns: int = 80, rows: int = 24, term: str = "xterm-256color"
    ) -> Shell:
        raise GuestError(
            "WinRM has no terminals.", remedy=f"winrs -r:{self.endpoint.host} -u:{self.endpoint.user} cmd"
        )

    async def close(self) -> None:
        """There is no connection that lasts."""


def _meant(source: Path, target: str, exclude: Sequence[str]) -> list[tuple[Path, str, int]]:
    """Each file, where it goes to, and its size in bytes."""
    if not source.is_dir():
        return [(source, target, source.stat().st_size)]
    files = [(one, one.relative_to(source).as_posix()) for one in sorted(source.rglob("*")) if one.is_file()]
    return [
        (one, f"{target}/{name}", one.stat().st_size) for one, name in files if not _left_out(name, exclude)
    ]


def _left_out(name: str, exclude: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) or fnmatch(name.rsplit("/", 1)[-1], pattern) for pattern in exclude)


def _told(errors: bytearray, ran: Ran) -> str:
    text = bytes(errors).decode("utf-8", "replace").strip()
    return text or f"PowerShell ended with exit status {ran.status}."


async def _end(command: Command, running: asyncio.Future[int]) -> None:
    """Nothing of it runs on, here or there. One that the guest has not begun with never begins."""
    await asyncio.shield(asyncio.to_thread(command.end))
    await asyncio.wait([running], timeout=60 if command.began else 2)
    if running.done() and not running.cancelled():
        running.exception()
