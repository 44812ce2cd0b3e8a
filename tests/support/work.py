"""A Work for tests: remembers what was said, and undoes on failure as the engine does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from core.model.work import UndoTable
from core.undo import SHARED


class RecordedIntent:
    def __init__(self, kind: str, facts: Mapping[str, Any]) -> None:
        self.kind = kind
        self.facts = dict(facts)
        self.settled = False

    def settle(self) -> None:
        self.settled = True


class RecordingWork:
    """The top of a tree; ``step`` gives children of the same class.

    ``output`` collects what all steps wrote; ``states`` maps step names to how they ended.
    """

    def __init__(
        self, undo: UndoTable | None = None, *, _top: RecordingWork | None = None, name: str = ""
    ) -> None:
        self.top = _top or self
        self.name = name
        if _top is None:
            self.undo_table: UndoTable = {**SHARED, **(undo or {})}
            self.intents: list[RecordedIntent] = []
            self.states: dict[str, str] = {}
            self.notes: list[str] = []
            self.progresses: list[tuple[float, float | None, str]] = []
            self.buffer = bytearray()

    @property
    def output(self) -> bytes:
        return bytes(self.top.buffer)

    @asynccontextmanager
    async def step(self, name: str, *, detail: str = "") -> AsyncIterator[RecordingWork]:
        self.top.states[name] = "running"
        try:
            yield RecordingWork(_top=self.top, name=name)
        except BaseException:
            self.top.states[name] = "failed"
            raise
        if self.top.states[name] == "running":
            self.top.states[name] = "done"

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None:
        self.top.progresses.append((current, total, unit))

    def note(self, text: str) -> None:
        self.top.notes.append(text)

    def write(self, data: bytes) -> None:
        self.top.buffer += data

    def cached(self, why: str = "") -> None:
        self.top.states[self.name] = "cached"

    def skipped(self, why: str) -> None:
        self.top.states[self.name] = "skipped"

    def intend(self, kind: str, **facts: Any) -> RecordedIntent:
        assert kind in self.top.undo_table, f"nobody can undo {kind!r}"
        intent = RecordedIntent(kind, facts)
        self.top.intents.append(intent)
        return intent

    def commit(self) -> None:
        for intent in self.top.intents:
            intent.settle()

    @property
    def unsettled(self) -> list[RecordedIntent]:
        return [intent for intent in self.top.intents if not intent.settled]

    async def undo(self) -> None:
        """What the engine does when the operation fails or the engine was killed."""
        for intent in reversed(self.unsettled):
            await self.top.undo_table[intent.kind](intent.facts)
            intent.settle()
