"""The shell-local post-processor: scripts on this computer that take the artifact further."""

from __future__ import annotations

from typing import ClassVar

from core.builds.artifact import Artifact, Outcome
from core.builds.local_scripts import LocalSettings, run_local
from core.builds.provisioners import scripts
from core.builds.scene import Scene
from core.builds.settings import decode
from core.model.work import Work
from core.templates.model import Settings


class ShellLocalPostProcessor:
    kind: ClassVar[str] = "shell-local"

    def check(self, settings: Settings, scene: Scene) -> None:
        scripts.check(_read(settings), self.kind, scene)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        await run_local(_read(settings), scene, {"PACKER_ARTIFACT": artifact.id}, work)
        return Outcome(artifact=artifact, keep=True, must_keep=True)


def _read(settings: Settings) -> LocalSettings:
    return decode(settings, LocalSettings, 'post-processor "shell-local"')
