"""The screen and keyboard of a machine, by VNC (RFB 3.8) over a private Unix socket."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from core.builds.qemu.picture import Picture
from core.errors import BoxwrightError

_SECONDS = 30.0
_SIZE = -223
"""What stands in place of pixels where the size has changed."""
_TRUE_COLOUR = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
"""Four bytes a pixel: blue, green, red and one that says nothing."""


async def picture_of(socket: Path) -> Picture:
    """One look at a machine's screen."""
    screen = await Screen.open(socket)
    try:
        return await screen.picture()
    finally:
        await screen.close()


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
        self._writer.write(struct.pack(">BxHii", 2, 2, 0, _SIZE))  # raw pixels; changes of the size
        await self._writer.drain()

    async def key(self, symbol: int, *, down: bool) -> None:
        """Press or let go of a key, by X11's number for it."""
        self._writer.write(struct.pack(">BBxxI", 4, down, symbol))
        await self._writer.drain()

    async def picture(self) -> Picture:
        """What it shows now. Raises BoxwrightError where the machine ends meanwhile."""
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._picture()
        except (OSError, EOFError, TimeoutError) as error:
            raise BoxwrightError("The machine's screen is gone.", why=str(error) or "No answer.") from error

    async def _picture(self) -> Picture:
        """Asks for all of it. When its size changes on the way, that is told first, and it is asked again."""
        self._writer.write(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))
        await self._writer.drain()
        pixels = bytearray(4 * self.width * self.height)
        while True:
            kind = (await self._reader.readexactly(1))[0]
            if kind != 0:
                await self._pass_over(kind)
                continue
            count = struct.unpack(">xH", await self._reader.readexactly(3))[0]
            resized = False
            for _ in range(count):
                resized = await self._rectangle(pixels) or resized
            if not resized:
                return Picture(self.width, self.height, bytes(pixels))
            return await self._picture()

    async def _rectangle(self, pixels: bytearray) -> bool:
        """Take one in; True where it only tells of a new size."""
        left, top, width, height, form = struct.unpack(">HHHHi", await self._reader.readexactly(12))
        if form == _SIZE:
            self.width, self.height = width, height
            return True
        data = await self._reader.readexactly(4 * width * height)
        if left + width <= self.width and top + height <= self.height:
            for row in range(height):
                place = 4 * ((top + row) * self.width + left)
                pixels[place : place + 4 * width] = data[4 * row * width : 4 * (row + 1) * width]
        return False

    async def _pass_over(self, kind: int) -> None:
        """Messages that say nothing about the picture: colours, a bell, a clipboard."""
        if kind == 1:
            count = struct.unpack(">xHH", await self._reader.readexactly(5))[1]
            await self._reader.readexactly(6 * count)
        elif kind == 3:
            length = struct.unpack(">xxxI", await self._reader.readexactly(7))[0]
            await self._reader.readexactly(length)
        elif kind != 2:
            raise BoxwrightError("The machine's screen cannot be read.", why=f"It sent a message {kind}.")

    async def close(self) -> None:
        self._writer.close()
