"""What is typed in a console, on its way to the guest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.errors import BoxwrightError

if TYPE_CHECKING:
    from tui.console.link import LineLink
    from tui.console.screen import Screen

_WAITING = 1 << 20
_APPLICATION = {b"\x1b[" + bytes([end]): b"\x1bO" + bytes([end]) for end in b"ABCDHF"}
_FOREIGN = {
    b"\x1b[1~": b"\x1b[H", b"\x1b[7~": b"\x1b[H", b"\x1b[4~": b"\x1b[F", b"\x1b[8~": b"\x1b[F",
    b"\x1b[[A": b"\x1bOP", b"\x1b[[B": b"\x1bOQ", b"\x1b[[C": b"\x1bOR", b"\x1b[[D": b"\x1bOS",
    b"\x1b[[E": b"\x1b[15~",
}  # fmt: skip
"""What tmux, rxvt and the console of Linux send in other words than xterm, which a guest takes us for."""


def as_told(keys: Sequence[bytes], screen: Screen | None) -> bytes:
    """Keys as the terminal sent them, in a guest's words: cursor keys as it asked for them."""
    told = _APPLICATION if screen is not None and screen.modes.application_cursor else {}
    common = [_FOREIGN.get(key, key) for key in keys]
    return b"".join(told.get(key, key) for key in common)


class Outbox:
    """Written in order. ``line`` is None while there is no connection; what is typed then waits."""

    def __init__(self, line: Callable[[], LineLink | None]) -> None:
        self._line = line
        self._waits = bytearray()
        self._writer: asyncio.Task[None] | None = None

    def put(self, data: bytes) -> None:
        """Dropped where the guest has taken nothing for a megabyte."""
        if len(self._waits) <= _WAITING:
            self._waits += data
            self.flush()

    def flush(self) -> None:
        if self._line() is None or not self._waits:
            return
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._waits and (line := self._line()) is not None:
            data = bytes(self._waits)
            self._waits.clear()
            try:
                await line.write(data)
            except (OSError, BoxwrightError):
                return

    def clear(self) -> None:
        self._waits.clear()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
