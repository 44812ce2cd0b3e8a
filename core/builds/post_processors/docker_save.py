"""Writes an image into a file, as ``docker load`` takes it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.archive import save
from core.builds.docker.image_artifact import image_of, temporary
from core.builds.docker.settings import DaemonSettings
from core.builds.output import claim, refuse_existing
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import ConfigError
from core.model.work import Work
from core.templates.model import Settings


class SaveSettings(DaemonSettings, frozen=True, kw_only=True):
    path: str = ""


class DockerSavePostProcessor:
    kind: ClassVar[str] = "docker-save"

    def check(self, settings: Settings, scene: Scene) -> None:
        if not _read(settings).path:
            raise ConfigError('The post-processor "docker-save" needs "path".')

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        refuse_existing(scene.path(_read(settings).path), force=scene.force)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        target = scene.path(_read(settings).path)
        daemon, image, names = image_of(artifact, self.kind)
        asked = next((name for name in names if not temporary(name)), image)
        async with claim(target, scene, work) as beside:
            await save(daemon, asked, beside, work)
        # Packer hands the image on; here the file goes with it, for whatever wants files.
        made = msgspec.structs.replace(
            artifact, files=(str(target),), text=f"saved to {target}", remove_elsewhere=None
        )
        return Outcome(artifact=made, keep=True)


def _read(settings: Settings) -> SaveSettings:
    return decode(settings, SaveSettings, 'post-processor "docker-save"')
