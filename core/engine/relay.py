"""Bare bytes between a serial console and a stream."""

from __future__ import annotations

import asyncio

from core.providers.base import Console


async def relay(console: Console, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Both ways until one side ends. Closes neither."""

    async def outwards() -> None:
        while data := await console.read():
            writer.write(data)
            await writer.drain()

    async def inwards() -> None:
        while data := await reader.read(65536):
            await console.write(data)

    ways = [asyncio.create_task(outwards()), asyncio.create_task(inwards())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
