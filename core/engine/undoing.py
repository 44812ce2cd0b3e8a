"""Undoing what operations began: the merged table of undo functions, and the intents in the journal."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from core.engine.journal import Journal, StoredIntent
from core.errors import BoxwrightError
from core.model.work import Undo, UndoTable

LIMIT = 300.0
"""Seconds that one undo function may take."""

_LAZY = ("core.boxes", "core.builds", "core.builds.undo", "core.provisioners", "core.guests")
"""Modules that may have a table ``UNDO``; imported when a kind is not found elsewhere."""


class UndoTables:
    """All undo functions by kind. Tables of packages are imported only when one of their kinds is met."""

    def __init__(self, tables: Iterable[UndoTable], lazy: Iterable[str] = _LAZY) -> None:
        self._known: dict[str, Undo] = {}
        for table in tables:
            self._known.update(table)
        self._lazy = list(lazy)

    def find(self, kind: str) -> Undo | None:
        while kind not in self._known and self._lazy:
            module = _import(self._lazy.pop(0))
            if module is not None:
                self._known.update(getattr(module, "UNDO", {}))
        return self._known.get(kind)


def _import(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            return None
        raise


class JournalIntent:
    """Implements :class:`core.model.work.Intent`."""

    def __init__(self, journal: Journal, number: int, kind: str) -> None:
        self._journal = journal
        self._number = number
        self._kind = kind
        self._settled = False

    def settle(self) -> None:
        if not self._settled:
            self._journal.settle((self._number,), self._kind)
            self._settled = True


class Ledger:
    """Intents of operations, written to the journal and undone from it."""

    def __init__(self, journal: Journal, tables: UndoTables, limit: float = LIMIT) -> None:
        self._journal = journal
        self._tables = tables
        self._limit = limit

    def intend(self, operation: str, kind: str, facts: Mapping[str, Any]) -> JournalIntent:
        """Durable on return. Raises ValueError for a kind that nobody could undo."""
        if self._tables.find(kind) is None:
            raise ValueError(f"nobody knows how to undo {kind!r}")
        return JournalIntent(self._journal, self._journal.intend(operation, kind, facts), kind)

    def settle_all(self, operation: str) -> None:
        """What the operation made so far stays."""
        self._journal.settle(tuple(intent.number for intent in self._journal.intents(operation)))

    def unsettled(self, operation: str = "") -> tuple[StoredIntent, ...]:
        """Newest first."""
        return self._journal.intents(operation)

    async def undo(self, intent: StoredIntent) -> str:
        """Undo one intent and settle it. Returns "" or why that failed; the intent then stays."""
        undo = self._tables.find(intent.kind)
        if undo is None:
            trouble = "what made it is not installed any more"
        else:
            try:
                async with asyncio.timeout(self._limit):
                    await undo(intent.facts)
                self._journal.settle((intent.number,), intent.kind)
                return ""
            except TimeoutError:
                trouble = f"no end after {self._limit:.0f} s"
            except Exception as error:
                # An undo function of a plugin may raise anything; the others must still run.
                trouble = str(error) or type(error).__name__
        with contextlib.suppress(BoxwrightError):
            self._journal.trouble(intent.number, trouble)
        return f"{intent.kind}: {trouble}"
