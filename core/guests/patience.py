"""How long a guest is waited for: until it answers, its machine has ended, or the time is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

Gone = Callable[[], Awaitable[str]]
"""Returns when the machine's process has ended, and only then; the text says how it ended."""


class Closing(Protocol):
    async def close(self) -> None: ...


_Guest = TypeVar("_Guest", bound=Closing)


class NoAnswerError(Exception):
    """The time is over."""


class MachineEndedError(Exception):
    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


async def answered(answer: Coroutine[Any, Any, _Guest], gone: Gone | None, timeout: float | None) -> _Guest:
    """The guest that ``answer`` comes to, and whatever that raises. Raises NoAnswerError after ``timeout``
    seconds, MachineEndedError when ``gone`` returns. A guest that comes too late is closed."""
    waiting = asyncio.create_task(answer)
    leaving = asyncio.create_task(_until(gone)) if gone else None
    tasks: set[asyncio.Task[Any]] = {waiting} if leaving is None else {waiting, leaving}
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if leaving is not None and leaving.done():
            raise MachineEndedError(leaving.result())
        raise NoAnswerError
    finally:
        if leaving is not None:
            leaving.cancel()
        if not waiting.done():
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                late = await waiting
                await late.close()


async def _until(gone: Gone) -> str:
    return await gone()
