"""The screen and keyboard of a machine, by VNC (RFB 3.8) over a private Unix socket."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from core.errors import BoxwrightError

_SECONDS = 30.0
_TRUE_COLOUR = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
"""Four bytes a pixel: blue, green, red and one that says nothing."""


class Screen:
    """One connection. Made by ``open``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, socket: Path) -> Screen:
        """Raises BoxwrightError where nobody answers."""
        try:
            async with asyncio.timeout(_SECONDS):
                reader, writer = await asyncio.open_unix_connection(str(socket), limit=1 << 24)
                screen = cls(reader, writer)
                await screen._greet()
        except (OSError, EOFError, TimeoutError) as error:
            raise BoxwrightError(
                "The machine's screen cannot be reached.", why=str(error) or "No answer."
            ) from error
        return screen

    async def _greet(self) -> None:
        await self._reader.readexactly(12)
        self._writer.write(b"RFB 003.008\n")
        count = (await self._reader.readexactly(1))[0]
        kinds = await self._reader.readexactly(count)
        if 1 not in kinds:
            raise BoxwrightError("The machine's screen wants a password.")
        self._writer.write(b"\1")
        if await self._reader.readexactly(4) != b"\0\0\0\0":
            raise BoxwrightError("The machine's screen refuses the connection.")
        self._writer.write(b"\1")  # others may look, too
        self.width, self.height = struct.unpack(">HH", await self._reader.readexactly(4))
        await self._reader.readexactly(16)
        length = struct.unpack(">I", await self._reader.readexactly(4))[0]
        await self._reader.readexactly(length)
        self._writer.write(b"\0\0\0\0" + _TRUE_COLOUR)
        self._writer.write(struct.pack(">BxHii", 2, 2, 0, -223))  # raw pixels; changes of the size
        await self._writer.drain()

    async def key(self, symbol: int, *, down: bool) -> None:
        """Press or let go of a key, by X11's number for it."""
        self._writer.write(struct.pack(">BBxxI", 4, down, symbol))
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
