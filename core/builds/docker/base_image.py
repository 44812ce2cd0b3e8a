"""What a container is made from: an image that is there, one that is pulled, or one made from packages."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from core.builds import elsewhere
from core.builds.bootstrap import bootstrap_root
from core.builds.docker.settings import DockerSettings
from core.builds.docker.undo import IMAGE
from core.builds.layers import LayerStore
from core.builds.scene import Scene
from core.errors import ProviderError
from core.model.project import Bootstrap
from core.model.work import Intent, Work
from core.providers.docker import box_image, images, pulling
from core.providers.docker.daemon import Daemon
from core.providers.docker.images import Image
from core.providers.docker.troubles import DockerError

LAYERS = "boxwright/layer"
"""Repository of the images that are layers; their tags are the ids of the layers."""

BUILDS = "boxwright/build"
"""Repository of what builds are making, and of what they made and nobody gave another name."""


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The image of a container, and what the first one of them said about the program that is to run."""

    reference: str
    runs: dict[str, Any]
    architecture: str


async def fetch(daemon: Daemon, given: DockerSettings, work: Work) -> str:
    """Have the image at the daemon; returns its id. Raises BoxwrightError."""
    if given.pull:
        try:
            await pulling.pull(daemon, given.image, given.platform, work, given.header)
        except DockerError as error:
            if await images.exists(daemon, given.image):
                error.problem = msgspec.structs.replace(
                    error.problem, remedy="pull = false   (takes the image that is there)"
                )
            raise
    found = await images.identity(daemon, given.image)
    if not found:
        raise ProviderError(
            f"The image {given.image} is missing.",
            why="It is not at the daemon, and 'pull' says no.",
            remedy=f"docker pull {given.image}, or remove 'pull'",
        )
    return found


async def forget_lost_layers(daemon: Daemon, scene: Scene) -> None:
    """Somebody else may have removed images of layers: those layers are none any more."""
    filters = {"reference": [f"{LAYERS}:*"]}
    found = await daemon.ask("GET", "/images/json", query={"filters": filters}) or []
    there = {tag for image in found for tag in image.get("RepoTags") or []}
    store = LayerStore(scene.locations.layers)
    for layer in store.list():
        beyond = elsewhere.of_layer(store.folder, layer.id)
        if beyond is None or beyond.kind != IMAGE or beyond.facts["address"] != str(daemon.address):
            continue
        if beyond.facts["image"] not in there and store.remove(layer.id):
            elsewhere.forget(store.folder, layer.id)


async def make(
    daemon: Daemon, source: Bootstrap, name: str, scene: Scene, work: Work
) -> tuple[Image, Intent]:
    """The image ``name`` from a distribution's packages, and the promise to remove it."""
    root = await bootstrap_root(source, folder=scene.folder, work=work)
    intent = work.intend(IMAGE, address=str(daemon.address), image=name, began=time.time())
    async with work.step("Import the file system") as step:
        await box_image.import_archive(daemon, root, name, (), step)
    root.unlink()
    return await images.look(daemon, name), intent
