"""The null source: no image; steps run in a guest that is there already, or on the host alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from core.builds.artifact import Artifact
from core.builds.communicator import Communicator, connect, connect_winrm
from core.builds.scene import Scene
from core.builds.settings import decode
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class NullSettings(Communicator, frozen=True, kw_only=True):
    """Only how the guest is reached."""

    takes_winrm = True


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
        if self._settings.communicator == "winrm":
            host = self._settings.winrm_host
            self.guest = await connect_winrm(self._settings, host, self._scene, work)
        elif self._settings.communicator != "none":
            port = self._settings.ssh_port
            host = self._settings.ssh_host
            self.guest = await connect(self._settings, host, port, self._scene, work)

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
