"""Puts what a build made into the store of boxes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from core.builds import appliance
from core.builds.artifact import BOX, Artifact, Outcome
from core.builds.docker.box_root import box_root
from core.builds.docker.image_artifact import ARCHIVE, FORMAT
from core.builds.lxd import images as lxd
from core.builds.root_archive import NAME as ROOT
from core.builds.root_archive import PACKED
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.builds.sparse import copy_sparse
from core.builds.versions import next_version
from core.builds.virtualbox.box_files import EXPORTS, box_files
from core.errors import BoxwrightError
from core.model.box import BoxKey
from core.model.work import Work
from core.providers.firmware import VARIABLES
from core.templates.model import Settings

DISKS = ("qcow2", "raw")
CONTAINERS = ("docker", "lxd")
VIRTUALBOX = "virtualbox"


class BoxSettings(Table, frozen=True, kw_only=True):
    name: str = ""
    """Without one ``<project>/<source>``."""
    version: str = ""
    """Without one the next whole number."""
    description: str = ""
    architecture: str = ""
    fingerprint: str = ""


class BoxPostProcessor:
    kind: ClassVar[str] = "box"

    def check(self, settings: Settings, scene: Scene) -> None:
        decode(settings, BoxSettings, 'post-processor "box"')

    def keeps(self, artifact: Artifact) -> bool:
        return artifact.maker == BOX

    async def remains(self, artifact: Artifact, settings: Settings, scene: Scene) -> bool:
        there = {str(box.key) for box in await asyncio.to_thread(scene.boxes.list)}
        return there.issuperset(artifact.facts["keys"].splitlines())

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = decode(settings, BoxSettings, 'post-processor "box"')
        artifact, metadata, files = await _taken_in(artifact, scene, work)
        name = given.name or f"{scene.project}/{scene.source}"
        version = given.version or str(next_version(scene.boxes, name))
        own = [await _own(Path(file), scene) for file in artifact.disks]
        disks = [file for file in own if file.name != ROOT]
        roots = [file for file in own if file.name == ROOT]
        kept: list[str] = []
        providers = artifact.facts.get("providers", "qemu").split()
        if artifact.variables:
            files["qemu"] = {VARIABLES: await _own(artifact.variables, scene)}
        for provider in providers:
            if provider in CONTAINERS:
                files[provider] = {ROOT: await _linked(roots[0], provider, scene)}
            elif provider == VIRTUALBOX and provider not in files:
                folder = scene.folder / f"box-{provider}"
                files[provider] = await appliance.write(disks[0], folder, scene.source, work)
        for provider in providers:
            key = BoxKey(
                name=name,
                version=version,
                provider=provider,
                architecture=given.architecture or artifact.facts.get("architecture", ""),
            )
            await scene.boxes.put_built(
                key=key,
                disks=disks if provider == "qemu" else (),
                files=files.get(provider),
                fingerprint=given.fingerprint,
                metadata=metadata,
                work=work,
                user="root" if provider in CONTAINERS else artifact.facts.get("user", "vagrant"),
                description=given.description,
                firmware=artifact.facts.get("firmware", "bios"),
            )
            kept.append(str(key))
        work.note(", ".join(kept))
        made = Artifact(
            maker=BOX,
            id=kept[0],
            text=", ".join(kept),
            facts={"box": name, "version": version, "keys": "\n".join(kept)},
        )
        return Outcome(artifact=made)


_Files = dict[str, dict[str, Path]]
"""By provider, then by name in the box."""


async def _taken_in(artifact: Artifact, scene: Scene, work: Work) -> tuple[Artifact, dict[str, Any], _Files]:
    """With what a hypervisor keeps as files of the build; more for the boxes' metadata; files that are a
    provider's box as they are. Raises BoxwrightError for what cannot become one."""
    form = artifact.facts.get("format")
    if form in EXPORTS:
        files = await asyncio.to_thread(box_files, artifact, scene)
        return msgspec.structs.replace(artifact, files=()), {}, {VIRTUALBOX: files}
    metadata: dict[str, Any] = {}
    if form in (FORMAT, ARCHIVE):
        packed, metadata = await box_root(artifact, scene, work)
    elif form == lxd.FORMAT:
        packed = await lxd.box_root(artifact, scene, work)
    elif form in (*DISKS, PACKED):
        return artifact, {}, {}
    else:
        raise BoxwrightError(
            "Only disk images, containers and exported machines can become a box.",
            why=f"The artifact is {artifact.text or artifact.maker}.",
        )
    return msgspec.structs.replace(artifact, files=(str(packed),)), metadata, {}


async def _linked(root: Path, provider: str, scene: Scene) -> Path:
    """Another name of the file, as each box takes its own away; the store keeps the content once."""
    link = scene.folder / f"box-{provider}" / root.name
    link.parent.mkdir(exist_ok=True)
    await asyncio.to_thread(link.hardlink_to, root)
    return link


async def _own(file: Path, scene: Scene) -> Path:
    """A file that may be moved into the store: outside of the build's own folder a copy."""
    if file.is_relative_to(scene.folder):
        return file
    copy = scene.folder / "box" / file.name
    copy.parent.mkdir(exist_ok=True)
    await asyncio.to_thread(copy_sparse, file, copy)
    return copy
