"""The null source: no image; steps run in a guest that is there already, or on the host alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.builds.artifact import Artifact
from core.builds.communicator import Communicator, connect
from core.builds.scene import Scene
from core.builds.settings import decode
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class NullSettings(Communicator, frozen=True, kw_only=True):
    """Only how the guest is reached."""


class NullSource:
    kind: ClassVar[str] = "null"

    def check(self, settings: Settings, scene: Scene) -> None:
        decode(settings, NullSettings, 'source "null"').check(needs_host=True)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str]:
        return {}

    def workshop(self, settings: Settings, scene: Scene) -> NullWorkshop:
        return NullWorkshop(decode(settings, NullSettings, 'source "null"'), scene)


class NullWorkshop:
    def __init__(self, settings: NullSettings, scene: Scene) -> None:
        self.guest: Guest | None = None
        self._settings = settings
        self._scene = scene

    async def open(self, layer: Path | None, work: Work) -> None:
        self._scene.facts["ID"] = "Null"
        given = self._settings
        if given.communicator != "none":
            self.guest = await connect(given, given.named_host, given.login_port, self._scene, work)

    async def keep(self, folder: Path, place: Path, work: Work) -> bool:
        return False

    async def finish(self, work: Work) -> Artifact:
        return Artifact(maker="fnoeding.null", id="Null", text="nothing was exported")

    async def leave(self) -> bool:
        return False

    async def close(self) -> None:
        if self.guest is not None:
            await self.guest.close()
            self.guest = None
