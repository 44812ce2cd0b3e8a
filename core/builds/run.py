"""Runs a build of a project: source, provisioners, box."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from core.builds.bootstrap import bootstrap
from core.builds.fingerprint import build_spec, fingerprint
from core.builds.undo import FOLDER, remove_folder
from core.errors import BoxwrightError
from core.model.box import Box, BoxKey
from core.model.project import BuildSpec, Project
from core.model.work import Work
from core.paths import Locations

if TYPE_CHECKING:
    from core.boxes.store import BoxStore

BOX_PROVIDER = "qemu"
USER = "vagrant"


async def run_build(
    *,
    project: Project,
    name: str,
    locations: Locations,
    store: BoxStore,
    work: Work,
) -> Box:
    """Make the box ``<project>/<name>`` with the next whole number as its version, and return it.

    Whether one is up to date already is the caller's to ask: ``store.find_build(fingerprint(...))``.
    Provisioners run in a machine on QEMU. When this raises or is cancelled, what it made goes with its
    intents, which the caller undoes.

    Raises NotFoundError for a build or a provisioner's file that is not there, BoxwrightError for all
    that can go wrong on the way.
    """
    spec = build_spec(project, name)
    await asyncio.to_thread(_check, project, spec)
    mark = await asyncio.to_thread(fingerprint, project, name)
    folder = locations.builds / f"{project.name}-{name}-{secrets.token_hex(4)}"
    intent = work.intend(FOLDER, path=str(folder))
    folder.mkdir(mode=0o700, parents=True)
    image = await _source(spec, folder, work)
    if spec.provision:
        from core.builds.provisioned import provisioned

        image = await provisioned(
            image, spec=spec, project=project, name=name, folder=folder, locations=locations,
            work=work,
        )  # fmt: skip
    async with work.step("Put the box in the store") as step:
        box = await _publish(store, project, name, spec, image, mark, step)
    async with work.step("Clean up"):
        await remove_folder({"path": str(folder)})
        intent.settle()
    return box


async def _source(spec: BuildSpec, folder: Path, work: Work) -> Path:
    if spec.source.bootstrap is not None:
        return await bootstrap(spec.source.bootstrap, folder=folder, work=work)
    raise BoxwrightError("The build has no source.")


def _check(project: Project, spec: BuildSpec) -> None:
    """Raise for what the provisioners will miss, before an image is made for them."""
    from core.provisioners.registry import provisioner

    for provision in spec.provision:
        provisioner(provision.kind).check(provision, Path(project.root))


async def _publish(
    store: BoxStore, project: Project, name: str, spec: BuildSpec, image: Path, mark: str, work: Work
) -> Box:
    box_name = f"{project.name}/{name}"
    key = BoxKey(
        name=box_name,
        version=str(next_version(store, box_name)),
        provider=BOX_PROVIDER,
        architecture=spec.source.bootstrap.architecture if spec.source.bootstrap else "",
    )
    work.note(str(key))
    return await store.put_built(
        key=key, disks=[image], fingerprint=mark, work=work, user=USER, description=spec.description
    )


def next_version(store: BoxStore, name: str) -> int:
    """One more than the greatest whole number among the versions of a box, 1 without any."""
    versions = [box.version for box in store.list() if box.name == name]
    return (
        max((int(version) for version in versions if version.isascii() and version.isdigit()), default=0) + 1
    )
