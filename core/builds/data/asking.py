"""Asks sources of data for whoever reads a template."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from core.builds.data import amazon, http
from core.model.work import Work

Find = Callable[[Mapping[str, Any], Mapping[str, str]], Awaitable[dict[str, Any]]]
"""What one finds, by its settings and the environment of whoever asks. Raises BoxwrightError."""

FIND: Mapping[str, Find] = {
    "http": http.find,
    "amazon-ami": amazon.find_image,
    "amazon-secretsmanager": amazon.find_secret,
}


def ask_now(environment: Mapping[str, str]) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Who asks where nothing else runs."""

    def ask(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        async def found() -> dict[str, Any]:
            return await FIND[kind](settings, environment)

        return asyncio.run(found())

    return ask


class AskedInBuild(AbstractAsyncContextManager["AskedInBuild"]):
    """Asks on the event loop, each as a step of the build, while a thread reads the template and waits.

    At the end of the block whatever is still asked for is given up.
    """

    def __init__(self, work: Work, environment: Mapping[str, str]) -> None:
        self._work = work
        self._environment = environment
        self._loop = asyncio.get_running_loop()
        self._open: set[asyncio.Task[Any]] = set()
        self._over = False

    def __call__(self, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        return asyncio.run_coroutine_threadsafe(self._find(kind, settings), self._loop).result()

    async def _find(self, kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        if self._over:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            async with self._work.step(f"Data: {kind}"):
                return await FIND[kind](settings, self._environment)
        finally:
            self._open.discard(task)

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)
