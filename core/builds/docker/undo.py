"""Takes back what builds make at a Docker daemon. Everything has a name that was written down before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.builds import elsewhere
from core.model.work import UndoTable

CONTAINER = "build.container"
"""Kind of intent: the container ``name`` at the daemon ``address``, asked for at the time ``began``."""

IMAGE = "build.image"
"""Kind of intent: the image ``image`` at the daemon ``address``, asked for at the time ``began``; it stays
where it belongs to the layer ``layer`` in the folder ``layers`` and that exists. ``container``: of which it
is made, "" for none."""


async def remove_container(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`CONTAINER`. Raises DockerError."""
    from core.providers.docker import containers
    from core.providers.docker.address import parse
    from core.providers.docker.daemon import Daemon
    from core.providers.docker.late import appears
    from core.providers.docker.troubles import DockerError, is_gone

    daemon = Daemon(parse(facts["address"]))

    async def there() -> bool:
        try:
            await containers.inspect(daemon, facts["name"])
        except DockerError as error:
            if not is_gone(error):
                raise
            return False
        return True

    await appears(there, facts["began"])
    await containers.goes_on(daemon, facts["name"])
    await containers.remove(daemon, facts["name"], with_volumes=True)


async def remove_image(facts: Mapping[str, Any]) -> None:
    """Undo of :data:`IMAGE`. Raises DockerError."""
    from core.providers.docker import containers, images, removal
    from core.providers.docker.address import parse
    from core.providers.docker.daemon import Daemon
    from core.providers.docker.late import appears

    layer, layers = facts.get("layer", ""), Path(facts.get("layers", ""))
    if layer and (layers / layer / "layer.json").exists():
        return
    daemon = Daemon(parse(facts["address"]))
    # A daemon goes on with what somebody has asked for who is dead now, and may only just begin with it.
    await appears(lambda: images.exists(daemon, facts["image"]), facts["began"])
    if facts.get("container"):
        await containers.goes_on(daemon, facts["container"])
    await removal.remove_image(daemon, facts["image"])
    if layer:
        elsewhere.forget(layers, layer)


UNDO: UndoTable = {CONTAINER: remove_container, IMAGE: remove_image}
