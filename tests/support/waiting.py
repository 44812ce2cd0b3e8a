"""Waiting for what tells nobody that it has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(happened: Callable[[], object], seconds: float = 60.0, *, pause: float = 0.002) -> None:
    """Look again and again, every ``pause`` seconds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - a test looks in from outside
            await asyncio.sleep(pause)
