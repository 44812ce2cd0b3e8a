"""Moments in the middle of an action, as events: the same ones on a quick machine and on a busy one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

SOON = 60.0
"""Seconds within which such a moment comes."""


def answered(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, fits: Callable[..., bool]
) -> asyncio.Event:
    """Set once a call of the coroutine ``method`` of ``owner`` with fitting arguments has ended or failed."""
    came = asyncio.Event()
    really = getattr(owner, method)

    async def observed(self: object, *arguments: Any, **rest: Any) -> Any:
        try:
            return await really(self, *arguments, **rest)
        finally:
            if fits(*arguments):
                came.set()

    monkeypatch.setattr(owner, method, observed)
    return came


def under_way(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, name: str) -> asyncio.Event:
    """Set once a thread has begun with the function ``name``, which ``method`` of ``owner`` was handed."""
    came = asyncio.Event()
    loop = asyncio.get_running_loop()
    really = getattr(owner, method)

    async def observed(self: object, function: Callable[..., Any], *arguments: Any, **rest: Any) -> Any:
        def begun(*given: Any) -> Any:
            if function.__name__ == name:
                loop.call_soon_threadsafe(came.set)
            return function(*given)

        return await really(self, begun, *arguments, **rest)

    monkeypatch.setattr(owner, method, observed)
    return came


async def reach(came: asyncio.Event, doing: asyncio.Future[Any]) -> None:
    """Wait for the moment in what is being done, or for the end of that, should it fail before."""
    waiting = asyncio.ensure_future(came.wait())
    try:
        async with asyncio.timeout(SOON):
            await asyncio.wait([waiting, doing], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    assert came.is_set(), f"it ended before: {doing!r}"
