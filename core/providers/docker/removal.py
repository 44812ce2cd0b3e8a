"""Removing things that may be gone already, or that somebody still needs: both are no error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.providers.docker.daemon import Daemon
from core.providers.docker.troubles import DockerError

_SLOW = 120.0

_FINE = (404, 409)
"""Of HTTP: not there, and needed by somebody."""


async def remove_image(daemon: Daemon, reference: str, *, force: bool = True) -> None:
    await _remove(daemon, f"/images/{reference}", {"force": force})


async def remove_volume(daemon: Daemon, name: str) -> None:
    await _remove(daemon, f"/volumes/{name}")


async def _remove(daemon: Daemon, path: str, query: Mapping[str, Any] | None = None) -> None:
    try:
        await daemon.ask("DELETE", path, query=query, timeout=_SLOW)
    except DockerError as error:
        if error.status not in _FINE:
            raise
