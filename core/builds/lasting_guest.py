"""A guest that is logged in to again after its connection ended: a step may restart it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.guests.base import Output, Ran, Shell, Transfer

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
        guest = await self._now()
        return await guest.run(
            command, stdin=stdin, stdout=stdout, stderr=stderr, env=env, pty=pty, timeout=timeout
        )

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
        guest = await self._now()
        await guest.upload(
            source, target, mode=mode, owner_root=owner_root, exclude=exclude, transfer=transfer
        )

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
