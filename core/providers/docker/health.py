"""Waiting for what an image's own health check says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core.errors import ProviderError
from core.model.work import Work
from core.providers.docker import containers
from core.providers.docker.daemon import Daemon


async def wait(daemon: Daemon, container: str, seconds: float, news: asyncio.Event, work: Work) -> None:
    """Until the container is healthy; at once where its image has no health check, or ``seconds`` is 0.

    ``news`` is set by each event of the container. Raises ProviderError where it turns out ill, or stays
    undecided. One that ends meanwhile is left to whoever waits for its guest.
    """
    if not seconds:
        return
    try:
        async with asyncio.timeout(seconds):
            while True:
                news.clear()
                state = (await containers.inspect(daemon, container)).get("State") or {}
                status = (state.get("Health") or {}).get("Status", "none")
                if status == "unhealthy":
                    raise _ill("It is unhealthy.", state)
                if status in ("none", "healthy") or not state.get("Running"):
                    return
                work.note(f"health: {status}")
                await news.wait()
    except TimeoutError:
        state = (await containers.inspect(daemon, container)).get("State") or {}
        raise _ill(f"Its health check did not decide within {seconds:g} s.", state) from None


def _ill(why: str, state: Mapping[str, Any]) -> ProviderError:
    said = [entry.get("Output", "") for entry in (state.get("Health") or {}).get("Log") or []]
    lines = tuple(said[-1].strip().splitlines()[-5:]) if said else ()
    return ProviderError(
        "The container does not become healthy.",
        why=why,
        remedy="look at what its health check said; 'health_timeout' says how long to wait, 0 not to",
        tail=lines,
    )
