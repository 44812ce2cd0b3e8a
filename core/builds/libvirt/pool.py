"""Volumes of a storage pool: what a build begins with, and what it leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core.errors import NotFoundError, UsageError
from core.model.work import UndoTable, Work

VOLUME = "build.libvirt-volume"
"""Kind of intent: the volume ``name`` in the ``pool`` of the libvirt at ``uri``."""

_SLOW = 3600.0


@asynccontextmanager
async def opened(uri: str) -> AsyncIterator[Any]:
    """A connection (:class:`core.providers.libvirt.connection.Connection`) for some calls."""
    from core.providers.libvirt.connection import Connection

    connection = Connection(uri, lambda *_: None, lambda: None)
    try:
        yield connection
    finally:
        await connection.close()


async def fetch(uri: str, pool: str, name: str, target: Path, work: Work) -> None:
    """A copy of the volume in the file ``target``. Raises NotFoundError, LibvirtError."""
    from core.providers.libvirt import volumes

    async with opened(uri) as connection:
        if not await connection.run(volumes.path_of, pool, name):
            raise NotFoundError(
                f"There is no volume {name} in the storage pool {pool}.",
                why=f"That is at {uri}.",
                remedy=f"virsh vol-list {pool}",
            )
        async with work.step("Copy the volume", detail=f"{pool}/{name}"):
            await connection.run(volumes.download, pool, name, target, timeout=_SLOW)


async def refuse_taken(uri: str, pool: str, name: str) -> None:
    """Raises UsageError where the pool has a volume of that name."""
    from core.providers.libvirt import volumes

    async with opened(uri) as connection:
        if await connection.run(volumes.path_of, pool, name):
            raise UsageError(
                f"The volume {name} is there already, in the storage pool {pool}.",
                why="A build does not replace a volume that an earlier one, or somebody else, made.",
                remedy="boxwright build --force ...   (replaces it)",
            )


async def store(uri: str, pool: str, name: str, image: Path, size: int, work: Work) -> str:
    """The image (qcow2) as a volume in place of one of that name; returns its path. Raises LibvirtError."""
    from core.providers.libvirt import volumes

    stop = threading.Event()
    length = (await asyncio.to_thread(image.stat)).st_size
    made = volumes.Volume(pool=pool, name=name, capacity=size)
    order = volumes.Upload(
        source=image, volume=made, told=lambda done: work.progress(done, length, "bytes"), stop=stop
    )
    async with opened(uri) as connection:
        await connection.run(volumes.needed_pool, pool, "")
        await connection.run(volumes.remove, pool, name)
        sending = asyncio.ensure_future(connection.run(volumes.upload, order, timeout=_SLOW))
        try:
            path: str = await asyncio.shield(sending)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([sending])
            sending.exception()
            raise
    return path


async def remove_volume(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`VOLUME`. Raises LibvirtError."""
    from core.providers.libvirt import volumes

    async with opened(facts["uri"]) as connection:
        await connection.run(volumes.remove, facts["pool"], facts["name"])


UNDO: UndoTable = {VOLUME: remove_volume}
