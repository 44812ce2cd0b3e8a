"""Images as artifacts: what the next post-processor is told of one, and how it is removed."""

from __future__ import annotations

from collections.abc import Sequence

from core.builds.artifact import Artifact
from core.builds.docker.base_image import BUILDS
from core.errors import BoxwrightError
from core.providers.docker import images
from core.providers.docker.address import parse
from core.providers.docker.daemon import Daemon
from core.providers.docker.removal import remove_image

IMPORT = "packer.post-processor.docker-import"
"""Packer's id of who makes images; the source "docker" has the same."""
TAG = "packer.post-processor.docker-tag"
PUSH = "packer.post-processor.docker-push"

FORMAT = "docker"
ARCHIVE = "docker-archive"
"""A root file system, as a container was exported."""


def image_artifact(
    daemon: Daemon, maker: str, id: str, names: Sequence[str], *, architecture: str, image: str = ""
) -> Artifact:
    """``id``: what Packer calls it, e.g. its digest; ``image``: its digest where that is another text."""

    async def gone() -> None:
        for name in names:
            await remove_image(daemon, name)

    shown = ", ".join(names)
    return Artifact(
        maker=maker,
        id=id,
        text=f"image {shown}",
        facts={
            "format": FORMAT,
            "address": str(daemon.address),
            "image": image or id,
            "names": " ".join(names),
            "architecture": architecture,
            "providers": "docker",
            "user": "root",
        },
        remove_elsewhere=gone,
    )


def image_of(artifact: Artifact, kind: str) -> tuple[Daemon, str, tuple[str, ...]]:
    """The daemon that has the image, its digest, and its names. Raises BoxwrightError for other artifacts."""
    if not is_image(artifact):
        raise BoxwrightError(
            f'The post-processor "{kind}" takes an image of Docker.',
            why=f"The artifact is {artifact.text or artifact.maker}.",
            remedy='put it behind a source "docker" with commit = true, or behind docker-import',
        )
    facts = artifact.facts
    return Daemon(parse(facts["address"])), facts["image"], tuple(facts["names"].split())


def is_image(artifact: Artifact) -> bool:
    return artifact.facts.get("format") == FORMAT


async def remains(artifact: Artifact) -> bool:
    """Whether the daemon has the image, under every name that the build gave it. Raises BoxwrightError."""
    daemon, image, names = image_of(artifact, "")
    return await images.exists(daemon, image) and all(
        [await images.identity(daemon, name) == image for name in names if not temporary(name)]
    )


def temporary(name: str) -> bool:
    """Whether a build gave the image this name, as it had none."""
    return name.startswith(f"{BUILDS}:")
