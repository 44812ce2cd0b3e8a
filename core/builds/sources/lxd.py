"""The source "lxd": a container of LXD or Incus that is provisioned, and the image that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.artifact import Artifact
from core.builds.fingerprint import bootstrap_fingerprint
from core.builds.lxd import images
from core.builds.lxd.alias import alias_of, refuse_taken
from core.builds.lxd.settings import read
from core.builds.lxd.workshop import LxdWorkshop
from core.builds.scene import Scene
from core.model.work import Work
from core.providers.lxd.connection import Connection
from core.templates.model import Settings

_DECIDES = ("launch_config", "profile", "pool", "network")
"""Settings that decide what a step finds; the others only say what is made at the end."""


class LxdSource:
    """Implements :class:`core.builds.base.Source`, ``Fetching``, ``Replacing`` and ``Keeping``."""

    kind: ClassVar[str] = "lxd"

    def check(self, settings: Settings, scene: Scene) -> None:
        read(settings).check()

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = read(settings)
        if given.skip_publish:
            return
        connection = Connection(given.place)
        await refuse_taken(connection, alias_of(given, scene))

    async def fetch(self, settings: Settings, scene: Scene, work: Work) -> None:
        given = read(settings)
        connection = Connection(given.place)
        await images.forget_lost_layers(connection, scene)
        if given.declared is None:
            scene.facts["SourceImage"] = await images.fetch(connection, given.image, work)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        given = read(settings)
        source = given.declared
        found = {f'"{name}"': repr(getattr(given, name)) for name in _DECIDES}
        found["the server"] = str(given.place)
        found["the image"] = bootstrap_fingerprint(source) if source else scene.facts["SourceImage"]
        return found

    def keeps(self, artifact: Artifact) -> bool:
        return images.is_image(artifact)

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        return await images.remains(artifact)

    def workshop(self, settings: Settings, scene: Scene) -> LxdWorkshop:
        return LxdWorkshop(read(settings), scene)
