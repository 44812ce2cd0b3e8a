"""The source "docker": a container that is provisioned, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.artifact import Artifact
from core.builds.docker import base_image
from core.builds.docker.image_artifact import is_image, remains
from core.builds.docker.run_command import container
from core.builds.docker.settings import read
from core.builds.docker.workshop import DockerWorkshop
from core.builds.fingerprint import bootstrap_fingerprint
from core.builds.output import refuse_existing
from core.builds.scene import Scene
from core.errors import NotFoundError
from core.model.work import Work
from core.providers.docker.daemon import Daemon
from core.templates.model import Settings

_DECIDES = (
    "run_command", "volumes", "privileged", "cap_add", "cap_drop", "device", "tmpfs", "runtime", "platform",
    "exec_user",
)  # fmt: skip
"""Settings that decide what a step finds; the others only say what is made at the end."""


class DockerSource:
    """Implements :class:`core.builds.base.Source`, ``Fetching``, ``Replacing`` and ``Keeping``."""

    kind: ClassVar[str] = "docker"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        given.check()
        image = given.image or "image"
        container([scene.render(word, Image=image) for word in given.run_command], image)
        for here in given.volumes:
            if not scene.path(here).exists():
                raise NotFoundError(f"There is no {scene.path(here)}.", why='"volumes" names it.')

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        if given.export_path:
            refuse_existing(scene.path(given.export_path), force=scene.force)

    async def fetch(self, settings: Settings, scene: Scene, work: Work) -> None:
        given = read(settings)
        daemon = Daemon(given.address)
        await base_image.forget_lost_layers(daemon, scene)
        if given.declared is None:
            scene.facts["SourceImage"] = await base_image.fetch(daemon, given, work)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        given = read(settings)
        source = given.declared
        found = {f'"{name}"': repr(getattr(given, name)) for name in _DECIDES}
        found["the daemon"] = str(given.address)
        found["the image"] = bootstrap_fingerprint(source) if source else scene.facts["SourceImage"]
        return found

    def keeps(self, artifact: Artifact) -> bool:
        return is_image(artifact)

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        return await remains(artifact)

    def workshop(self, settings: Settings, scene: Scene) -> DockerWorkshop:
        return DockerWorkshop(read(settings), scene)
