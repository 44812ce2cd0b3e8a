"""Gives an image another name."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.image_artifact import TAG, image_artifact, image_of, temporary
from core.builds.docker.naming import naming, refuse_taken
from core.builds.docker.settings import DaemonSettings
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import ConfigError
from core.model.work import Work
from core.providers.docker.daemon import Daemon
from core.providers.docker.removal import remove_image
from core.templates.model import Settings


class TagSettings(DaemonSettings, frozen=True, kw_only=True):
    repository: str = ""
    tag: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    force: bool = False
    """Take the names from the images that have them, as ``boxwright build --force`` does."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.repository}:{tag}" for tag in (*self.tag, *self.tags) or ("latest",))


class DockerTagPostProcessor:
    kind: ClassVar[str] = "docker-tag"

    def check(self, settings: Settings, scene: Scene) -> None:
        if not _read(settings).repository:
            raise ConfigError('The post-processor "docker-tag" needs "repository".')

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.force:
            await refuse_taken(Daemon(given.address), given.names)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        daemon, image, before = image_of(artifact, self.kind)
        for name in given.names:
            async with naming(daemon, name, scene, work, image=image, force=given.force):
                repository, _, tag = name.rpartition(":")
                await daemon.ask("POST", f"/images/{image}/tag", query={"repo": repository, "tag": tag})
        for name in before:
            if temporary(name):
                # It has a name of its own now.
                await remove_image(daemon, name)
        made = image_artifact(
            daemon,
            TAG,
            given.names[-1],
            given.names,
            architecture=artifact.facts["architecture"],
            image=image,
        )
        # As in Packer the image that came in stays: it is the same one.
        return Outcome(
            artifact=msgspec.structs.replace(made, remove_elsewhere=None), keep=True, must_keep=True
        )


def _read(settings: Settings) -> TagSettings:
    return decode(settings, TagSettings, 'post-processor "docker-tag"')
