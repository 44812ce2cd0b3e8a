"""The name of an image at the server: taken from no other image unasked."""

from __future__ import annotations

from core.builds.lxd.settings import LxdSettings
from core.builds.scene import Scene
from core.errors import UsageError
from core.providers.lxd.connection import Connection, segment
from core.providers.lxd.images import remove_image

_ALIASES = "/1.0/images/aliases"


def alias_of(given: LxdSettings, scene: Scene) -> str:
    return scene.render(given.output_image)


async def refuse_taken(connection: Connection, alias: str) -> None:
    """Raises UsageError where an image has the name."""
    if alias and await connection.find(f"{_ALIASES}/{segment(alias)}") is not None:
        raise UsageError(
            f"The image {alias} is there already at {connection.place}.",
            why="A build does not take the name of an image that an earlier one, or somebody else, made.",
            remedy="boxwright build --force ...   (replaces it)",
        )


async def give(connection: Connection, alias: str, fingerprint: str, *, force: bool) -> None:
    """Name the image, where there is a name for it.

    One that had it, which only ``force`` allows, goes where that was its last. Raises UsageError, LxdError.
    """
    if not alias:
        return
    if not force:
        await refuse_taken(connection, alias)
    path = f"{_ALIASES}/{segment(alias)}"
    before = await connection.find(path)
    if before is None:
        await connection.ask("POST", _ALIASES, body={"name": alias, "target": fingerprint})
        return
    await connection.ask("PUT", path, body={"target": fingerprint, "description": ""})
    old = await connection.find(f"/1.0/images/{before['target']}")
    if old is not None and before["target"] != fingerprint and not old.get("aliases"):
        await remove_image(connection, before["target"])
