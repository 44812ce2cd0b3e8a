"""What a process asked the daemon for right before it died: the daemon may only just be beginning with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

GRACE = 3.0
"""Seconds in which a daemon begins with what it was asked for, however busy the computer is."""

_PAUSE = 0.05


async def appears(look: Callable[[], Awaitable[bool]], began: float) -> bool:
    """Whether ``look`` finds it, at once or by the time that it must have come.

    ``began``: when it was asked for, in Unix time. So whoever undoes it long afterwards waits for nothing.
    """
    now = time.time()
    until = now + min(GRACE, began + GRACE - now)
    while not await look():
        if time.time() >= until:
            return False
        await asyncio.sleep(_PAUSE)
    return True
