"""Names other files as the artifact that the rest of the chain works on."""

from __future__ import annotations

import glob
from typing import ClassVar

from core import amounts
from core.builds.artifact import Artifact, Outcome
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import ConfigError, NotFoundError
from core.model.work import Work
from core.templates.model import Settings


class ArtificeSettings(Table, frozen=True, kw_only=True):
    files: tuple[str, ...] = ()


class ArtificePostProcessor:
    kind: ClassVar[str] = "artifice"

    def check(self, settings: Settings, scene: Scene) -> None:
        if not decode(settings, ArtificeSettings, 'post-processor "artifice"').files:
            raise ConfigError('The post-processor "artifice" needs "files", the files that it names.')

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = decode(settings, ArtificeSettings, 'post-processor "artifice"')
        found: list[str] = []
        for text in given.files:
            matches = sorted(glob.glob(str(scene.path(text))))  # noqa: PTH207
            if not matches:
                raise NotFoundError(f"There is no {scene.path(text)}.", why='"artifice" names it.')
            found += matches
        made = Artifact(
            maker="packer.post-processor.artifice", files=tuple(found), text=amounts.count(len(found), "file")
        )
        return Outcome(artifact=made)
