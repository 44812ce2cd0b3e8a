"""Sends an image to a registry."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.image_artifact import PUSH, image_of, temporary
from core.builds.docker.settings import LoginSettings
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import BoxwrightError
from core.model.work import Work
from core.providers.docker.pushing import digest_there, push
from core.templates.model import Settings


class PushSettings(LoginSettings, frozen=True, kw_only=True):
    """Only who asks."""


class DockerPushPostProcessor:
    kind: ClassVar[str] = "docker-push"

    def check(self, settings: Settings, scene: Scene) -> None:
        _read(settings).check_login()

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        daemon, _, names = image_of(artifact, self.kind)
        meant = [name for name in names if not temporary(name)]
        if not meant:
            raise BoxwrightError(
                "The image has no name, so no registry is meant.",
                remedy='post-processor "docker-tag" { repository = "registry.example/site" } before it',
            )
        pushed = [f"{name}@{await push(daemon, name, work, given.header)}" for name in meant]
        made = msgspec.structs.replace(
            artifact,
            maker=PUSH,
            id=meant[-1],
            text=f"pushed {', '.join(meant)}",
            facts={**artifact.facts, "pushed": " ".join(pushed)},
            remove_elsewhere=None,
        )
        return Outcome(artifact=made, keep=True)

    def keeps(self, artifact: Artifact) -> bool:
        return artifact.maker == PUSH

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        """At the registry; of the daemon's the source knows."""
        given = _read(settings)
        daemon, _, _ = image_of(artifact, self.kind)
        for one in artifact.facts["pushed"].split():
            name, _, digest = one.partition("@")
            if await digest_there(daemon, name, given.header) != digest:
                return False
        return True


def _read(settings: Settings) -> PushSettings:
    return decode(settings, PushSettings, 'post-processor "docker-push"')
