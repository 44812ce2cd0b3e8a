"""What code that does something is given to say what it is doing.

Providers, boxes, guests, provisioners and builds are handed a :class:`Work`; the engine
implements it. They never import the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol


class Intent(Protocol):
    """A written promise: something is about to exist that the journal knows how to undo."""

    def settle(self) -> None:
        """It is finished and stays (or was removed in the ordinary way): nothing to undo any more."""


class Work(Protocol):
    """One step of an operation, seen from inside.

    ``progress``, ``note`` and ``write`` may be called from any thread; the rest on the event loop.
    """

    def step(self, name: str, *, detail: str = "") -> AbstractAsyncContextManager[Work]:
        """A step below this one.

        It is done when the block ends, failed when the block raises, cancelled when the block
        is cancelled. Sibling steps may run at the same time.
        """

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None:
        """How far this step is; cheap enough to be called for every block of data. 0 of no known total:
        what it does now is not counted."""

    def note(self, text: str) -> None:
        """A short text beside the step's name: replaces the one before."""

    def write(self, data: bytes) -> None:
        """Output of this step, as the program wrote it (colours, carriage returns and all)."""

    def cached(self, why: str = "") -> None:
        """This step had nothing to do, as its result was there already."""

    def skipped(self, why: str) -> None:
        """This step was left out, and why."""

    def intend(self, kind: str, **facts: Any) -> Intent:
        """Write down, durably, before anything is created: what, and the facts to undo it by.

        ``kind`` names an undo function (see :data:`Undo`); ``facts`` are plain JSON data and hold
        no secrets. When the operation fails or is cancelled, intents that are not settled are
        undone, newest first; when the engine dies, the next one does it.
        """

    def commit(self) -> None:
        """Settle all intents so far: what exists now stays, even if the operation fails later."""


Undo = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Removes what an intent stands for. Idempotent; content with things half made or never made."""

UndoTable = Mapping[str, Undo]
"""Undo functions by kind of intent. Kinds are prefixed by their owner: ``qemu.process``."""


class Silence:
    """A Work for what is cleared up when nobody looks any more: hears everything and says nothing; what is
    promised to it is kept by whoever cleans up."""

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
