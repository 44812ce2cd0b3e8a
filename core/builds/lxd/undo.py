"""Takes back what builds make at a server of LXD or Incus: all of it bears a mark that was noted before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.builds import elsewhere
from core.model.work import UndoTable

if TYPE_CHECKING:
    from core.providers.lxd.connection import Connection

CONTAINER = "build.lxd-container"
"""Kind of intent: the container ``name`` in the ``project`` of the ``server``, with the ``mark``."""

IMAGE = "build.lxd-image"
"""Kind of intent: the image with the ``mark``, which is made of the container ``name`` ("" for none). It
stays where it belongs to the layer ``layer`` in the folder ``layers`` and that exists."""

MARK = "user.boxwright.build"
"""Key of containers, and property of images."""


async def remove_container(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`CONTAINER`; one of that name without the mark is somebody else's. Raises LxdError."""
    connection = _connection(facts)
    await _idle(connection, facts["name"])
    await remove_instance(connection, facts["name"], facts["mark"])


async def remove_image(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`IMAGE`. Raises LxdError."""
    layer, layers = facts.get("layer", ""), Path(facts.get("layers", ""))
    if layer and (layers / layer / "layer.json").exists():
        return
    connection = _connection(facts)
    if facts["name"]:
        await _idle(connection, facts["name"])
    await remove_images(connection, facts["mark"])
    if layer:
        elsewhere.forget(layers, layer)


async def remove_instance(connection: Connection, name: str, mark: str) -> None:
    """End and delete it, whatever it does. Raises LxdError."""
    import msgspec

    from core.providers.lxd import instances
    from core.providers.lxd.instances import Row

    found = await connection.find(f"/1.0/instances/{name}")
    if found is None or (found.get("config") or {}).get(MARK) != mark:
        return
    row = msgspec.convert(found, Row)
    await instances.end(connection, row)
    await instances.delete(connection, row)


async def remove_images(connection: Connection, mark: str) -> None:
    """Those with the mark. Raises LxdError."""
    from core.providers.lxd.images import remove_image

    for image in await connection.ask("GET", "/1.0/images", query={"recursion": 1}) or ():
        if (image.get("properties") or {}).get(MARK) == mark:
            await remove_image(connection, image["fingerprint"])


def _connection(facts: Mapping[str, Any]) -> Connection:
    from core.providers.lxd.connection import Connection
    from core.providers.lxd.place import Place

    return Connection(Place(facts["server"], facts["project"]))


async def _idle(connection: Connection, name: str) -> None:
    """Wait until the server is through with what somebody asked of it who is dead now."""
    from core.providers.lxd.context import LAST_WORDS, UNDO_PATIENCE
    from core.providers.lxd.instances import under_way

    loop = asyncio.get_running_loop()
    deadline = loop.time() + UNDO_PATIENCE
    await asyncio.sleep(LAST_WORDS)
    while await under_way(connection, name):
        if loop.time() > deadline:
            return
        await asyncio.sleep(0.1)


UNDO: UndoTable = {CONTAINER: remove_container, IMAGE: remove_image}
