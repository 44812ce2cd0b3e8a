"""The shell-local provisioner: scripts on this computer, between steps in the guest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from core.builds.local_scripts import LocalSettings, run_local
from core.builds.provisioners import scripts
from core.builds.scene import Scene
from core.builds.settings import decode
from core.guests.base import Guest
from core.model.work import Work
from core.templates.model import Settings


class ShellLocalProvisioner:
    kind: ClassVar[str] = "shell-local"

    def check(self, settings: Settings, scene: Scene) -> None:
        scripts.check(_read(settings), self.kind, scene)

    def facts(self, settings: Settings, scene: Scene) -> Mapping[str, str] | None:
        return None

    async def run(self, settings: Settings, guest: Guest | None, scene: Scene, work: Work) -> None:
        await run_local(_read(settings), scene, {}, work)


def _read(settings: Settings) -> LocalSettings:
    return decode(settings, LocalSettings, 'provisioner "shell-local"')
