"""Cancelling a coroutine at each of its suspension points in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Interrupted(Generic[T]):
    """Awaits a coroutine, and at its ``point``-th suspension calls ``act`` (by default: cancels the task).

    ``reached`` tells whether there was such a point.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, T], point: int, act: Callable[[], object] | None = None
    ) -> None:
        self._coroutine = coroutine
        self._point = point
        self._act = act
        self.reached = False

    def __await__(self) -> Generator[Any, Any, T]:
        count = 0
        error: BaseException | None = None
        while True:
            try:
                waited = self._coroutine.throw(error) if error else self._coroutine.send(None)
            except StopIteration as stop:
                result: T = stop.value
                return result
            error = None
            count += 1
            if count == self._point:
                self.reached = True
                self._interrupt()
            try:
                yield waited
            except BaseException as thrown:
                error = thrown

    def _interrupt(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        act = self._act or task.cancel
        asyncio.get_running_loop().call_soon(act)
