"""A Work for what is cleared up when nobody looks any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.model.work import Intent, Work


class Silence:
    """Hears everything and says nothing; what is promised to it is kept by whoever cleans up."""

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[Work]:
        yield self

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None: ...

    def note(self, text: str) -> None: ...

    def write(self, data: bytes) -> None: ...

    def cached(self, why: str = "") -> None: ...

    def skipped(self, why: str) -> None: ...

    def intend(self, kind: str, **facts: Any) -> Intent:
        return _Settled()

    def commit(self) -> None: ...


class _Settled:
    def settle(self) -> None: ...
