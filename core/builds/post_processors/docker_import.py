"""Makes an image of a container's files, or of any archive of a root file system."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.image_artifact import IMPORT, image_artifact, is_image, remains
from core.builds.docker.naming import naming, refuse_taken
from core.builds.docker.settings import DaemonSettings, check_changes
from core.builds.scene import Scene
from core.builds.settings import decode
from core.errors import BoxwrightError, ConfigError
from core.model.work import Work
from core.providers.docker import images
from core.providers.docker.box_image import FILES, import_archive
from core.providers.docker.daemon import Daemon
from core.templates.model import Settings

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst")


class ImportSettings(DaemonSettings, frozen=True, kw_only=True):
    repository: str = ""
    tag: str = "latest"
    changes: tuple[str, ...] = ()
    platform: str = ""

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"


class DockerImportPostProcessor:
    kind: ClassVar[str] = "docker-import"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        if not given.repository:
            raise ConfigError('The post-processor "docker-import" needs "repository".')
        check_changes(given.changes)

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        await refuse_taken(Daemon(given.address), (given.name,))

    def keeps(self, artifact: Artifact) -> bool:
        return is_image(artifact)

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        return await remains(artifact)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        archive = _archive(artifact)
        daemon = Daemon(given.address)
        name = given.name
        async with naming(daemon, name, scene, work):
            await import_archive(daemon, archive, name, given.changes, work, platform=given.platform)
        image = await images.look(daemon, name)
        work.note(name)
        made = image_artifact(daemon, IMPORT, image.id, (name,), architecture=image.architecture)
        return Outcome(artifact=made)


def _archive(artifact: Artifact) -> Path:
    """The root file system among the files: of a bootstrap's the one that is for containers."""
    files = [Path(file) for file in artifact.files]
    for file in (*(one for one in files if one.name in FILES), *files):
        if artifact.facts.get("format") == "docker-archive" or file.name.endswith(_ARCHIVES):
            return file
    raise BoxwrightError(
        "This artifact has no root file system to import.",
        why=f"It is {artifact.text or artifact.maker}; archives end with {', '.join(_ARCHIVES)}.",
        remedy='put it behind a source "docker" with export_path, or a "bootstrap" with formats = ["docker"]',
    )


def _read(settings: Settings) -> ImportSettings:
    return decode(settings, ImportSettings, 'post-processor "docker-import"')
