"""The screen and keyboard of a machine, by VNC (RFB 3.8) over a private Unix socket."""

from __future__ import annotations

import asyncio
import struct
import zlib
from pathlib import Path

import msgspec

from core.errors import BoxwrightError

_SECONDS = 30.0
_TRUE_COLOUR = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
"""Four bytes a pixel: blue, green, red and one that says nothing."""


class Picture(msgspec.Struct, frozen=True):
    """``pixels``: three bytes each (red, green, blue), line by line."""

    width: int
    height: int
    pixels: bytes

    def png(self) -> bytes:
        """As a PNG file."""
        stride = self.width * 3
        lines = b"".join(
            b"\0" + self.pixels[start : start + stride] for start in range(0, len(self.pixels), stride)
        )
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(kind, data)
            for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


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

    async def picture(self) -> Picture:
        """The screen as it is now."""
        async with asyncio.timeout(_SECONDS):
            for _ in range(3):
                size = (self.width, self.height)
                self._writer.write(struct.pack(">BBHHHH", 3, 0, 0, 0, *size))
                await self._writer.drain()
                pixels = await self._update(*size)
                if (self.width, self.height) == size and pixels is not None:
                    return Picture(*size, pixels)
        raise BoxwrightError("The machine's screen changes its size all the time.")

    async def _update(self, width: int, height: int) -> bytes | None:
        """None where the size changed meanwhile."""
        canvas = bytearray(width * height * 4)
        while True:
            kind = (await self._reader.readexactly(1))[0]
            if kind == 0:
                break
            await self._skip(kind)
        count = struct.unpack(">xH", await self._reader.readexactly(3))[0]
        whole = True
        for _ in range(count):
            x, y, wide, high, encoding = struct.unpack(">HHHHi", await self._reader.readexactly(12))
            if encoding == -223:
                self.width, self.height = wide, high
                whole = False
                continue
            data = await self._reader.readexactly(wide * high * 4)
            for line in range(high):
                start = ((y + line) * width + x) * 4
                if start + wide * 4 <= len(canvas):
                    canvas[start : start + wide * 4] = data[line * wide * 4 : (line + 1) * wide * 4]
        return _rgb(canvas) if whole else None

    async def _skip(self, kind: int) -> None:
        """Messages that are of no interest: colour maps, the bell, what was cut."""
        if kind == 1:
            _, count = struct.unpack(">xHH", await self._reader.readexactly(5))
            await self._reader.readexactly(count * 6)
        elif kind == 3:
            length = struct.unpack(">xxxI", await self._reader.readexactly(7))[0]
            await self._reader.readexactly(length)

    async def close(self) -> None:
        self._writer.close()


def _rgb(canvas: bytearray) -> bytes:
    pixels = bytearray(len(canvas) // 4 * 3)
    pixels[0::3], pixels[1::3], pixels[2::3] = canvas[2::4], canvas[1::4], canvas[0::4]
    return bytes(pixels)
