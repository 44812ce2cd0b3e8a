"""Makes a box for Vagrant of a disk image, a container or an exported machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.image_artifact import FORMAT
from core.builds.lxd import images as lxd
from core.builds.output import claim, refuse_existing
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.builds.virtualbox import box_files as virtualbox
from core.errors import BoxwrightError, ConfigError, NotFoundError
from core.model.machine import Disk
from core.model.work import Work
from core.templates.model import Settings
from core.templates.problems import TemplateError

DISKS, CONTAINERS, LXD, VIRTUALBOX = PROVIDERS = ("libvirt", "docker", "lxd", "virtualbox")
"""Whose boxes they are, in Vagrant's words."""

_MADE_OF = {
    "qcow2": DISKS,
    "raw": DISKS,
    FORMAT: CONTAINERS,
    lxd.FORMAT: LXD,
    **dict.fromkeys(virtualbox.EXPORTS, VIRTUALBOX),
}
"""By the formats of artifacts."""

_MADE_BY = {"docker": CONTAINERS, "lxd": LXD, "virtualbox-iso": VIRTUALBOX, "virtualbox-ovf": VIRTUALBOX}
"""By kinds of sources; all others make disks."""


class VagrantSettings(Table, frozen=True, kw_only=True):
    output: str = "packer_{{ .BuildName }}_{{ .Provider }}.box"
    compression_level: int = -1
    include: tuple[str, ...] = ()
    vagrantfile_template: str = ""
    vagrantfile_template_generated: bool = False
    provider_override: str = ""
    architecture: str = ""


class VagrantPostProcessor:
    kind: ClassVar[str] = "vagrant"

    def check(self, settings: Settings, scene: Scene) -> None:
        given = _read(settings)
        named = list(given.include)
        if given.vagrantfile_template and not given.vagrantfile_template_generated:
            named.append(given.vagrantfile_template)
        for text in named:
            if not scene.path(text).is_file():
                raise NotFoundError(f"There is no {scene.path(text)}.", why="It is to go into the box.")
        if given.provider_override not in ("", *PROVIDERS):
            raise _other_provider(given.provider_override, f"one of {', '.join(PROVIDERS)}")

    async def refuse_existing(self, settings: Settings, scene: Scene) -> None:
        fields = {"BuildName": scene.source, "Provider": _MADE_BY.get(scene.kind, DISKS)}
        with contextlib.suppress(TemplateError):
            # A name with what only the artifact tells is looked at when that is there.
            refuse_existing(scene.path(scene.render(_read(settings).output, **fields)), force=scene.force)

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        form = artifact.facts.get("format", "")
        if given.provider_override == DISKS and not form:
            # Files that another tool made ("artifice"): the setting says what they are for.
            form = await _common_format(artifact.files)
            artifact = msgspec.structs.replace(artifact, facts={**artifact.facts, "format": form})
        if form not in _MADE_OF:
            raise BoxwrightError(
                "This artifact cannot become a Vagrant box.",
                why=f"It is {artifact.text or artifact.maker}; disks, containers and exported machines can.",
                remedy=f'provider_override = "{DISKS}", where the files are disk images all the same',
            )
        provider = _MADE_OF[form]
        if given.provider_override not in ("", provider):
            raise _other_provider(given.provider_override, provider)
        fields = {
            "BuildName": scene.source,
            "Provider": provider,
            "ArtifactId": artifact.id,
            "Architecture": given.architecture or artifact.facts.get("architecture", "amd64"),
        }
        target = scene.path(scene.render(given.output, **fields))
        own = scene.path(given.vagrantfile_template).read_text() if given.vagrantfile_template else ""
        async with claim(target, scene, work) as beside:
            await _write(artifact, given, scene, beside, scene.render(own, **fields), work)
        made = Artifact(
            maker="mitchellh.post-processor.vagrant",
            id=provider,
            files=(str(target),),
            text=f"'{provider}' provider box: {target}",
            facts={"box": str(Path(target)), "provider": provider},
        )
        # A box of Docker's only names the image: without the image it is nothing.
        return Outcome(artifact=made, keep=form == FORMAT, must_keep=form == FORMAT)


async def _write(
    artifact: Artifact, given: VagrantSettings, scene: Scene, target: Path, own: str, work: Work
) -> None:
    from core.boxes.pack import write_box, write_files_box, write_image_box

    include = [scene.path(text) for text in given.include]
    include += [artifact.variables] if artifact.variables else []
    level = given.compression_level
    form = artifact.facts["format"]
    if form == FORMAT:
        image = artifact.facts["names"].split()[-1]
        await write_image_box(target, image, work=work, vagrantfile=own, include=include, level=level)
        return
    architecture = given.architecture or artifact.facts.get("architecture", "")
    user = artifact.facts.get("user", "vagrant")
    if form in (lxd.FORMAT, *virtualbox.EXPORTS):
        if form == lxd.FORMAT:
            root = await lxd.box_root(artifact, scene, work)
            files = {root.name: root}
        else:
            files = await asyncio.to_thread(virtualbox.box_files, artifact, scene)
            own = virtualbox.vagrantfile(files[virtualbox.DESCRIPTION], user) + own
        await write_files_box(
            target,
            files,
            provider=_MADE_OF[form],
            work=work,
            user=user,
            architecture=architecture,
            vagrantfile=own,
            include=include,
            level=level,
        )
        return
    await write_box(
        target,
        disks=[Disk(path=file, format=form) for file in artifact.disks],
        work=work,
        user=user,
        firmware=artifact.facts.get("firmware", "bios"),
        architecture=architecture,
        vagrantfile=own,
        include=include,
        level=level,
    )


def _other_provider(named: str, possible: str) -> ConfigError:
    return ConfigError(
        f'"provider_override" is {named!r}; the box is for {possible}.',
        why="What was built is nothing that another provider could take.",
    )


async def _common_format(files: Sequence[str]) -> str:
    """Of disk images, as their own headers say. Raises BoxwrightError for what is none."""
    from core.boxes.disk_images import inspect

    forms = {(await asyncio.to_thread(inspect, Path(file))).format for file in files}
    return forms.pop() if len(forms) == 1 else ""


def _read(settings: Settings) -> VagrantSettings:
    return decode(settings, VagrantSettings, 'post-processor "vagrant"')
