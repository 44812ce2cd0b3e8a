"""A container or image as the root file system of a box."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.builds.artifact import Artifact
from core.builds.docker.archive import changes_of, export_image
from core.builds.docker.image_artifact import FORMAT, image_of
from core.builds.root_archive import NAME, pack
from core.builds.scene import Scene
from core.model.work import Work


async def box_root(artifact: Artifact, scene: Scene, work: Work) -> tuple[Path, dict[str, Any]]:
    """The box's archive in the build's own folder, and its metadata. Raises BoxwrightError."""
    packed = scene.folder / NAME
    if artifact.facts["format"] != FORMAT:
        await asyncio.to_thread(pack, Path(artifact.files[0]), packed)
        return packed, {}
    daemon, image, _ = image_of(artifact, "box")
    about = await daemon.ask("GET", f"/images/{image}/json")
    plain = scene.folder / "rootfs.tar"
    await export_image(daemon, image, plain, work)
    await asyncio.to_thread(pack, plain, packed)
    plain.unlink()
    return packed, {"boxwright": {"changes": changes_of(about.get("Config") or {})}}
