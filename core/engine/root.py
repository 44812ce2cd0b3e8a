"""The top of an operation's tree, as its handler sees it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.model.operation import StepState
from core.model.work import Intent, Work

if TYPE_CHECKING:
    from core.engine.operations import RunningOperation
    from core.engine.steps import StepWork


class RootWork:
    """Implements :class:`core.model.work.Work` for the operation itself: its steps stand at the top.

    ``note`` sets the operation's detail; ``cached`` and ``skipped`` say how it ends. What only a
    step can have (progress) goes to a step that is made for it, with the operation's title.
    """

    def __init__(self, run: RunningOperation) -> None:
        self._run = run
        self._own: StepWork | None = None
        self.outcome: StepState | None = None
        self.detail = ""

    @property
    def operation(self) -> str:
        return self._run.id

    def step(self, name: str, *, detail: str = "") -> AbstractAsyncContextManager[Work]:
        return self._step(name, detail)

    @asynccontextmanager
    async def _step(self, name: str, detail: str) -> AsyncIterator[Work]:
        child = self._run.add_step(0, name, detail)
        try:
            yield child
        except BaseException as error:
            child.end_with(error)
            raise
        child.end(StepState.DONE)

    def progress(self, current: float, total: float | None = None, unit: str = "") -> None:
        if self._own is not None:
            self._own.progress(current, total, unit)
        else:
            with contextlib.suppress(RuntimeError):
                self._run.loop.call_soon_threadsafe(self._first_progress, current, total, unit)

    def _first_progress(self, current: float, total: float | None, unit: str) -> None:
        if self._own is None and not self._run.view().state.ended:
            self._own = self._run.add_step(0, self._run.view().title)
        if self._own is not None:
            self._own.progress(current, total, unit)

    def note(self, text: str) -> None:
        self.detail = text
        with contextlib.suppress(RuntimeError):  # The loop has ended: nobody looks any more.
            self._run.loop.call_soon_threadsafe(self._run.describe, text)

    def write(self, data: bytes) -> None:
        self._run.write_log(0, data)

    def cached(self, why: str = "") -> None:
        self.outcome = StepState.CACHED
        self.detail = why or self.detail

    def skipped(self, why: str) -> None:
        self.outcome = StepState.SKIPPED
        self.detail = why

    def intend(self, kind: str, **facts: Any) -> Intent:
        return self._run.intend(kind, facts)

    def commit(self) -> None:
        self._run.commit()
