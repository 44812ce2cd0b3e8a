"""Makes a box for Vagrant of a disk image."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from core.builds.artifact import Artifact, Outcome
from core.builds.docker.image_artifact import FORMAT
from core.builds.output import refuse_existing
from core.builds.scene import Scene
from core.builds.settings import Table, decode
from core.errors import BoxwrightError, NotFoundError
from core.model.machine import Disk
from core.model.work import Work
from core.templates.model import Settings


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
        named = [*given.include, *([given.vagrantfile_template] if given.vagrantfile_template else [])]
        for text in named:
            if not scene.path(text).is_file() and not given.vagrantfile_template_generated:
                raise NotFoundError(f"There is no {scene.path(text)}.", why="It is to go into the box.")

    async def run(self, artifact: Artifact, settings: Settings, scene: Scene, work: Work) -> Outcome:
        given = _read(settings)
        form = artifact.facts.get("format", "")
        if form not in ("qcow2", "raw", FORMAT):
            raise BoxwrightError(
                "This artifact cannot become a Vagrant box.",
                why=f"It is {artifact.text or artifact.maker}; disk images of QEMU and images of Docker can.",
            )
        provider = "docker" if form == FORMAT else "libvirt"
        fields = {
            "BuildName": scene.source,
            "Provider": provider,
            "ArtifactId": artifact.id,
            "Architecture": given.architecture or artifact.facts.get("architecture", "amd64"),
        }
        target = scene.path(scene.render(given.output, **fields))
        refuse_existing(target, force=scene.force)
        target.parent.mkdir(parents=True, exist_ok=True)
        own = scene.path(given.vagrantfile_template).read_text() if given.vagrantfile_template else ""
        await _write(artifact, given, scene, target, scene.render(own, **fields), work)
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
    from core.boxes.pack import write_box, write_image_box

    include = [scene.path(text) for text in given.include]
    level = given.compression_level
    form = artifact.facts["format"]
    if form == FORMAT:
        image = artifact.facts["names"].split()[-1]
        await write_image_box(target, image, work=work, vagrantfile=own, include=include, level=level)
        return
    await write_box(
        target,
        disks=[Disk(path=file, format=form) for file in artifact.files],
        work=work,
        user=artifact.facts.get("user", "vagrant"),
        firmware=artifact.facts.get("firmware", "bios"),
        architecture=given.architecture or artifact.facts.get("architecture", ""),
        vagrantfile=own,
        include=include,
        level=level,
    )


def _read(settings: Settings) -> VagrantSettings:
    return decode(settings, VagrantSettings, 'post-processor "vagrant"')
