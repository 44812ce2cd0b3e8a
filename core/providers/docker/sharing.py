"""Things that several machines share, one change at a time: networks, images of boxes, volumes."""

from __future__ import annotations

import asyncio
from collections import defaultdict


class Locks:
    """A lock for each thing, by name."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, name: str) -> asyncio.Lock:
        return self._locks[name]
