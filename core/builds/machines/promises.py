"""What a provider promised to take back while it made a machine, to be settled together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.model.work import Intent, Work


class Promises:
    """Those of one machine."""

    def __init__(self) -> None:
        self._made: list[Intent] = []

    def collecting(self, work: Work) -> Work:
        """A Work like ``work`` whose promises are known here."""
        return _Collecting(work, self._made)

    def settle(self) -> None:
        while self._made:
            self._made.pop().settle()


class _Collecting:
    def __init__(self, work: Work, made: list[Intent]) -> None:
        self._work = work
        self._made = made
        self.progress = work.progress
        self.note = work.note
        self.write = work.write
        self.cached = work.cached
        self.skipped = work.skipped

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[Work]:
        async with self._work.step(name, detail=detail) as inner:
            yield _Collecting(inner, self._made)

    def intend(self, kind: str, **facts: Any) -> Intent:
        self._made.append(self._work.intend(kind, **facts))
        return self._made[-1]

    def commit(self) -> None:
        """Nothing: whether the machine stays is decided at the build's end."""
