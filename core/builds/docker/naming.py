"""Names that builds give to images: taken from no other image unasked, and gone where the build fails."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core.builds.docker.undo import IMAGE
from core.builds.scene import Scene
from core.errors import UsageError
from core.model.work import Work
from core.providers.docker import images
from core.providers.docker.daemon import Daemon
from core.providers.docker.removal import remove_image


async def refuse_taken(daemon: Daemon, names: Sequence[str]) -> None:
    """Raises UsageError where an image has one of the names."""
    for name in names:
        if await images.identity(daemon, name):
            raise _taken(name)


@asynccontextmanager
async def naming(
    daemon: Daemon, name: str, scene: Scene, work: Work, *, image: str = "", force: bool = False
) -> AsyncIterator[None]:
    """Inside of it ``name`` is given to an image: to ``image``, where that is there already.

    The promise to take the name back stays open until the source is done. One that another image had,
    which only ``force`` allows, is not given back. Raises UsageError, DockerError.
    """
    before = await images.identity(daemon, name)
    if before and before != image and not (force or scene.force):
        raise _taken(name)
    if not before:
        promise = work.intend(IMAGE, address=str(daemon.address), image=name, began=time.time())
        scene.promises.append(promise)
    yield
    if before and before != await images.identity(daemon, name):
        await _forget_nameless(daemon, before)


async def _forget_nameless(daemon: Daemon, image: str) -> None:
    """Nobody asks for an image again that has lost its last name; where a container needs it, it stays."""
    if await images.exists(daemon, image):
        about = await daemon.ask("GET", f"/images/{image}/json")
        if not about.get("RepoTags"):
            await remove_image(daemon, image, force=False)


def _taken(name: str) -> UsageError:
    return UsageError(
        f"The image {name} is there already.",
        why="A build does not take the name of an image that an earlier one, or somebody else, made.",
        remedy="boxwright build --force ...   (replaces it)",
    )
