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


async def call_at(point: int, act: Callable[[], object], coroutine: Coroutine[Any, Any, T]) -> T:
    """Await ``coroutine``, and call ``act`` at the ``point``-th suspension counted over all tasks.

    Those that the coroutine starts count too, whether it waits for them or not.
    """
    left = point

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()

    def factory(loop: asyncio.AbstractEventLoop, started: Any, **kwargs: Any) -> asyncio.Task[Any]:
        return asyncio.Task(_counted(started, count), loop=loop, **kwargs)

    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        return await loop.create_task(coroutine)
    finally:
        loop.set_task_factory(None)


async def _counted(coroutine: Coroutine[Any, Any, T], count: Callable[[], None]) -> T:
    return await _Counted(coroutine, count)


class _Counted(Generic[T]):
    def __init__(self, coroutine: Coroutine[Any, Any, T], count: Callable[[], None]) -> None:
        self._coroutine = coroutine
        self._count = count

    def __await__(self) -> Generator[Any, Any, T]:
        error: BaseException | None = None
        while True:
            try:
                waited = self._coroutine.throw(error) if error else self._coroutine.send(None)
            except StopIteration as stop:
                result: T = stop.value
                return result
            error = None
            self._count()
            try:
                yield waited
            except BaseException as thrown:
                error = thrown
